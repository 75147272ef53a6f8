"""The shell of someone who follows a tutorial."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.pages import Reader

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "docs" / "get-started"
# What servers of several projects can share, so that they needn't download or make it.
SHARED = ("jars", "cds")


def reader(folder: Path, programs: Path, replaced: Mapping[str, str] | None = None, **environment: str) -> Reader:
    """Return a reader with the programs of an environment on PATH, and none of this process's settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DBT_", "PENSTOCK_", "VIRTUAL_ENV")) and (name != "PYTHONPATH" or is_checkout(programs))
    }
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    plain = {"NO_COLOR": "1", "DBT_USE_COLORS": "false", "COLUMNS": "200"}
    return Reader(folder, {**kept, "PATH": path, **plain, **environment}, replaced)


def is_checkout(programs: Path) -> bool:
    """Return whether these are the programs of the environment that runs the tests."""
    return programs == Path(sys.executable).parent


def init(command: str, project: str) -> str:
    """Return a `penstock init` command whose project uses the checkout's jars, and a server of fixed size."""
    links = "".join(f" && ln -s {ROOT / '.penstock' / name} {project}/.penstock/{name}" for name in SHARED)
    made = "".join(f" {ROOT / '.penstock' / name}" for name in SHARED)
    memory = f"sed -i 's/memory: auto/memory: 2g/' {project}/penstock.yml"
    return f"{command} && mkdir -p{made} && mkdir -m 700 {project}/.penstock{links} && {memory}"
