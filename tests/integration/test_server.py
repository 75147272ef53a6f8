"""The server's life: one start for all who ask, loopback only, replaced when killed, gone when told."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from penstock.spark.server import control
from penstock.spark.server.record import Record, read
from tests.support.polling import wait_until
from tests.support.projects import Project, make_project


def server_of(project: Project) -> Record:
    """The server that is up."""
    found = control.current(project.settings)
    assert found is not None
    return found


def test_life_of_a_server(project: Project) -> None:
    """Two starts at once, a taken port, loopback only, a kill, a stop: one life, told in order."""
    assert project.penstock("status").returncode == 1
    with socket.socket() as squatter:
        # The first preferred port that is free is taken by someone else while the server starts.
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken = next(p for p in range(project.settings.server.ports.thrift, 10100) if _bind(squatter, p))
        squatter.listen()
        with ThreadPoolExecutor(2) as pool:
            starts = [pool.submit(project.penstock, "up") for _ in range(2)]
            outputs = [start.result() for start in starts]
        assert [o.returncode for o in outputs] == [0, 0], outputs
        first = server_of(project)
        assert first.ports.thrift != taken
        assert all(f"127.0.0.1:{first.ports.thrift}" in o.stdout for o in outputs)

    again = project.penstock("up")
    assert "already up" in again.stdout
    assert server_of(project) == first

    listening = []
    for process in first.processes:
        for connection in psutil.Process(process.pid).net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                listening.append(connection.laddr.ip)
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}

    status = project.penstock("status")
    assert status.returncode == 0
    for port in (first.ports.thrift, first.ports.connect, first.ui_port):
        assert str(port) in status.stdout
    assert first.token not in status.stdout

    assert first.spark
    psutil.Process(first.spark.pid).send_signal(signal.SIGKILL)
    shown = project.dbt("show", "--inline", "select 41 + 1 as answer")
    assert shown.returncode == 0, shown.stdout
    assert "42" in shown.stdout
    second = server_of(project)
    assert second.spark != first.spark
    wait_until(lambda: not any(p.handle() for p in first.processes), "the killed server's processes end")

    assert project.penstock("down").returncode == 0
    assert not any(process.handle() for process in second.processes)
    assert read(project.settings) is None
    assert "nothing was up" in project.penstock("down").stdout
    assert project.penstock("status").returncode == 1


def _bind(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


def test_an_idle_server_stops_by_itself(tmp_path: Path) -> None:
    """A connected client keeps it up; without one it goes after the time that is set."""
    project = make_project(tmp_path / "idle", idle_minutes=0.1)
    try:
        started = control.up(project.settings)
        wait_until(lambda: control.current(project.settings) is None, "the idle server's end")
        wait_until(lambda: not any(process.handle() for process in started.processes), "the end of its processes")
        assert "no client for" in (control.log_folder(project.settings) / "supervisor.log").read_text()
    finally:
        control.down(project.settings)


def test_who_starts_a_server_and_what_a_killed_supervisor_leaves(project: Project) -> None:
    """parse, ls and lint start none; two runs at once start one and both pass; `down` ends an orphaned one."""
    assert project.dbt("parse").returncode == 0
    assert "zones" in project.dbt("ls", "--resource-type", "seed").stdout
    lint = subprocess.run(
        [sys.executable, "-m", "sqlfluff", "lint", "models/marts/dim_zones.sql", "--disable-progress-bar"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
    )
    assert lint.returncode == 0, lint.stdout
    assert read(project.settings) is None

    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(project.dbt, "--log-path", f"logs{i}", "seed", "--select", s, "--target-path", f"target{i}")
            for i, s in enumerate(("zones", "vendors"))
        ]
        outputs = [run.result() for run in runs]
    assert [o.returncode for o in outputs] == [0, 0], "\n".join(o.stdout for o in outputs)
    supervised = [p.pid for p in psutil.process_iter(["cmdline"]) if str(project.root) in (p.info["cmdline"] or [])]
    orphan = server_of(project)
    assert supervised == [orphan.supervisor.pid]

    # By its record, the next `down` finds what a server without its supervisor left.
    psutil.Process(orphan.supervisor.pid).send_signal(signal.SIGKILL)
    wait_until(lambda: control.current(project.settings) is None, "no server without its supervisor")
    control.down(project.settings)
    assert not any(process.handle() for process in orphan.processes)
