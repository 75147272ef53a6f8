"""Checks of this machine for `penstock doctor`: Python, packages, Java, memory, disk, ports, server, access."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psutil

from penstock.config import dbt_credentials
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark import iceberg_catalogs, java, ports
from penstock.spark.access import exposure
from penstock.spark.server import configuration, control, record

GIBIBYTE = 2**30
NEEDED_FREE_DISK = 5 * GIBIBYTE
PACKAGES = ("dbt-core", "dbt-spark", "pyspark", "pyarrow", "pandas", "grpcio")


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        level: `bad` if the server can't start, `warn` if it may fail, otherwise `ok`.
        subject: the name of the check.
        found: the state that the check found.
        do: what to change; empty if nothing needs to change.
        entry: the anchor of the problem's entry in docs/how-to/troubleshooting.md; empty if it has none.
    """

    level: Literal["ok", "warn", "bad"]
    subject: str
    found: str
    do: str = ""
    entry: str = ""


def _java(settings: Settings) -> Finding:
    try:
        found = java.find(settings.server.java_home)
        home = os.environ.get("JAVA_HOME")
        if home and not settings.server.java_home and java.inspect(Path(home)) is None:
            return Finding("warn", "Java", f"{found}; JAVA_HOME names {home}, which has no Java", "correct JAVA_HOME")
        return Finding("ok", "Java", str(found))
    except PenstockError as error:
        return Finding("bad", "Java", error.found, error.do, error.entry)


def _python() -> Finding:
    number = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if (3, 10) <= sys.version_info[:2] <= (3, 14):
        return Finding("ok", "Python", number)
    return Finding("bad", "Python", number, "use Python 3.10 to 3.14, then `make clean-venv run`")


def _packages() -> Finding:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("bad", "packages", f"missing {', '.join(missing)}", "run `make venv`")
    if int(version("pandas").split(".")[0]) >= 3:
        return Finding(
            "bad", "packages", f"pandas {version('pandas')}", "pip install 'pandas<3' (pandas-on-Spark fails)"
        )
    return Finding("ok", "packages", ", ".join(found))


def _memory(settings: Settings) -> Finding:
    heap = configuration.heap(settings)
    needed = int(heap[:-1]) * {"m": 2**20, "g": GIBIBYTE}[heap[-1]] + GIBIBYTE
    free = psutil.virtual_memory().available
    text = f"{free / GIBIBYTE:.1f} GiB free, the server may take {needed / GIBIBYTE:.1f}"
    if needed > free and control.current(settings) is None:
        do = "set server.memory in penstock.yml, or end other programs"
        return Finding("warn", "memory", text, do, entry="the-server-doesnt-start")
    return Finding("ok", "memory", text)


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.root).free
    text = f"{free / GIBIBYTE:.1f} GiB free"
    if free < NEEDED_FREE_DISK:
        do = "free some; `penstock clean` removes superseded lake files"
        return Finding("warn", "disk", text, do, entry="no-space-left-on-device")
    return Finding("ok", "disk", text)


def _ports(settings: Settings) -> Finding:
    taken = [f"{name} {port}" for name, port in settings.server.ports if not ports.is_free(port)]
    if not taken or control.current(settings):
        return Finding("ok", "ports", "free" if not taken else "the server's own")
    return Finding("ok", "ports", f"others use {', '.join(taken)}; the server will take the next free ports")


def _profile(settings: Settings) -> Finding:
    if not (settings.root / "dbt_project.yml").exists():
        return Finding(
            "warn", "dbt project", f"none in {settings.root}", "go to the project, or see `penstock init --help`"
        )
    try:
        profile = dbt_credentials.load_profile(settings.root, settings.target)
    except PenstockError as error:
        return Finding("bad", "profile", error.found, error.do, error.entry)
    target = f"target {profile.target_name} of profile {profile.profile_name}"
    if profile.credentials.type != "penstock":
        do = "see `penstock init --here --help`"
        return Finding("warn", "profile", f"{target} has type {profile.credentials.type}", do)
    return Finding("ok", "profile", target)


def _server(settings: Settings) -> Finding:
    running = control.current(settings)
    if running:
        return Finding("ok", "server", f"up, Spark UI at {running.ui}" if running.ui else "up, Spark UI off")
    if left := record.read(settings):
        ended = sum(process.handle() is None for process in left.processes)
        if left.state == record.STARTING and not ended:
            return Finding("ok", "server", "starting")
        found, do = f"{ended} of its processes died", "`penstock up` replaces it; logs in .penstock/logs"
        return Finding("warn", "server", found, do, entry="the-server-doesnt-start")
    return Finding("ok", "server", "down; any dbt command that runs SQL starts it")


def _exposures(settings: Settings) -> list[Finding]:
    do = 'see "Who can reach the server" in the docs'
    return [Finding("warn", "open", text, do) for text in exposure.list_exposures(settings)]


def _catalogs(settings: Settings) -> list[Finding]:
    """Return a result for each catalog. If a catalog doesn't answer, the server starts, but can't use the catalog."""
    findings = []
    for name, catalog in settings.server.catalogs.items():
        subject, text = f"catalog {name}", iceberg_catalogs.describe(catalog)
        address = urlsplit(catalog.uri or "")
        port = address.port or {"http": 80, "https": 443, "thrift": 9083}.get(address.scheme, 0)
        if address.hostname and not ports.answers(port, address.hostname, ports.NETWORK_SECONDS):
            do = f"start it, or correct server.catalogs.{name}.uri in penstock.yml"
            findings.append(Finding("warn", subject, f"{text}: no answer", do))
        else:
            findings.append(Finding("ok", subject, text))
    return findings


def examine(settings: Settings) -> list[Finding]:
    """Run all checks and return their results. Later checks depend on earlier ones."""
    return [
        _python(),
        _packages(),
        _java(settings),
        _profile(settings),
        _memory(settings),
        _disk(settings),
        _ports(settings),
        _server(settings),
        *_catalogs(settings),
        *_exposures(settings),
    ]
