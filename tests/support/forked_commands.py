"""Run dbt and penstock commands in processes that are forked from a process that has already imported both.

Importing dbt takes two to five seconds of processor time, which is more than most tests need themselves. Tests of the
program itself (its entry point, Ctrl-C, exit after a signal) start the real `dbt` or `penstock` instead.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO

CONTEXT = multiprocessing.get_context("forkserver")
# Modules that determine the width of the terminal when they are imported (penstock.cli.server) aren't in the list.
_MODULES = [
    *("dbt.cli.main", "dbt.adapters.penstock", "penstock.cli.main", "penstock.cli.lake"),
    *("penstock.cli.intervals", "penstock.cli.explain", "pandas"),
]


def preload(*modules: str) -> None:
    """Make the fork server import more modules. Call this at a module's import, before the first process starts."""
    _MODULES.extend(module for module in modules if module not in _MODULES)
    CONTEXT.set_forkserver_preload(_MODULES)


preload()


def _main(program: str, folder: str, environment: dict[str, str], arguments: list[str], output: str) -> None:
    """Run the program in the forked process. Standard output and standard error go to the same file."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = [program, *arguments]
    if program == "dbt":
        from dbt.cli.main import cli

        cli()
    else:
        from penstock.cli.main import main

        main()


class Started:
    """A running command with the methods of `subprocess.Popen` that tests use. `stdout` also has standard error."""

    def __init__(self, process: BaseProcess, output: IO[str], command: list[str]) -> None:
        self._process, self._output, self._command = process, output, command

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while the command runs. It is negative after a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code, or None while the command runs."""
        return self._process.exitcode

    def output(self) -> str:
        """Return everything that the command has printed so far."""
        self._output.seek(0)
        return self._output.read()

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the command ends and return its exit code.

        Raises:
            subprocess.TimeoutExpired: the command still runs after `timeout` seconds.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0, self.output())
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Wait until the command ends and return its output, and None.

        Raises:
            subprocess.TimeoutExpired: the command still runs after `timeout` seconds.
        """
        self.wait(timeout)
        return self.output(), None

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def start(program: str, folder: Path, environment: dict[str, str], arguments: list[str]) -> Started:
    """Start dbt or penstock in a folder.

    Args:
        program: `dbt` or `penstock`.
        environment: all of its environment variables.
    """
    output = tempfile.NamedTemporaryFile("r")  # noqa: SIM115  (stays open, to be read later)
    process_arguments = (program, str(folder), environment, arguments, output.name)
    process = CONTEXT.Process(target=_main, args=process_arguments, daemon=True)  # at its end pytest doesn't wait
    process.start()
    return Started(process, output, [program, *arguments])


def run(
    program: str, folder: Path, environment: dict[str, str], arguments: list[str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run dbt or penstock in a folder. `stdout` also has standard error.

    Raises:
        subprocess.TimeoutExpired: the command took longer than `timeout` seconds and was killed.
    """
    started = start(program, folder, environment, arguments)
    try:
        printed, _ = started.communicate(timeout)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
        raise
    return subprocess.CompletedProcess([program, *arguments], started.wait(), printed)


def kill_all() -> None:
    """Kill every command that still runs."""
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
