"""Ports, records, configuration files and archives, without a server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from penstock.config.sections import Ports
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.process import Process
from penstock.spark import jars, ports
from penstock.spark.class_archive import KEPT_PER_ROLE, Archive
from penstock.spark.java import Java
from penstock.spark.server import configuration, control, record, temporary_files
from penstock.spark.server.record import Record

JAVA = Java(Path("/opt/java"), 17, "17.0.15")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return default settings in an empty folder."""
    made = load(tmp_path)
    made.state_dir.mkdir()
    return made


def a_record(settings: Settings, **changes: object) -> Record:
    """Write and return a record whose processes are this one."""
    me = Process.from_pid(os.getpid())
    return record.write(settings, Record("ready", me, Ports(), "secret", "x", 0.0, me, me), **changes)


def test_a_taken_port_is_skipped() -> None:
    """And no two services get the same port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = ports.choose(Ports.model_construct(thrift=port, connect=port, ui=port, metastore=port))
    values = [value for _, value in chosen]
    assert port not in values
    assert len(set(values)) == 4


def test_a_record_is_read_as_written(settings: Settings) -> None:
    """And only its owner can read it."""
    written = a_record(settings)
    assert record.read(settings) == written
    assert record.path(settings).stat().st_mode & 0o077 == 0
    assert written.alive


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "ready"}'])
def test_a_damaged_record_is_ignored(settings: Settings, text: str) -> None:
    """It is the same as no record."""
    record.path(settings).write_text(text)
    assert record.read(settings) is None


def test_a_reused_process_id_is_not_the_server(settings: Settings) -> None:
    """A process with this id runs, but it started at another time."""
    assert not a_record(settings, spark=Process(os.getpid(), 1.0)).alive


def test_configuration_binds_to_loopback_and_hides_the_token(settings: Settings) -> None:
    """Every address that Spark listens on is 127.0.0.1; only the owner can read the folder."""
    folder = configuration.write_files(settings, Ports(), "secret-token", JAVA, [])
    text = (folder / "spark-defaults.conf").read_text()
    lines = dict(line.split(" ", 1) for line in text.splitlines())
    assert lines["spark.driver.bindAddress"] == lines["spark.connect.grpc.binding.address"] == "127.0.0.1"
    assert lines["spark.connect.authenticate.token"] == "secret-token"
    assert configuration.environment(settings, JAVA, folder)["SPARK_LOCAL_IP"] == "127.0.0.1"
    assert folder.stat().st_mode & 0o077 == 0
    assert "secret-token" not in " ".join(configuration.jvm_options(settings, JAVA, "spark", "1g"))


def test_the_users_spark_settings_override_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("server: {spark_conf: {spark.sql.shuffle.partitions: 64}}")
    defaults = configuration.spark_defaults(load(tmp_path), Ports(), "t", [])
    assert defaults["spark.sql.shuffle.partitions"] == "64"


def test_settings_of_another_spark_do_not_leak_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The JVMs don't get the Spark and Hive variables of the environment."""
    monkeypatch.setenv("SPARK_HOME", "/elsewhere")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Dx=y")
    made = configuration.environment(settings, JAVA, settings.state_dir)
    assert made["SPARK_HOME"] != "/elsewhere"
    assert "JAVA_TOOL_OPTIONS" not in made


def test_an_archive_is_saved_only_if_the_jvm_exited_normally(tmp_path: Path) -> None:
    """Otherwise the incomplete temporary file is removed."""
    archive = Archive.find(tmp_path, "spark", JAVA, "/a.jar")
    assert any("ArchiveClassesAtExit" in option for option in archive.options())
    archive.temporary.write_text("half")
    archive.finish(exited_normally=False)
    assert not archive.file.exists()
    assert not archive.temporary.exists()
    archive.temporary.write_text("whole")
    archive.finish(exited_normally=True)
    assert archive.file.read_text() == "whole"
    assert any("SharedArchiveFile" in option for option in archive.options())


def test_an_archive_fits_a_longer_class_path_with_the_same_beginning(tmp_path: Path) -> None:
    """The longest one is used; none fits other jars, another order, or a jar that was replaced."""
    jars = [tmp_path / f"{name}.jar" for name in "abc"]
    for jar in jars:
        jar.write_text("a jar")
    a, ab, abc = (":".join(map(str, jars[:count])) for count in (1, 2, 3))
    made = {path: Archive.find(tmp_path, "spark", JAVA, path) for path in (a, ab)}
    for archive in made.values():
        archive.options()
        archive.file.touch()
    assert Archive.find(tmp_path, "spark", JAVA, abc) == made[ab]
    assert Archive.find(tmp_path, "spark", JAVA, f"{a}:{jars[2]}") == made[a]
    others = [
        Archive.find(tmp_path, "spark", JAVA, f"{jars[1]}:{jars[0]}"),
        Archive.find(tmp_path, "metastore", JAVA, abc),
        Archive.find(tmp_path, "spark", Java(JAVA.home, 17, "17.0.99"), abc),
    ]
    jars[0].write_text("another")
    assert not any(other.file.exists() for other in [*others, Archive.find(tmp_path, "spark", JAVA, abc)])


def test_a_server_starts_without_a_folder_for_archives(tmp_path: Path) -> None:
    """As in an image, where the folder is read-only."""
    (tmp_path / "cds").write_text("no folder")
    assert Archive.find(tmp_path, "spark", JAVA, "/a.jar").options() == []
    Archive.find(tmp_path, "spark", JAVA, "/a.jar").finish(exited_normally=True)


