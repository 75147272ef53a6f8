"""The tutorial "From one laptop to a cluster", from its first command to its last."""

from __future__ import annotations

import re
from pathlib import Path

from penstock.spark import object_stores
from tests.reach.emulators import DELTA, require_packages
from tests.reach.processes import free_port
from tests.reach.wheel_environment import install
from tests.support.pages import Command, steps
from tests.tutorials import shell

PAGE = (shell.TUTORIALS / "from-laptop-to-cluster.md").read_text()
# The test does this itself, with the wheel of the checkout.
INSTALLATION = {
    "python3 -m venv .venv && . .venv/bin/activate": "true",
    'pip install "dbt-penstock[java,s3]" "moto[server]"': "true",
}
INIT = "penstock init trips --template trips"
# Ports of the master and of the store on the page. Other programs of this machine may use them.
PORTS = ("7077", "9000")
# Settings of the page, and the same with limits that are long enough for a busy machine.
PATIENT = {
    "server:\n  memory: 2g\n": "server:\n  memory: 2g\n  start_seconds: 900\n",
    "memory: 1g}": "memory: 1g, wait_seconds: 600}",
}
STOP = (
    "penstock down",
    "penstock down --target cluster",
    "penstock down --target store",
    "penstock cluster down",
    # After the store has ended, another process may have its id.
    'ps -p "${STORE:-0}" -o args= | grep -q moto_server && kill "$STORE"',
)


def test_the_tutorial_can_be_followed(wheel: Path, tmp_path: Path) -> None:
    require_packages(DELTA, *object_stores.PACKAGES["s3a"])
    packages = (f"dbt-penstock[s3] @ {wheel.as_uri()}", "moto[server]")
    programs = install(tmp_path, *packages, lock="requirements-dev.lock")
    page = PAGE
    for port in PORTS:
        page, replaced = re.subn(rf"\b{port}\b", str(free_port()), page)
        assert replaced > 1
    for shown, used in PATIENT.items():
        assert page.count(shown) > 1
        page = page.replace(shown, used)
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = shell.reader(folder, programs, {**INSTALLATION, INIT: shell.init(INIT, "trips")})
    try:
        reader.follow(page)
    finally:
        reader.follow(f"```console\n$ {'; '.join(STOP)}; true\n```\n")


def test_the_schedule_runs_the_command_that_the_reader_types() -> None:
    """The reader doesn't wait for cron. The line must do the same."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith("0 6 * * * "))
    command = line[line.index("flock ") :]
    typed = [step.text for step in steps(PAGE) if isinstance(step, Command)]
    assert typed.count(command) == 3
