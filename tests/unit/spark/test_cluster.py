"""The cluster's record, ports and limits, and targets whose server someone else runs; without a cluster."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from penstock.config import profiles
from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.process import Process
from penstock.spark.access import authentication, secret
from penstock.spark.cluster import control, nodes, other_projects, record
from penstock.spark.cluster.record import Cluster, Node
from penstock.spark.server import control as server
from penstock.storage import private_files

ME = Node(Process.from_pid(os.getpid()), 7077, 8080)
GONE = Node(Process(os.getpid(), 1.0), 7078, 8081)


def test_a_record_is_read_as_written(tmp_path: Path) -> None:
    settings = load(tmp_path)
    record.folder(settings).mkdir(parents=True)
    written = record.write(settings, Cluster(ME, {0: ME, 1: GONE}, 3, 2, "1g"))
    assert record.read(settings) == written
    assert written.address == "spark://127.0.0.1:7077"
    assert written.dead == ["worker 1", "worker 2"] and written.is_running
    record.remove(settings)
    assert record.read(settings) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"master": null}'])
def test_a_damaged_record_is_ignored(tmp_path: Path, text: str) -> None:
    settings = load(tmp_path)
    record.folder(settings).mkdir(parents=True)
    (record.folder(settings) / "cluster.json").write_text(text)
    assert record.read(settings) is None and control.current(settings) is None


def test_a_taken_port_is_skipped() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen: set[int] = set()
        first, second = nodes.free_port(port, chosen), nodes.free_port(port, chosen)
    assert port < first < second and chosen == {first, second}


@pytest.mark.parametrize(
    ("master", "port"), [("local[*]", 7077), ("spark://127.0.0.1:7171", 7171), ("spark://node:7171", 7077)]
)
def test_the_master_gets_the_port_in_the_targets_master(tmp_path: Path, master: str, port: int) -> None:
    (tmp_path / "penstock.yml").write_text(f"server: {{master: '{master}'}}")
    assert control.master_port(load(tmp_path)) == port


@pytest.mark.parametrize(
    ("workers", "cores", "memory", "message"),
    [
        (0, 1, "1g", "a worker and a core"),
        (1, 0, "1g", "a worker and a core"),
        (1, 1, "1", "memory as in 1g"),
        (1, 9999, "1m", "processors"),
        (2, 1, f"{psutil.virtual_memory().total // 2**20}m", "GiB free"),
    ],
)
def test_a_cluster_that_does_not_fit_is_refused(workers: int, cores: int, memory: str, message: str) -> None:
    with pytest.raises(PenstockError, match=message):
        control.check_size(workers, cores, memory)


def test_the_server_of_a_target_with_a_host_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no folder is created."""
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.delenv(profiles.TARGET_VARIABLE, raising=False)
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    outputs = "{own: {type: penstock}, far: {type: penstock, host: node}, empty: {type: penstock, host: }}"
    (tmp_path / "profiles.yml").write_text(f"shop: {{target: own, outputs: {outputs}}}")
    assert profiles.read(tmp_path).remote == {"far"}
    with pytest.raises(PenstockError, match="`far`, which names a `host`"):
        server.up(load(tmp_path, "far"))
    assert not (tmp_path / ".penstock").exists()


def test_a_connect_url_makes_a_target_remote_if_sql_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over Thrift it is only for Python models, and the server is that of `host`."""
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    (tmp_path / "dbt_project.yml").write_text("profile: p\n")
    (tmp_path / "profiles.yml").write_text(
        "p: {target: sql, outputs: {sql: {method: connect, connect_url: 'sc://h'}, python: {connect_url: 'sc://h'}, "
        "own: {method: connect}}}\n"
    )
    assert profiles.read(tmp_path).remote == {"sql"}


def test_the_projects_own_targets_are_as_documented() -> None:
    root = Path(__file__).resolve().parents[3]
    assert profiles.read(root).targets == ("local", "cluster", "remote")
    assert profiles.read(root).remote == {"remote"}
    cluster, local = load(root, "cluster"), load(root, "local")
    assert cluster.server.master.startswith("spark://127.0.0.1:")
    assert (cluster.warehouse_dir, cluster.state_dir) != (local.warehouse_dir, local.state_dir)


def test_another_project_of_the_user_gets_the_clusters_secret(tmp_path: Path) -> None:
    """While the master runs. A cluster that penstock did not start has no secret."""
    first, second = (tmp_path / name for name in ("first", "second"))
    for root in (first, second):
        root.mkdir()
        (root / "penstock.yml").write_text("version: 1")
    folder = record.folder(load(first))
    folder.parent.mkdir()
    work = private_files.make_folder(folder) / "work"
    work.mkdir()
    (folder / secret.FILE).write_text("shared\n")
    expected = {"spark.authenticate": "true", "spark.authenticate.secret": "shared"}
    command = [sys.executable, "-c", "input()", other_projects.MASTER_OPTION]
    with subprocess.Popen(command, cwd=work, stdin=subprocess.PIPE) as running:
        master = Node(Process.from_pid(running.pid), 7199, 8199)
        record.write(load(first), Cluster(master, {}, 1, 1, "1g"))
        for root in (first, second):
            assert authentication.rpc_settings(load(root), "spark://127.0.0.1:7199") == expected
        assert authentication.rpc_settings(load(second), "spark://localhost:7199") == expected
        for unknown in ("spark://127.0.0.1:7198", "spark://node.example:7199", "yarn"):
            assert authentication.rpc_settings(load(second), unknown) == {}
        running.communicate(b"\n")
    assert authentication.rpc_settings(load(second), "spark://127.0.0.1:7199") == {}
