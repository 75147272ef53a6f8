"""dbt and penstock commands in processes forked from one that has already imported dbt and penstock.

Importing dbt takes two to five seconds of processor time, more than most tests' own work. Tests of the
program itself (its entry point, Ctrl-C, exit after a signal) start `dbt` or `penstock` instead.
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
# Modules whose import fixes the width of the terminal (penstock.cli.server) stay out.
_MODULES = [
    *("dbt.cli.main", "dbt.adapters.penstock", "penstock.cli.main", "penstock.cli.lake"),
    *("penstock.cli.intervals", "penstock.cli.explain", "pandas"),
]


def preload(*modules: str) -> None:
    """Have the fork server import more modules. Call it before the first process starts: at a module's import."""
    _MODULES.extend(module for module in modules if module not in _MODULES)
    CONTEXT.set_forkserver_preload(_MODULES)


preload()


def _main(program: str, folder: str, environment: dict[str, str], arguments: list[str], output: str) -> None:
    """Run the program in the forked process; both streams go to a file."""
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
    """A running command, with the part of `subprocess.Popen` that tests use; both streams are in `stdout`."""

    def __init__(self, process: BaseProcess, output: IO[str], command: list[str]) -> None:
        self._process, self._output, self._command = process, output, command

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the command runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code; None while the command runs."""
        return self._process.exitcode

    def output(self) -> str:
        """Return everything that the command has printed so far."""
        self._output.seek(0)
        return self._output.read()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises:
            subprocess.TimeoutExpired: the command still runs after `timeout` seconds.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0, self.output())
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Wait for the end and return the output, and None.

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
    output = tempfile.NamedTemporaryFile("r")  # noqa: SIM115  (open as long as the command is asked for its output)
    process_arguments = (program, str(folder), environment, arguments, output.name)
    process = CONTEXT.Process(target=_main, args=process_arguments, daemon=True)  # pytest's end waits for no command
    process.start()
    return Started(process, output, [program, *arguments])


def run(
    program: str, folder: Path, environment: dict[str, str], arguments: list[str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run dbt or penstock in a folder; both streams are in `stdout`.

    Raises:
        subprocess.TimeoutExpired: the command took longer, and was killed.
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
