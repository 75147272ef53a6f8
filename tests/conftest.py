"""What holds for every test."""

from __future__ import annotations

import signal

from tests.support import forked_commands

# A run in the background of a script ignores Ctrl-C, and so would each program that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_keyboard_interrupt() -> None:
    """Kill the commands at work before fixtures stop their servers: one that goes on would start its server again."""
    forked_commands.kill_all()
