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

from penstock.config.settings import Settings, load
from penstock.report import warehouse_query
from penstock.spark.server import warm_up
from tests.support import forked_commands

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    *("dbt_project.yml", "lake.yml", "models", "python_models", "macros", "seeds", "profiles", "tests/data"),
    *("snapshots", "analyses", "selectors.yml"),
)
TIMEOUT = 900


@dataclass(frozen=True)
class Project:
    """A copy of the dbt project with a lake, a warehouse and a server of its own."""

    root: Path

    @property
    def settings(self) -> Settings:
        """What its penstock.yml says."""
        return load(self.root)

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": path, "NO_COLOR": "1", "COLUMNS": "200", **more}

    def _run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )

    def dbt(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run dbt in the project's folder; both streams are in `stdout`."""
        return forked_commands.run(
            "dbt", self.root, self._environment(environment), ["--no-use-colors", *arguments], TIMEOUT
        )

    def penstock(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run penstock in the project's folder; both streams are in `stdout`."""
        return forked_commands.run("penstock", self.root, self._environment(environment), list(arguments), TIMEOUT)

    def start(self, program: str, *arguments: str, **environment: str) -> forked_commands.Started:
        """Start dbt or penstock beside the test, to be waited for or killed."""
        options = ["--no-use-colors"] if program == "dbt" else []
        return forked_commands.start(program, self.root, self._environment(environment), [*options, *arguments])

    def program(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run any program in the project's folder, this environment's programs on its path."""
        return self._run(*command, **environment)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a statement, over Thrift, on the server that is up."""
        return warehouse_query.run_query(self.settings, query)


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


def small_project(
    root: Path,
    files: dict[str, str],
    profile: dict[str, Any] | None = None,
    host: Project | None = None,
    **server: Any,
) -> Project:
    """A dbt project of a few files, without a lake, on a small server of its own or on another project's.

    Args:
        root: its folder.
        files: text by path, `models/a.sql` for one.
        profile: keys of the target, put over type, schema `small`, 2 threads, and no plan kept.
        host: the project whose server and warehouse it has; it begins without a table.
        server: keys of `server` in penstock.yml; its statements are interpreted unless `spark_conf` says otherwise.
    """
    root.mkdir(parents=True, exist_ok=True)
    target = {"type": "penstock", "schema": "small", "threads": 2, "keep_plans": False, **(profile or {})}
    given = {
        "dbt_project.yml": "name: small\nversion: 1.0.0\nprofile: small\nflags: {send_anonymous_usage_stats: false}\n",
        "profiles.yml": yaml.safe_dump({"small": {"target": "dev", "outputs": {"dev": target}}}),
        **files,
    }
    for path, text in given.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    if host is None:
        conf = {**INTERPRETED, **server.pop("spark_conf", {})}
        return _with_server(root, {"memory": "2g", "spark_conf": conf, **server})
    there = host.settings
    shared = yaml.safe_load((host.root / "penstock.yml").read_text())  # whichever project starts it again
    shared |= {"state": str(there.state_dir), "warehouse": str(there.warehouse_dir)}
    (root / "penstock.yml").write_text(yaml.safe_dump(shared))
    assert host.penstock("up").returncode == 0
    for (schema,) in host.sql("show schemas"):
        if schema not in ("default", warm_up.SCHEMA):  # the server drops its own in its own time
            host.sql(f"drop schema {schema} cascade")
    return Project(root)


def make_project(root: Path, ml: bool = False, **server: Any) -> Project:
    """A copy of the checkout's own project files.

    Args:
        root: its folder.
        ml: whether dbt commands that select nothing build what learns too, which takes minutes.
        server: keys of `server` in penstock.yml.
    """
    root.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source, target = ROOT / part, root / part
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    (root / "profiles.yml").symlink_to("profiles/profiles.yml")
    if ml:
        (root / "selectors.yml").unlink()
    return _with_server(root, {"memory": "3g", **server})


# A test's server lives for minutes on small tables: what Java's second compiler gains comes too late.
QUICK = "-XX:TieredStopAtLevel=1"
# The same goes for the Java that Spark writes and compiles for each statement: a quarter of a small suite's time.
# Its rows are few: what would keep a part of an expression for another part empties its table once a row.
INTERPRETED = {
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.subexpressionElimination.enabled": False,
}
# Spark's own way, where plans are read: what is compiled together stands in them.
COMPILED = {
    "spark.sql.codegen.wholeStage": True,
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.subexpressionElimination.enabled": True,
}
# Executors and drivers of their own live for seconds: one thread collects, and room for classes doesn't grow in steps.
BRIEF = f"{QUICK} -XX:+UseSerialGC -XX:MetaspaceSize=256m"


def _with_server(root: Path, server: dict[str, Any]) -> Project:
    """Settings of a server; jars and class-data archives are shared with the checkout's."""
    (root / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": {"java_options": [QUICK], **server}}))
    for shared in ("jars", "cds"):
        (ROOT / ".penstock" / shared).mkdir(parents=True, exist_ok=True)
        (root / ".penstock").mkdir(exist_ok=True)
        (root / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)
    return Project(root)
