"""A standalone cluster: what runs on it, and what becomes of a build whose executor, worker or master is killed."""

from __future__ import annotations

import os
import re
import sys
import urllib.error
from pathlib import Path

import psutil
import pytest

from penstock.errors import PenstockError
from penstock.spark import java
from penstock.spark.cluster import nodes, record
from penstock.spark.server import control
from tests.reach.cluster_project import WORKERS, Clustered, end, expected
from tests.reach.processes import free_port
from tests.support import intruder, spark_ui
from tests.support.forked_commands import Started
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import edited, small_project

OTHER_PYTHON = "3.11" if sys.version_info[:2] == (3, 12) else "3.12"


def start(built: Clustered, version: int, slow: str, *words: str) -> Started:
    """A `dbt build` of a version, in the background, one model of it slow."""
    return built.project.start("dbt", "build", "--vars", f"{{slow: {slow}, version: {version}}}", *words)


def finish(built: Clustered, dbt: Started, version: int) -> str:
    """Its end, well or with a clear word; after one more build at most, the rows are a clean run's."""
    output, _ = dbt.communicate(timeout=LIMIT)
    assert "Traceback" not in output, output
    if dbt.returncode:
        assert dbt.returncode == 1 and (
            "needed:" in output or "Database Error" in output or "Runtime Error" in output
        ), output
        again = built.project.dbt("build", "--vars", f"version: {version}")
        assert again.returncode == 0, again.stdout
    assert built.rows() == expected(version)
    return output


@pytest.mark.core
def test_the_build_ran_on_executors(built: Clustered) -> None:
    """SQL, UDFs and the driver's tasks; none of them in the server's own process."""
    assert built.rows() == expected(1)
    tasks = {item["id"]: item["totalTasks"] for item in spark_ui.api(built.project, "allexecutors")}
    assert tasks.pop("driver") == 0
    assert len(tasks) == 2 and all(tasks.values())
    folders = {row[0] for row in built.project.sql("select distinct folder from small.a_udf")}
    work = str(built.project.root / ".penstock" / "cluster-nodes" / "work" / "worker-")
    assert folders and all(folder.startswith(work) for folder in folders)
    finished = [application["name"] for application in built.master()["completedapps"]]
    assert finished == ["model.small.a_driver"]


@pytest.mark.core
def test_commands_say_what_runs_where(built: Clustered) -> None:
    """Master, metastore, executors and their Python; every page on loopback."""
    up = built.project.penstock("up").stdout
    assert f"{built.cluster.address} (2 of 2 executors answered" in up
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]}" in up
    assert "Derby, .penstock/cluster/metastore_db" in up
    status = built.project.penstock("cluster", "status")
    assert status.returncode == 0
    server = control.current(built.project.settings)
    assert server and server.ui in status.stdout
    nodes = built.cluster.nodes
    assert all(node.ui in status.stdout for node in nodes)
    processes = [psutil.Process(node.process.pid) for node in nodes] + built.executors()
    listening = [c for p in processes for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert len(listening) >= 2 * len(nodes)
    assert {c.laddr.ip.removeprefix("::ffff:") for c in listening} == {"127.0.0.1"}


@pytest.mark.core
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_gets_into_no_port(built: Clustered) -> None:
    """Of the master, the workers, the executors with their Python, the server."""
    server = control.current(built.project.settings)
    assert server
    built.project.sql("select 1")
    served = intruder.listening([server.supervisor.pid, *(node.process.pid for node in built.cluster.nodes)])
    own = {port for node in built.cluster.nodes for port in (node.port, node.ui_port)}
    assert own < set(served) and len(served) >= len(own) + len(built.executors()) + 6
    found = intruder.intrude(served)["ports"]
    for port, name in served.items():
        assert not found[str(port)]["through"], (port, name)
        assert found[str(port)]["refused"], f"a port that nobody knows: {port} of {name}"


def test_executors_start_with_the_servers_archive_of_classes(built: Clustered) -> None:
    """The very file is mapped in them; the first server of a checkout is still to write it."""
    given = (built.project.settings.state_dir / "run" / "spark.args").read_text()
    archive = re.search(r'"-XX:SharedArchiveFile=(.+)"', given)
    if archive is None:
        pytest.skip("no archive of classes yet")
    for executor in built.executors():
        assert str(Path(archive[1]).resolve()) in {part.path for part in executor.memory_maps()}


def test_a_target_of_another_server_starts_none_here(built: Clustered) -> None:
    """If nothing answers there, the error says so and no server of this project starts instead."""
    up = built.project.penstock("up", "--target", "far")
    assert up.returncode == 1 and "names a `host` or `connect_url` in profiles.yml" in up.stdout
    batches = built.project.penstock("batches", "--target", "far")
    assert batches.returncode == 1 and "127.0.0.1:1" in batches.stdout
    assert "Traceback" not in batches.stdout
    assert not (built.project.root / ".penstock" / "server.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", "0"), "at least a worker and a core"),
        (("--memory", "lots"), "memory as in 1g"),
        (("--workers", "2", "--memory", "900000g"), "GiB free"),
        (
            ("--workers", "2", "--cores", "1", "--memory", "1400m"),
            "a running cluster with workers of 2 cores",
        ),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(built: Clustered, arguments: tuple[str, ...], message: str) -> None:
    before = built.cluster
    done = built.project.penstock("cluster", "up", *arguments)
    assert done.returncode == 1 and message in done.stdout and "Traceback" not in done.stdout
    assert built.cluster == before


