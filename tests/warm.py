"""dbt commands that begin with dbt already imported: a process of their own each, forked from one that has it.

An import of dbt takes two to three seconds, more than most of the tests' own work. What is tested as a
program, signals and exit codes among it, starts `dbt` itself.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.penstock"])


def _main(folder: str, environment: dict[str, str], arguments: list[str], output: str) -> None:
    """In the forked process: be the program `dbt`, both streams to a file."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    said = os.open(output, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["dbt", *arguments]
    from dbt.cli.main import cli

    cli()


def dbt(
    folder: Path, environment: dict[str, str], arguments: list[str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run dbt in a folder; both streams are in `stdout`.

    Raises:
        subprocess.TimeoutExpired: it has taken longer, and was ended.
    """
    with tempfile.NamedTemporaryFile("r") as output:
        process = _processes.Process(target=_main, args=(str(folder), environment, arguments, output.name))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["dbt", *arguments], timeout, output.read())
        return subprocess.CompletedProcess(["dbt", *arguments], process.exitcode, output.read())
