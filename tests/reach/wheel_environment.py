"""An environment with the wheel and its locked dependencies, as someone has who installed the package."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 900
UV = Path(sysconfig.get_path("scripts")) / "uv"
# What servers of several projects can share, so that they needn't download or make it.
JARS = ("jars", "cds")


def run(folder: Path, *command: object) -> str:
    """Return the output of a command of someone who has only the wheel. Fails when the command does."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_", "PYTHONPATH", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def share_jars(project: Path) -> None:
    """Let a project's server use the jars and class-data archives of the checkout, where the checkout has them."""
    (project / ".penstock").mkdir(mode=0o700, exist_ok=True)
    for shared in JARS:
        if (ROOT / ".penstock" / shared).exists():
            (project / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, as `make dist` does."""
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT, UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder)
    [made] = folder.glob("dbt_penstock-*.whl")
    return made


def install(folder: Path, *requirements: object, lock: str = "requirements.lock") -> Path:
    """Install packages into a new environment, and return the folder of its programs.

    Args:
        folder: the folder of the environment.
        requirements: the packages, as pip takes them.
        lock: the file with the versions of their dependencies.
    """
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from bootstrap import uv_variables
    finally:
        sys.path.remove(str(ROOT / "tools"))
    run(folder, UV, "venv", "--quiet", "--python", sys.executable, folder / "env")
    command = (UV, "pip", "install", "--quiet", "--python", folder / "env" / "bin" / "python", *requirements)
    done = subprocess.run(
        [str(word) for word in (*command, "--constraints", ROOT / lock)],
        env=uv_variables(sys.executable, folder),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return folder / "env" / "bin"


@pytest.fixture(scope="session")
def bin_(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment into which the wheel is installed, its dependencies in the locked versions."""
    return install(tmp_path_factory.mktemp("wheel"), wheel)
