"""Show the progress of a long step: on a terminal as one line that is rewritten, else as a line every two seconds."""

import re
import sys
import threading
import time
from types import TracebackType

SECONDS = 2.0
TICK = 0.2
# The lines that uv and pip print when they begin with a package.
BEGINS = re.compile(r"^\s*(Downloading|Building)\s+(?:wheel for )?([\w.\-]+)", re.I)
ENDS = re.compile(r"^\s*(?:Downloaded|Built|Successfully built)\s+([\w.\-]+)")
PIP = re.compile(r"^\s*(Collecting|Installing collected packages|Prepared|Installed)\s*([\w.\-]*)")
SHOWN = 3


def track(line: str, busy: "dict[str, str]") -> None:
    """Update `busy`, the installer's current activity by package, from a line of the installer's output."""
    if begin := BEGINS.match(line):
        name = begin[2].split("==")[0]
        if name.endswith((".whl", ".gz")):  # pip prints the name of the file
            name = name.split("-")[0]
        busy.pop(name, None)
        busy[name] = f"{begin[1].lower()} {name}"
    elif end := ENDS.match(line):
        busy.pop(end[1].split("==")[0], None)
    elif PIP.match(line):
        busy.clear()
        busy[""] = "installing" if line.lstrip().startswith(("Inst", "Prep")) else line.strip().lower()


class Progress:
    """Show a step's seconds and current activity from a thread until the end of the `with` block."""

    def __init__(self, name: str) -> None:
        self._name, self._activity = name, ""
        self._begin = self._shown = time.monotonic()
        self._live = sys.stdout.isatty()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def update(self, activity: str) -> None:
        """Show another activity."""
        self._activity = activity

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", trace: "TracebackType | None"
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._live:
            print("\r\033[K", end="", flush=True)

    def _run(self) -> None:
        while not self._ended.wait(TICK):
            now = time.monotonic()
            parts = self._activity.split(", ")
            activity = ", ".join(parts[-SHOWN:]) + (f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else "")
            line = f"{self._name:<12} {now - self._begin:6.0f} s  {activity}"
            if self._live:
                print(f"\r\033[K{line[:78]}", end="", flush=True)
            elif now - self._shown >= SECONDS:
                self._shown = now
                print(line, flush=True)
