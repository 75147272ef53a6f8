"""Tools that only these tests need: fetched once by name and version into .penstock/tools, never into the checkout.

A tool that can't be had skips its tests and says why; with PENSTOCK_REQUIRE_REACH=1 they fail instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".penstock" / "tools"
SECONDS = 900


def missing(reason: str) -> NoReturn:
    """Skip, or fail where everything has to run."""
    if os.environ.get("PENSTOCK_REQUIRE_REACH") == "1":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def from_pip(*requirements: str) -> Path:
    """A folder with Python packages of exact versions and what they need, apart from this environment's."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    name = "+".join(requirements).replace("==", "-")
    # What is compiled in them fits one minor version of Python.
    version = "{}.{}".format(*sys.version_info)
    return _fetched(f"{name}-python{version}", command, list(requirements), "--target")


def run_with(packages: Path, code: str, *words: str, given: str = "") -> list[str]:
    """What a piece of Python prints, line by line, that runs with the packages of a folder.

    Args:
        packages: the folder.
        words: its arguments.
        given: its standard input.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        input=given,
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def from_go(module: str, version: str) -> Path:
    """A folder with the program of a Go module at a version."""
    go = shutil.which("go")
    if go is None:
        missing(f"needed: Go, for {module}. found: none. do: install golang, 1.24 or later")
    return _fetched(f"{module.replace('/', '+')}-{version}", [go, "install", f"{module}@{version}"], [], "GOBIN")


def _fetched(name: str, command: list[str], words: list[str], where: str) -> Path:
    """Fetch aside, then rename: a kill leaves no half of a tool."""
    folder = TOOLS / name
    if folder.exists():
        return folder
    TOOLS.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=TOOLS))
    environment = dict(os.environ)
    if where == "GOBIN":
        environment["GOBIN"] = str(aside)
    else:
        words = [*words, where, str(aside)]
    done = subprocess.run([*command, *words], env=environment, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        shutil.rmtree(aside)
        missing(f"needed: {name}. found: {done.stderr.strip()[-300:]}")
    if folder.exists():  # another run was quicker
        shutil.rmtree(aside)
    else:
        aside.rename(folder)
    return folder
