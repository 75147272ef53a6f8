"""Handle Ctrl-C in the lake's commands: show the finished months and the command that continues."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import typer
from rich.console import Console

from penstock.errors import PenstockError
from penstock.lake.landing_report import ReportLine, show_lines


class InterruptFlag:
    """Whether Ctrl-C was pressed. The flag stays set when a library turns KeyboardInterrupt into another error."""

    def __init__(self) -> None:
        self.is_set = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT like Python's own handler, and set the flag."""
        self.is_set = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt when Ctrl-C was pressed."""
        if self.is_set:
            raise KeyboardInterrupt


@contextmanager
def interruptible(console: Console, lines: Sequence[ReportLine], arguments: Sequence[str]) -> Iterator[InterruptFlag]:
    """On Ctrl-C, show the finished months and the command that continues, and exit with 130.

    Args:
        lines: the report's lines so far; the block appends to them.
        arguments: the command line without `penstock`.
    """
    interrupt = InterruptFlag()
    previous_handler = signal.signal(signal.SIGINT, interrupt.handle)
    try:
        yield interrupt
        interrupt.check()
    except BaseException as error:
        if not (interrupt.is_set or isinstance(error, KeyboardInterrupt)):
            raise
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        show_lines(console, [line for line in lines if not line.error])
        found = "interrupted; each month is either unchanged or completely landed"
        command = shlex.join(["penstock", *arguments])
        message = PenstockError(f"`penstock {arguments[0]}` to run to its end", found, f"`{command}`")
        print(f"penstock: {message}", file=sys.stderr)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGINT, previous_handler)
