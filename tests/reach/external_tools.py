"""Tools that only these tests need, fetched once by name and version into .penstock/tools.

Tests of a tool that can't be fetched skip with the reason; with PENSTOCK_REQUIRE_REACH=1 they fail instead.
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
    """Skip the test, or fail it if PENSTOCK_REQUIRE_REACH=1."""
    if os.environ.get("PENSTOCK_REQUIRE_REACH") == "1":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def from_pip(*requirements: str) -> Path:
    """Return a folder with Python packages of exact versions and their dependencies, outside this environment."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    name = "+".join(requirements).replace("==", "-")
    # What is compiled in them fits one minor version of Python.
    version = "{}.{}".format(*sys.version_info)
    return _fetched(f"{name}-python{version}", command, list(requirements), "--target")


def run_with(packages: Path, code: str, *arguments: str, stdin: str = "") -> list[str]:
    """Run Python code with the packages of a folder and return the lines that it prints.

    Args:
        packages: the folder.
        code: the program.
        arguments: of the program.
        stdin: standard input of the program.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=stdin,
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def from_go(module: str, version: str) -> Path:
    """Return a folder with the program of a Go module at a version."""
    go = shutil.which("go")
    if go is None:
        missing(f"needed: Go, for {module}. found: none. do: install golang, 1.24 or later")
    return _fetched(f"{module.replace('/', '+')}-{version}", [go, "install", f"{module}@{version}"], [], "GOBIN")


def _fetched(name: str, command: list[str], arguments: list[str], option: str) -> Path:
    """Fetch a tool into a temporary folder and rename it, so that a killed test leaves no partial tool."""
    folder = TOOLS / name
    if folder.exists():
        return folder
    TOOLS.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=TOOLS))
    environment = dict(os.environ)
    if option == "GOBIN":
        environment["GOBIN"] = str(temporary)
    else:
        arguments = [*arguments, option, str(temporary)]
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        shutil.rmtree(temporary)
        missing(f"needed: {name}. found: {done.stderr.strip()[-300:]}")
    if folder.exists():  # another run was quicker
        shutil.rmtree(temporary)
    else:
        temporary.rename(folder)
    return folder
