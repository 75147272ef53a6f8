"""Handle Ctrl-C in the lake's commands: show the finished months, and the command that continues the work."""

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
    """A flag that records whether Ctrl-C was pressed, even if a library turns KeyboardInterrupt into another error."""

    def __init__(self) -> None:
        self.is_set = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT: set the flag and, like Python's default handler, raise KeyboardInterrupt."""
        self.is_set = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.is_set:
            raise KeyboardInterrupt


@contextmanager
def interruptible(console: Console, lines: Sequence[ReportLine], arguments: Sequence[str]) -> Iterator[InterruptFlag]:
    """Handle Ctrl-C in the block: show the finished months and the command that resumes the work, and exit with 130.
    Args:
        console: the console to print to.
        lines: the lines of the report. The block appends a line for each finished month.
        arguments: the arguments of the command line, without `penstock`.
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