def test_a_python_driver_in_cluster_mode_is_refused_before_it_starts(built: Clustered) -> None:
    """A standalone master takes none; the table stays as it is."""
    model = built.project.root / "models" / "a_driver.py"
    cluster_mode = 'submission_method="spark_submit", deploy_mode="cluster"'
    moved = model.read_text().replace('submission_method="spark_submit"', cluster_mode)
    with edited(model, moved):
        done = built.project.dbt("run", "--select", "a_driver")
    assert done.returncode == 1
    assert "a standalone master takes no Python driver in cluster mode" in " ".join(done.stdout.split())
    assert built.rows() == expected(1)


@pytest.mark.core
def test_a_killed_executor_is_replaced(built: Clustered) -> None:
    """In the middle of a write to a Delta table."""
    dbt = start(built, 2, "a_table")
    spark_ui.wait_for_job(built.project, "a_table", dbt)
    victim = wait_until(built.executors, "an executor")[0]
    victim.kill()
    output = finish(built, dbt, 2)
    assert dbt.returncode == 0, output
    wait_until(lambda: len(built.executors()) == 2, "two executors again")
    assert victim.pid not in [process.pid for process in built.executors()]


@pytest.mark.core
def test_a_killed_worker_is_told_and_started_again_alone(built: Clustered) -> None:
    """In the middle of a UDF over Connect; the other worker goes on, `cluster up` brings the lost one back."""
    dbt = start(built, 3, "a_udf")
    spark_ui.wait_for_job(built.project, "a_udf", dbt)
    before = built.cluster
    psutil.Process(before.workers[1].process.pid).kill()
    wait_until(lambda: built.cluster.dead == ["worker 1"], "the dead worker told")
    status = built.project.penstock("cluster", "status")
    assert status.returncode == 1 and "incomplete" in status.stdout
    up = built.project.penstock("cluster", "up", *WORKERS)
    assert up.returncode == 0 and "started worker 1" in up.stdout, up.stdout
    finish(built, dbt, 3)
    after = built.cluster
    assert (after.master, after.workers[0]) == (before.master, before.workers[0])
    assert after.workers[1].process != before.workers[1].process
    wait_until(lambda: len(built.executors()) == 2, "two executors again")
    assert built.master()["aliveworkers"] == 2


def test_a_killed_master_takes_everything_back(built: Clustered) -> None:
    """While a driver of its own is at work; meanwhile a driver that would start is told so at once."""
    dbt = start(built, 4, "a_driver")
    wait_until(
        lambda: any(one["name"] == "model.small.a_driver" and one["cores"] for one in built.master()["activeapps"]),
        "the driver on the cluster",
    )
    before = built.cluster
    known = {application["id"] for application in built.master()["activeapps"]}
    assert before.master
    psutil.Process(before.master.process.pid).kill()
    wait_until(lambda: built.cluster.dead == ["master"], "the dead master told")
    folders = ("--target-path", "target-other", "--log-path", "logs-other")
    refused = built.project.dbt("run", "--select", "a_driver", *folders)
    assert refused.returncode == 1
    words = " ".join(refused.stdout.split())
    assert f"a master at {before.address}" in words and "`penstock cluster up`" in words
    up = built.project.penstock("cluster", "up", *WORKERS)
    assert up.returncode == 0 and "started master" in up.stdout, up.stdout
    after = built.cluster
    assert after.address == before.address and after.workers == before.workers
    finish(built, dbt, 4)

    def whole() -> bool:
        try:
            state = built.master()
        except (OSError, urllib.error.URLError):
            return False
        # The driver's application has ended in order meanwhile; the server's goes on.
        return state["status"] == "ALIVE" and state["aliveworkers"] == 2 and len(state["activeapps"]) == 1

    wait_until(whole, "workers and the application taken back")
    assert built.master()["activeapps"][0]["id"] in known


