"""Ctrl-C on the lake's commands: what was done is shown, and what to type next is said."""

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
from penstock.lake.landing_report import Line, show_lines


class Interrupts:
    """Whether Ctrl-C was pressed. Libraries turn the exception into others; this is not lost."""

    def __init__(self) -> None:
        self.came = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of SIGINT: as Python's own, but remembered."""
        self.came = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Go no further after Ctrl-C.

        Raises:
            KeyboardInterrupt: it was pressed.
        """
        if self.came:
            raise KeyboardInterrupt


@contextmanager
def interruptible(console: Console, lines: Sequence[Line], typed: Sequence[str]) -> Iterator[Interrupts]:
    """On Ctrl-C, show the months that were done, say what to type next, and exit with 130.

    Args:
        lines: of the months that are done, as far as the block has come.
        typed: the words of the command, without `penstock`.
    """
    interrupts = Interrupts()
    before = signal.signal(signal.SIGINT, interrupts.handle)
    try:
        yield interrupts
        interrupts.check()
    except BaseException as error:
        if not (interrupts.came or isinstance(error, KeyboardInterrupt)):
            raise
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        show_lines(console, [line for line in lines if not line.error])
        found = "interrupted; each month is live as before, or landed whole"
        message = PenstockError(f"`penstock {typed[0]}` to run to its end", found, f"`{_command(typed)}`")
        print(f"penstock: {message}", file=sys.stderr)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGINT, before)


def _command(typed: Sequence[str]) -> str:
    return shlex.join(["penstock", *typed])
