"""Create projects for tests: copies of the checkout's dbt project, or small projects. Their servers are real."""

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
    """A dbt project in its own folder, with its own server or a server that it shares."""

    root: Path

    @property
    def settings(self) -> Settings:
        """The settings of its penstock.yml."""
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
        """Run dbt in the project's folder. `stdout` also has standard error."""
        return forked_commands.run(
            "dbt", self.root, self._environment(environment), ["--no-use-colors", *arguments], TIMEOUT
        )

    def penstock(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run penstock in the project's folder. `stdout` also has standard error."""
        return forked_commands.run("penstock", self.root, self._environment(environment), list(arguments), TIMEOUT)

    def start(self, program: str, *arguments: str, **environment: str) -> forked_commands.Started:
        """Start dbt or penstock while the test goes on. The test waits for the command or kills it."""
        options = ["--no-use-colors"] if program == "dbt" else []
        return forked_commands.start(program, self.root, self._environment(environment), [*options, *arguments])

    def program(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run any program in the project's folder, with this environment's programs on PATH."""
        return self._run(*command, **environment)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Run a statement over Thrift on the running server, and return its rows."""
        return warehouse_query.run_query(self.settings, query)


@contextmanager
def edited(path: Path, text: str) -> Iterator[None]:
    """Replace a file's text inside a `with` block. Afterwards, restore the file, or remove it if it didn't exist."""
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
    """Write a dbt project of a few files, without a lake. It has its own small server or uses another project's.

    Args:
        root: folder of the project.
        files: text by path, for example `models/a.sql`.
        profile: keys of the target that override type, schema `small`, 2 threads, and no captured plans.
        host: the project whose server and warehouse this project shares. All schemas there are dropped first.
        server: keys of `server` in penstock.yml. Without the key `spark_conf`, statements run without generated code.
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
    shared = yaml.safe_load((host.root / "penstock.yml").read_text())  # either project may restart the server
    shared |= {"state": str(there.state_dir), "warehouse": str(there.warehouse_dir)}
    (root / "penstock.yml").write_text(yaml.safe_dump(shared))
    assert host.penstock("up").returncode == 0
    for (schema,) in host.sql("show schemas"):
        if schema not in ("default", warm_up.SCHEMA):  # the server itself drops its schema later
            host.sql(f"drop schema {schema} cascade")
    return Project(root)


def make_project(root: Path, ml: bool = False, **server: Any) -> Project:
    """Copy the checkout's dbt project.

    Args:
        root: folder of the copy.
        ml: whether dbt commands without a selection also build the machine learning models, which takes minutes.
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


# A test's server runs for minutes on small tables. Java's second compiler would cost more time than it saves.
QUICK = "-XX:TieredStopAtLevel=1"
# The Java code that Spark generates for each statement also costs more than it saves: a quarter of a suite's time.
# Without generated code, Spark clears its cache of common subexpressions for every row, so the cache is disabled too.
INTERPRETED = {
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.subexpressionElimination.enabled": False,
}
# Spark's defaults, for tests that check plans, because a plan shows the stages of generated code.
COMPILED = {
    "spark.sql.codegen.wholeStage": True,
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.subexpressionElimination.enabled": True,
}
# Executors and separate drivers run for seconds. One garbage collection thread and a metaspace of final size suffice.
BRIEF = f"{QUICK} -XX:+UseSerialGC -XX:MetaspaceSize=256m"


def _with_server(root: Path, server: dict[str, Any]) -> Project:
    """Write the settings of a server that shares jars and class-data archives with the checkout."""
    (root / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": {"java_options": [QUICK], **server}}))
    for shared in ("jars", "cds"):
        (ROOT / ".penstock" / shared).mkdir(parents=True, exist_ok=True)
        (root / ".penstock").mkdir(exist_ok=True)
        (root / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)
    return Project(root)
