"""Progress of a command that takes minutes: one line for each phase that has ended, with its seconds.

On a terminal the running phases are shown below, and change; elsewhere a plain line says every two seconds what
is going on. Phases may run side by side, on threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

HEARTBEAT = 2.0
TICK = 0.1
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Phase:
    """One phase.

    Attributes:
        name: a word.
        detail: what it is doing; at its end what came of it.
    """

    def __init__(self, name: str) -> None:
        self.name, self.detail = name, ""
        self._begin = time.monotonic()

    def say(self, detail: str) -> None:
        """Change what is shown."""
        self.detail = detail

    def line(self) -> str:
        """Name, seconds so far, detail."""
        return f"{self.name:<12} {time.monotonic() - self._begin:6.1f} s  {self.detail}"


class Phases:
    """The display.

    Args:
        console: where to.
        quiet: whether another program writes to the same place, so that only ended phases are shown.
    """

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console = console
        self._running: list[Phase] = []
        self._lock = threading.Lock()
        self._begin = self._shown = time.monotonic()
        self._ended = threading.Event()
        self._live = Live(self, console=console, transient=True, refresh_per_second=6) if console.is_terminal else None
        if quiet:
            self._live = None
        beats = not quiet and self._live is None
        self._thread = threading.Thread(target=self._beat, daemon=True) if beats else None

    def __enter__(self) -> Phases:
        if self._live:
            self._live.start()
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        if self._live:
            self._live.stop()
        if self._thread:
            self._thread.join()

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Show a phase while the block runs, and its line at the end; nothing when the block fails."""
        phase = Phase(name)
        with self._lock:
            self._running.append(phase)
        try:
            yield phase
            self.note(phase.line())
        finally:
            with self._lock:
                self._running.remove(phase)

    def note(self, text: str, style: str = "") -> None:
        """Print a line that stays."""
        with self._lock:
            self._shown = time.monotonic()
            self._console.print(Text(text, style=style), soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The running phases, a line each, cut to the terminal's width."""
        mark = SPINNER[int(time.monotonic() * 8) % len(SPINNER)]
        for phase in list(self._running):
            yield Text(f"{phase.line()} {mark}", no_wrap=True, overflow="ellipsis", style="dim")

    def _beat(self) -> None:
        """Print what runs, whenever nothing was printed for two seconds."""
        while not self._ended.wait(TICK):
            with self._lock:
                if self._running and time.monotonic() - self._shown >= HEARTBEAT:
                    self._shown = time.monotonic()
                    words = "; ".join(f"{phase.name}: {phase.detail}" for phase in self._running)
                    line = f"{'':<12} {time.monotonic() - self._begin:6.1f} s  {words}"
                    self._console.print(Text(line), soft_wrap=True)
