"""Progress of a long step: one line that is rewritten on a terminal, else a plain line every two seconds."""

import re
import sys
import threading
import time
from types import TracebackType

SECONDS = 2.0
TICK = 0.2
# What uv and pip print as they go on.
BEGINS = re.compile(r"^\s*(Downloading|Building)\s+(?:wheel for )?([\w.\-]+)", re.I)
ENDS = re.compile(r"^\s*(?:Downloaded|Built|Successfully built)\s+([\w.\-]+)")
PIP = re.compile(r"^\s*(Collecting|Installing collected packages|Prepared|Installed)\s*([\w.\-]*)")
SHOWN = 3


def activity(line: str, busy: "dict[str, str]") -> None:
    """Keep in `busy` what an installer is doing, by package, from a line that it printed."""
    if found := BEGINS.match(line):
        name = found[2].split("==")[0]
        if name.endswith((".whl", ".gz")):  # pip names the file
            name = name.split("-")[0]
        busy.pop(name, None)
        busy[name] = f"{found[1].lower()} {name}"
    elif found := ENDS.match(line):
        busy.pop(found[1].split("==")[0], None)
    elif PIP.match(line):
        busy.clear()
        busy[""] = "installing" if line.lstrip().startswith(("Inst", "Prep")) else line.strip().lower()


class Progress:
    """Shows a step's seconds and what it is doing, from a thread of its own, until the block ends."""

    def __init__(self, name: str) -> None:
        self._name, self._doing = name, ""
        self._begin = self._shown = time.monotonic()
        self._live = sys.stdout.isatty()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def say(self, doing: str) -> None:
        """Change what is shown."""
        self._doing = doing

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
            parts = self._doing.split(", ")
            doing = ", ".join(parts[-SHOWN:]) + (f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else "")
            line = f"{self._name:<12} {now - self._begin:6.0f} s  {doing}"
            if self._live:
                print(f"\r\033[K{line[:78]}", end="", flush=True)
            elif now - self._shown >= SECONDS:
                self._shown = now
                print(line, flush=True)
