"""Show the progress of a command that takes minutes.

For each phase that has ended, print one line with its duration. On a terminal, show the running phases below these
lines and keep them up to date. Elsewhere, print a line that names the running phases every two seconds. Phases may
run at the same time, on several threads.
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

HEARTBEAT_SECONDS = 2.0
POLL_SECONDS = 0.1
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Phase:
    """A phase of a command.

    Attributes:
        name: one word that names the phase.
        detail: the current step of the phase or, when it has ended, its result.
    """

    def __init__(self, name: str) -> None:
        self.name, self.detail = name, ""
        self._start = time.monotonic()

    def update(self, detail: str) -> None:
        """Change the detail that is shown."""
        self.detail = detail

    def line(self) -> str:
        """Return the name, the duration in seconds and the detail."""
        return f"{self.name:<12} {time.monotonic() - self._start:6.1f} s  {self.detail}"


class Phases:
    """A display of running and ended phases.

    Args:
        console: the console to print to.
        quiet: show only ended phases. Use it if another program prints to the same console.
    """

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console = console
        self._running: list[Phase] = []
        self._lock = threading.Lock()
        self._start = self._last_printed = time.monotonic()
        self._ended = threading.Event()
        is_live = console.is_terminal and not quiet
        self._live = Live(self, console=console, transient=True, refresh_per_second=6) if is_live else None
        has_heartbeat = not console.is_terminal and not quiet
        self._thread = threading.Thread(target=self._print_heartbeats, daemon=True) if has_heartbeat else None

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
        """Show a phase while the block runs. If the block succeeds, print the line of the ended phase."""
        phase = Phase(name)
        with self._lock:
            self._running.append(phase)
        try:
            yield phase
            self.print(phase.line())
        finally:
            with self._lock:
                self._running.remove(phase)

    def print(self, text: str, style: str = "") -> None:
        """Print a permanent line."""
        with self._lock:
            self._last_printed = time.monotonic()
            self._console.print(Text(text, style=style), soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield one line per running phase, truncated to the terminal's width."""
        frame = SPINNER[int(time.monotonic() * 8) % len(SPINNER)]
        for phase in list(self._running):
            yield Text(f"{phase.line()} {frame}", no_wrap=True, overflow="ellipsis", style="dim")

    def _print_heartbeats(self) -> None:
        """Print the running phases each time that nothing has been printed for two seconds."""
        while not self._ended.wait(POLL_SECONDS):
            with self._lock:
                if self._running and time.monotonic() - self._last_printed >= HEARTBEAT_SECONDS:
                    self._last_printed = time.monotonic()
                    running = "; ".join(f"{phase.name}: {phase.detail}" for phase in self._running)
                    line = f"{'':<12} {time.monotonic() - self._start:6.1f} s  {running}"
                    self._console.print(Text(line), soft_wrap=True)