def test_leftovers_of_killed_processes_are_removed_but_no_running_drivers_folder(tmp_path: Path) -> None:
    """A driver runs if its dbt process does; a new folder without a job belongs to a driver that starts."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    me = psutil.Process()
    parents = {"model-mine": [me.pid, me.create_time()], "model-left": [gone.pid, 1.0], "model-reused": [me.pid, 1.0]}
    for name in [*parents, "model-new", "model-old", "blockmgr-1"]:
        (tmp_path / name).mkdir()
        if name in parents:
            (tmp_path / name / "job.json").write_text(json.dumps({"parent": parents[name]}))
    os.utime(tmp_path / "model-old", (1, 1))
    (tmp_path / "file").touch()
    temporary_files.remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model-mine", "model-new"]


def test_a_stopping_server_accepts_no_clients(settings: Settings) -> None:
    """Even while all its processes run."""
    me = Process.from_pid(os.getpid())
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    up = record.Record(record.READY, me, Ports(), "token", "", 0.0, metastore=me, spark=me)
    assert record.write(settings, up) == control.current(settings)
    record.write(settings, up, state=record.STOPPING)
    assert control.current(settings) is None


def test_two_supervisors_write_separate_temporary_archives(tmp_path: Path) -> None:
    """The file of a running supervisor stays; the file of an ended one is removed."""
    archive = Archive.find(tmp_path, "spark", JAVA, "/a.jar")
    archive.options()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    alive, left = (archive.file.with_suffix(f".{pid}.part") for pid in (os.getppid(), gone.pid))
    for part in (alive, left, archive.temporary):
        part.write_text("half")
    archive.options()
    assert [part.exists() for part in (alive, left, archive.temporary)] == [True, False, False]


def test_the_newest_archives_of_a_role_are_kept(tmp_path: Path) -> None:
    """Targets with different jars have one each; the metastore's archives are counted separately."""
    metastore = Archive.find(tmp_path, "metastore", JAVA, "/a.jar")
    made = [Archive.find(tmp_path, "spark", JAVA, f"/{number}.jar") for number in range(KEPT_PER_ROLE + 1)]
    for day, archive in enumerate([metastore, *made]):
        archive.options()
        archive.temporary.write_text("whole")
        os.utime(archive.temporary, (day, day))
        archive.finish(exited_normally=True)
    assert [archive.file.exists() for archive in made] == [False, *[True] * KEPT_PER_ROLE]
    assert metastore.file.exists()


@pytest.mark.parametrize("coordinate", ["delta", "a:b", "a:b:c:d:e", "a b:c:d"])
def test_an_invalid_coordinate_is_named(tmp_path: Path, coordinate: str) -> None:
    """Before anything is downloaded."""
    with pytest.raises(PenstockError, match="group:artifact:version"):
        jars.resolve([coordinate], tmp_path, JAVA)


def test_servers_that_start_together_download_jars_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait for the first, and none sees an incomplete folder."""
    fetched: list[Path] = []

    def download(package: str, folder: Path, java: Java) -> None:
        fetched.append(folder)
        time.sleep(0.2)
        folder.mkdir()
        (folder / "a-1.jar").touch()

    monkeypatch.setattr(jars, "_download", download)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: jars.resolve(["g:a:1"], tmp_path, JAVA), range(4)))
    assert len(fetched) == 1
    assert found == [[fetched[0] / "a-1.jar"]] * 4


def test_jars_are_in_the_order_of_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer list begins with the same files as a shorter one; a jar of two packages is there once."""
    brought = {"g:delta:1": ["shared-1.jar", "delta-1.jar"], "g:a-store:1": ["a-store-1.jar", "shared-1.jar"]}

    def download(package: str, folder: Path, java: Java) -> None:
        folder.mkdir()
        for name in brought[package]:
            (folder / name).touch()

    monkeypatch.setattr(jars, "_download", download)
    short, long = (jars.resolve(list(brought)[:count], tmp_path, JAVA) for count in (1, 2))
    assert [jar.name for jar in short] == ["delta-1.jar", "shared-1.jar"]
    assert long[:2] == short and [jar.name for jar in long[2:]] == ["a-store-1.jar"]


def test_artifact_names() -> None:
    """Without the versions, whatever their format."""
    names = ["delta-storage-4.3.0.jar", "delta-spark_4.1_2.13-4.3.0.jar", "hive-exec-2.3.10-core.jar"]
    assert [jars.artifact(n) for n in names] == ["delta-storage", "delta-spark_4.1_2.13", "hive-exec"]


def test_jars_that_spark_ships_are_not_downloaded() -> None:
    """Ivy's module excludes all of them but the requested one."""
    text = jars.ivy_module("org.apache.hadoop:hadoop-client-api:3.4.2")
    assert '<exclude module="hadoop-client-runtime"/>' in text
    assert '<exclude module="hadoop-client-api"/>' not in text
    assert 'name="hadoop-client-api" rev="3.4.2" conf="default->default" transitive="true"' in text
    assert 'transitive="false"' in jars.ivy_module("a:b:1@jar")


def test_a_port_belongs_to_the_process_that_listens() -> None:
    """An answer is not enough: another server may have the port."""
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert ports.answers(port)
        assert ports.is_served_by(port, os.getpid())
        assert not ports.is_served_by(port, os.getppid())
    assert not ports.is_served_by(port, os.getpid())
