"""Hooks and options of every suite."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support import forked_commands

FOLDER = Path(__file__).parent

# A background job of a script ignores Ctrl-C, and so would each program that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="conformance: write docs/reference/conformance.md")
    parser.addoption("--write-docs", action="store_true", help="reach, packages: write tables of the docs")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its suite, the folder below `tests/`, before `-m` selects."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(item.path.relative_to(FOLDER).parts[0])


def pytest_keyboard_interrupt() -> None:
    """Kill the commands that run before fixtures stop their servers: a running command would start its server again."""
    forked_commands.kill_all()
