"""Projects to test on: the checkout's own files copied to a folder aside, each with a real server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from penstock import summary
from penstock.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    *("dbt_project.yml", "lake.yml", "models", "python_models", "macros", "seeds", "profiles", "tests/data"),
    *("snapshots", "analyses"),
)
TIMEOUT = 540


@dataclass(frozen=True)
class Project:
    """A copy of the dbt project with a lake, a warehouse and a server of its own."""

    root: Path

    @property
    def settings(self) -> Settings:
        """What its penstock.yml says."""
        return load(self.root)

    def _run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=self.root,
            env={**kept, "PATH": path, "NO_COLOR": "1", "COLUMNS": "200", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )

    def dbt(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run dbt in the project's folder; both streams are in `stdout`."""
        return self._run("dbt", "--no-use-colors", *arguments, **environment)

    def penstock(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run penstock in the project's folder; both streams are in `stdout`."""
        return self._run("penstock", *arguments, **environment)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a statement, over Thrift, on the server that is up."""
        return summary.query(self.settings, query)


@contextmanager
def edited(path: Path, text: str) -> Iterator[None]:
    """A file with another text for a while, made when it wasn't there; then as it was before."""
    before = path.read_text() if path.exists() else None
    path.write_text(text)
    try:
        yield
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)


def make_project(root: Path, **server: Any) -> Project:
    """Copy the project's files; jars and class-data archives are shared with the checkout's."""
    root.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source, target = ROOT / part, root / part
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    (root / "profiles.yml").symlink_to("profiles/profiles.yml")
    (root / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": {"memory": "3g", **server}}))
    for shared in ("jars", "cds"):
        (ROOT / ".penstock" / shared).mkdir(parents=True, exist_ok=True)
        (root / ".penstock").mkdir(exist_ok=True)
        (root / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)
    return Project(root)