def test_a_driver_that_lost_every_executor_says_so(built: Clustered) -> None:
    """Its jobs would wait for ever without their one executor; the table stays, and workers that come back are used."""
    before = built.rows()
    file = built.project.root / "penstock.yml"
    edited_text = (
        file.read_text()
        .replace("count: 2", "count: 1")
        .replace("memory: 600m", "memory: 600m\n        wait_seconds: 5")
    )
    with edited(file, edited_text):
        dbt = start(built, 4, "a_driver", "--select", "a_driver")
        workers = [psutil.Process(node.process.pid) for node in built.cluster.workers.values()]
        wait_until(lambda: len(_executors_of(workers)) == 3, "the server's executors and the driver's")
        for process in workers + _executors_of(workers):
            process.kill()
        output, _ = dbt.communicate(timeout=LIMIT)
    assert dbt.returncode == 1 and "Traceback" not in output, output
    assert f"an executor of 1 cores and 600m from {built.cluster.address}" in output and "none in 5 s" in output, output
    assert built.project.penstock("cluster", "up", *WORKERS).returncode == 0
    wait_until(lambda: len(built.executors()) == 2, "two executors again")
    assert built.rows() == before


def _executors_of(workers: list[psutil.Process]) -> list[psutil.Process]:
    return [process for worker in workers for process in worker.children()]


def test_a_servers_end_is_its_executors_end(built: Clustered) -> None:
    """The cluster goes on without them."""
    executors = [process.pid for process in built.executors()]
    assert len(executors) == 2
    assert built.project.penstock("down").returncode == 0
    wait_until(lambda: not any(map(psutil.pid_exists, executors)), "no executor")
    assert built.project.penstock("cluster", "status").returncode == 0


def test_executors_of_another_python_are_refused(built: Clustered) -> None:
    """Both versions are named, and nothing of the server stays."""
    other = next((Path(place) for place in _pythons()), None)
    if other is None:
        pytest.skip(f"no Python {OTHER_PYTHON} on this machine")
    file = built.project.root / "penstock.yml"
    changed = file.read_text().replace("memory: 600m", f"memory: 600m\n        python: {other}")
    with edited(file, changed):
        up = built.project.penstock("up")
        assert control.current(built.project.settings) is None
    assert up.returncode == 1, up.stdout
    words = " ".join(up.stdout.split())
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]} on the executors" in words
    assert f"found: Python {OTHER_PYTHON}" in words


def _pythons() -> list[str]:
    """Programs of the other version, as version managers and packages place them."""
    places = [Path.home() / ".pyenv" / "versions", Path("/opt/python"), Path("/opt/hostedtoolcache/Python")]
    found = [str(p) for place in places for p in sorted(place.glob(f"{OTHER_PYTHON}*/**/bin/python{OTHER_PYTHON}"))]
    return [*found, *(str(p) for p in [Path(f"/usr/bin/python{OTHER_PYTHON}")] if p.exists())]


def test_a_master_that_cannot_read_what_it_knew_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would listen, and never take a worker."""
    settings = small_project(tmp_path, {}).settings
    monkeypatch.setattr(nodes, "START_SECONDS", 20)
    starter = nodes.Starter(settings, java.find(settings.server.java_home))
    (record.folder(settings) / "recovery" / "CURRENT").write_text("garbage")
    with pytest.raises(PenstockError, match=r"a master that is ready(.|\n)*CURRENT file(.|\n)*cluster down"):
        psutil.Process(starter.start_master(free_port(), free_port()).process.pid).kill()


def test_down_ends_what_was_started_and_no_more(built: Clustered) -> None:
    """Master and workers by their ids; nothing of the project runs afterwards."""
    nodes = [node.process.pid for node in built.cluster.nodes]
    end(built)
    assert not any(map(psutil.pid_exists, nodes))
    root = str(built.project.root)
    left = [p.info for p in psutil.process_iter(["pid", "cmdline"]) if any(root in x for x in p.info["cmdline"] or ())]
    assert left == []
    assert built.project.penstock("cluster", "status").returncode == 1
