"""One side of bench/against.py: a copy of the project, and the steps on it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from against_copy import CHECKOUT, copy_checkout, copy_commit, environment
from against_cpu import Sampler
from against_results import Cost

BUILD = ("dbt", "build", "--exclude", "tag:ml")
RUN = ("dbt", "run", "--exclude", "tag:ml")
TEST = ("dbt", "test", "--exclude", "tag:ml")
MONTH = "2023-05"
# What a round changes; `penstock down` leaves the rest of the state.
DATA = ("lake", "warehouse", "target", "registry", ".penstock/metastore_db")
# Files that don't decide what is built: other ones make the prepared tables stale.
BESIDE = {*DATA, ".penstock", ".venv", "logs", "bench", "docs", "penstock.yml", "CHANGELOG.md", "README.md", "Makefile"}
PORTS = ("thrift", "connect", "ui", "metastore")
# dbt writes it for each statement that it sends.
SENT = re.compile(r"^\S+ \[debug\] \[[^\]]*\]: Using \w+ connection ", re.MULTILINE)


def statements(logs: str) -> int:
    """How many statements dbt sent, by its debug log."""
    return len(SENT.findall(logs))


def free_ports() -> dict[str, int]:
    """Ports for a server, far from the usual ones, which other servers that start now take."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        return {name: item.getsockname()[1] for name, item in zip(PORTS, sockets, strict=True)}


def merged(
    settings: Mapping[str, Any], ports: Mapping[str, int], java_options: str = "", spark_conf: Sequence[str] = ()
) -> dict[str, Any]:
    """penstock.yml with its ports, more options of the Spark JVM and more Spark settings (`key=value`)."""
    server = {**(settings.get("server") or {}), "ports": dict(ports)}
    if java_options:
        server["java_options"] = [*(server.get("java_options") or ()), *shlex.split(java_options)]
    if spark_conf:
        server["spark_conf"] = {**(server.get("spark_conf") or {}), **dict(item.split("=", 1) for item in spark_conf)}
    return {**settings, "server": server}


class Side:
    """A copy of the project in a folder of its own.

    Args:
        name: the commit, or CHECKOUT.
        folder: made when it isn't there; tables that are there and were built from the same files are used again.
        packages: folder of an environment whose packages are used instead of the ones chosen.
    """

    def __init__(self, name: str, folder: Path, packages: Path | None = None) -> None:
        self.name, self.folder = name, folder / "project"
        self.prepared, self.logs = folder / "prepared", folder / "logs"
        shutil.rmtree(self.logs, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._clear()
        copy_checkout(self.folder) if name == CHECKOUT else copy_commit(name, self.folder)
        self.bin = environment(name, self.folder, folder / "environment", packages)

    def _clear(self) -> None:
        """Drop an earlier copy's files, but not its tables and its server's state."""
        for path in self.folder.iterdir():
            if path.name not in (*DATA, ".penstock", ".venv"):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def configure(self, java_options: str = "", spark_conf: Sequence[str] = ()) -> None:
        """Put free ports and options of the server into the copy's penstock.yml."""
        path = self.folder / "penstock.yml"
        settings = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump(merged(settings, free_ports(), java_options, spark_conf)))

    def _files(self) -> str:
        """A hash of the files that decide what is built."""
        found = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if path.is_file() and name.parts[0] not in BESIDE and "__pycache__" not in name.parts:
                found.update(f"{name}\0".encode() + path.read_bytes())
        return found.hexdigest()

    def command(self, *command: str, logs: Path | None = None) -> tuple[float, float]:
        """Run a command in the copy: wall seconds, and CPU seconds of the command itself.

        The server is detached, so that it isn't among the command's children. Ends the bench when it fails.

        Args:
            logs: folder of dbt's log.
        """
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DBT_", "PENSTOCK_", "PYTHON"))}
        variables = {**kept, "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}
        variables |= {"DBT_LOG_PATH": str(logs or self.logs / "other"), "DBT_LOG_LEVEL_FILE": "debug"}
        begin = time.monotonic()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [str(self.bin / command[0]), *command[1:]],
                cwd=self.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:  # on SIGTERM too: the command ends before its server
                process.terminate()
                process.wait()
                raise
            process.returncode = os.waitstatus_to_exitcode(status)
            if status:
                output.seek(0)
                sys.exit(f"{self.name}: {' '.join(command)} failed:\n{output.read().decode()[-3000:]}")
        return time.monotonic() - begin, usage.ru_utime + usage.ru_stime

    def prepare(self, rows: int) -> None:
        """Land the sample, build everything once, stop the server, keep what is there for every round."""
        stamp, wanted = self.prepared / "stamp", f"{self._files()} {rows}"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        print(f"{self.name}: sample of {rows:,} rows, first build", flush=True)
        for name in DATA:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        try:
            self.command("penstock", "sample", "--rows", str(rows))
            self.command(*BUILD)
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
        """Stop the server when it is up."""
        self.command("penstock", "down")

    def measure(self, builds: int, wanted: Sequence[str], month_rows: int) -> Iterator[tuple[str, Cost]]:
        """The steps one after another, on a server that the first one starts and that is stopped at the end."""
        self._copy(self.prepared, self.folder)
        commands = {f"build {number}": BUILD for number in range(1, builds + 1)}
        commands |= {name: command for name, command in (("test", TEST), ("run", RUN)) if name in wanted}
        try:
            for step, command in commands.items():
                yield step, self._step(step, command)
            if "month" in wanted:
                services = [word for name in ("green", "yellow") for word in ("--dataset", name)]
                self.command("penstock", "sample", *services, "--months", MONTH, "--rows", str(month_rows))
                cost = self._step("month", RUN)
                if not cost.built:
                    sys.exit(f"needed: {MONTH} built. found: `dbt run` built no interval. do: see {self.logs}")
                yield "month", cost
        finally:
            self.down()

    def _step(self, step: str, command: Sequence[str]) -> Cost:
        logs = self.logs / step.replace(" ", "-")
        shutil.rmtree(logs, ignore_errors=True)
        with Sampler(self.folder) as sampler:
            wall, client = self.command(*command, logs=logs)
            sampler.settle()
        sent = sum(statements(path.read_text(errors="replace")) for path in logs.glob("dbt.log*"))
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        built = sum(str(item["message"]).startswith("built") for item in results)
        processes = {**sampler.by_process(), "dbt": client}
        return Cost(wall, processes, sampler.by_thread(), sent, len(results), built)
