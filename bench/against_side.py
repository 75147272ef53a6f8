"""One side of bench/against.py: a copy of the project, and the steps that are measured on it."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shlex
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bench.against_copies import CHECKOUT, copy_checkout, copy_commit, make_environment
from bench.against_tables import Cost
from bench.measure import DROPPED, Finished, run_command
from bench.projects import node_results, sample_command
from bench.threads import ServerSampler

BUILD = ("dbt", "build", "--exclude", "tag:ml")
RUN = ("dbt", "run", "--exclude", "tag:ml")
TEST = ("dbt", "test", "--exclude", "tag:ml")
MONTH = "2023-05"
# The folders that a round changes. `penstock down` changes nothing else in the state folder.
DATA = ("lake", "warehouse", "target", "registry", ".penstock/metastore_db")
# Files that don't affect the tables. If any other file changes, the prepared tables are stale.
IRRELEVANT = {*DATA, ".penstock", ".venv", "logs", "bench", "docs", "penstock.yml"}
IRRELEVANT |= {"CHANGELOG.md", "README.md", "Makefile"}
PORTS = ("thrift", "connect", "ui", "metastore")
# dbt logs this line for each statement that it sends.
SENT = re.compile(r"^\S+ \[debug\] \[[^\]]*\]: Using \w+ connection ", re.MULTILINE)


def count_statements(log: str) -> int:
    """Return the number of statements in dbt's debug log."""
    return len(SENT.findall(log))


def free_ports() -> dict[str, int]:
    """Return free ports for a server. Default ports are avoided, because a server that starts now may take them."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        return {name: item.getsockname()[1] for name, item in zip(PORTS, sockets, strict=True)}


def merge_settings(
    settings: Mapping[str, Any], ports: Mapping[str, int], java_options: str = "", spark_conf: Sequence[str] = ()
) -> dict[str, Any]:
    """Return penstock.yml with other ports, more options of the Spark JVM and more Spark settings (`key=value`)."""
    server = {**(settings.get("server") or {}), "ports": dict(ports)}
    if java_options:
        server["java_options"] = [*(server.get("java_options") or ()), *shlex.split(java_options)]
    if spark_conf:
        server["spark_conf"] = {**(server.get("spark_conf") or {}), **dict(item.split("=", 1) for item in spark_conf)}
    return {**settings, "server": server}


class Side:
    """A copy of the project in a separate folder.

    Args:
        name: the commit, or CHECKOUT.
        folder: the copy's folder, created if missing. Tables that were built there from the same files are reused.
        packages: folder of the environment whose packages the copy uses; None to choose one by the lock.
    """

    def __init__(self, name: str, folder: Path, packages: Path | None = None) -> None:
        self.name, self.folder = name, folder / "project"
        self.prepared, self.logs = folder / "prepared", folder / "logs"
        shutil.rmtree(self.logs, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove_files()
        copy_checkout(self.folder) if name == CHECKOUT else copy_commit(name, self.folder)
        self.bin = make_environment(name, self.folder, folder / "environment", packages)

    def _remove_files(self) -> None:
        """Remove the files of an earlier copy, except its tables and its server's state."""
        for path in self.folder.iterdir():
            if path.name not in (*DATA, ".penstock", ".venv"):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def configure(self, java_options: str = "", spark_conf: Sequence[str] = ()) -> None:
        """Write free ports and options of the server into the copy's penstock.yml."""
        path = self.folder / "penstock.yml"
        settings = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump(merge_settings(settings, free_ports(), java_options, spark_conf)))

    def _fingerprint(self) -> str:
        """Return a hash of the files that the tables depend on."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if path.is_file() and name.parts[0] not in IRRELEVANT and "__pycache__" not in name.parts:
                digest.update(f"{name}\0".encode() + path.read_bytes())
        return digest.hexdigest()

    def run(self, *command: str, logs: Path | None = None) -> Finished:
        """Run a command in the copy and end the benchmark if it fails. dbt logs to the folder `logs`, if given."""
        variables = {"DBT_LOG_PATH": str(logs or self.logs / "other"), "DBT_LOG_LEVEL_FILE": "debug"}
        return run_command(command, self.folder, self.bin, variables, (*DROPPED, "PYTHON"))

    def prepare(self, rows: int) -> None:
        """Land the sample, build everything once, stop the server, and save the data that each round restores."""
        stamp, wanted = self.prepared / "stamp", f"{self._fingerprint()} {rows}"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        print(f"{self.name}: sample of {rows:,} rows, first build", flush=True)
        for name in DATA:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        try:
            self.run("penstock", "sample", "--rows", str(rows))
            self.run(*BUILD)
        finally:
            self.down()
        shutil.rmtree(self.prepared, ignore_errors=True)
        self._copy(self.folder, self.prepared)
        stamp.write_text(wanted)

    def _copy(self, source: Path, target: Path) -> None:
        for name in DATA:
            shutil.rmtree(target / name, ignore_errors=True)
            if (source / name).exists():
                shutil.copytree(source / name, target / name)

    def down(self) -> None:
        """Stop the server if it runs."""
        self.run("penstock", "down")

    def measure(self, builds: int, wanted: Sequence[str], month_rows: int) -> Iterator[tuple[str, Cost]]:
        """Yield the cost of each step. The first step starts the server, and the end of the last one stops it."""
        self._copy(self.prepared, self.folder)
        commands = {f"build {number}": BUILD for number in range(1, builds + 1)}
        commands |= {name: command for name, command in (("test", TEST), ("run", RUN)) if name in wanted}
        try:
            for step, command in commands.items():
                yield step, self._step(step, command)
            if "month" in wanted:
                self.run(*sample_command(MONTH, month_rows))
                cost = self._step("month", RUN)
                if not cost.built:
                    sys.exit(f"needed: {MONTH} built. found: `dbt run` built no interval. do: see {self.logs}")
                yield "month", cost
        finally:
            self.down()

    def _step(self, step: str, command: Sequence[str]) -> Cost:
        logs = self.logs / step.replace(" ", "-")
        shutil.rmtree(logs, ignore_errors=True)
        with ServerSampler(self.folder) as sampler:
            finished = self.run(*command, logs=logs)
            sampler.wait_until_idle()
        statements = sum(count_statements(path.read_text(errors="replace")) for path in logs.glob("dbt.log*"))
        results = node_results(self.folder)
        built = sum(str(item["message"]).startswith("built") for item in results)
        processes = {**sampler.by_process(), "dbt": finished.cpu}
        return Cost(finished.wall, processes, sampler.by_thread(), statements, len(results), built)
