"""The secret and the UI's key, private folders, and exposures because of settings; without a server."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from zipfile import ZipFile

import pytest

from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan
from penstock.process import Process
from penstock.spark import java
from penstock.spark.access import authentication, exposure, java_classes, secret
from penstock.spark.cluster import record as cluster_record
from penstock.spark.cluster.record import Cluster, Node
from penstock.spark.server import control
from penstock.storage import private_files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def settings_of(root: Path, text: str) -> Settings:
    (root / "penstock.yml").write_text(f"version: 1\n{text}\n")
    return load(root)


def test_a_secret_is_created_once_in_a_private_file(tmp_path: Path) -> None:
    """It stays the same at the next start, which restores the file's permissions."""
    first = secret.ensure(tmp_path / "state")
    assert len(first) >= 32
    (tmp_path / "state" / "secret").chmod(0o644)
    assert secret.ensure(tmp_path / "state") == secret.read(tmp_path / "state") == first
    assert mode(tmp_path / "state" / "secret") == mode(tmp_path / "state" / "ui-key") == 0o600
    assert secret.ensure(tmp_path / "other") != first


def test_a_given_secret_replaces_the_one_in_the_file(tmp_path: Path) -> None:
    """And the UI's key changes with it."""
    secret.ensure(tmp_path)
    assert secret.ensure(tmp_path, "of-the-pod") == secret.read(tmp_path) == "of-the-pod"
    assert (tmp_path / "ui-key").read_text() == secret.ui_key("of-the-pod")


def test_the_uis_key_does_not_reveal_the_secret() -> None:
    """A browser sends it to every port of the machine."""
    assert secret.ui_key("a") != secret.ui_key("b")
    assert "hidden" not in secret.ui_link("http://127.0.0.1:4040", "hidden")
    assert secret.ui_link("", "hidden") == ""


def test_a_folder_that_others_can_read_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert mode(private_files.make_folder(tmp_path / "open")) == 0o700
    assert mode(private_files.make_folder(tmp_path / "a" / "b")) == 0o700


def test_a_folder_that_another_user_created_is_refused(tmp_path: Path) -> None:
    """And so is a link."""
    assert mode(private_files.make_folder_in_tmp(tmp_path / "mine")) == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    with pytest.raises(PenstockError, match="another user created it"):
        private_files.make_folder_in_tmp(tmp_path / "link")
    if os.getuid() == 0:
        (tmp_path / "theirs").mkdir()
        os.chown(tmp_path / "theirs", 65534, 65534)
        with pytest.raises(PenstockError, match="another user created it"):
            private_files.make_folder_in_tmp(tmp_path / "theirs")


def test_the_state_folder_is_private_unless_it_contains_the_project(tmp_path: Path) -> None:
    for state, expected in ((".penstock", 0o700), (".", 0o755)):
        tmp_path.chmod(0o755)
        settings = settings_of(tmp_path, f"state: {state}")
        control.make_state_folders(settings)
        assert mode(settings.state_dir) == expected


def test_only_the_owner_can_read_captured_plans(tmp_path: Path) -> None:
    plan_store.write(tmp_path, CapturedPlan("model.p.m", "w.m", "code"))
    assert mode(tmp_path / "plans") == 0o700
    assert mode(plan_store.path(tmp_path, "model.p.m")) == 0o600


def test_the_java_classes_are_compiled_once(tmp_path: Path) -> None:
    """With the compiler among Spark's jars; the jar contains all four."""
    made = java_classes.access_jar(tmp_path, java.find())
    with ZipFile(made) as jar:
        assert sorted(jar.namelist()) == sorted(f"penstock/access/{name}.class" for name in java_classes.ORDER)
    before = made.stat().st_mtime_ns
    assert java_classes.access_jar(tmp_path, java.find()) == made
    assert made.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("{}", []),
        ("{bind: 0.0.0.0}", ["without TLS"]),
        ("{bind: 0.0.0.0, spark_conf: {spark.hadoop.hive.server2.use.SSL: true}}", []),
        ("{spark_conf: {spark.hadoop.hive.server2.authentication: NOSASL}}", ["Thrift asks for no login: any user"]),
        ("{spark_conf: {spark.hadoop.hive.server2.authentication: LDAP}}", []),
        ("{spark_conf: {spark.ui.filters: a.b.C}}", ["UI asks for no key"]),
        ("{spark_conf: {spark.ui.filters: a.b.C, spark.ui.enabled: false}}", []),
        ("{master: 'spark://10.0.0.1:7077'}", ["Spark's own ports ask for no secret"]),
        ("{master: 'spark://10.0.0.1:7077', spark_conf: {spark.authenticate: true}}", []),
    ],
)
def test_each_exposure_has_a_line(tmp_path: Path, server: str, expected: list[str]) -> None:
    found = exposure.list_exposures(settings_of(tmp_path, f"server: {server}"))
    assert len(found) == len(expected)
    assert all(text in line for text, line in zip(expected, found, strict=True))


def test_drivers_get_the_secret_of_their_cluster(tmp_path: Path) -> None:
    """Of this project's cluster. A local master needs none, and that of another cluster is unknown."""
    settings = settings_of(tmp_path, "server: {}")
    me = Process.from_pid(os.getpid())
    cluster_record.folder(settings).mkdir(parents=True)
    cluster_record.write(settings, Cluster(Node(me, 7077, 8080), {}, 1, 1, "1g"))
    assert authentication.rpc_settings(settings, "spark://127.0.0.1:7077") == {}, (
        "nodes that an earlier version started"
    )
    shared = secret.ensure(cluster_record.folder(settings))
    own = {"spark.authenticate": "true", "spark.authenticate.secret": shared}
    assert authentication.rpc_settings(settings, "spark://127.0.0.1:7077") == own
    assert authentication.rpc_settings(settings, "spark://127.0.0.1:7099") == {}
    server = {"a": "b", **authentication.rpc_settings(settings, "local[*]")}
    assert authentication.driver_settings(server, settings, "spark://127.0.0.1:7077") == {"a": "b", **own}
    assert authentication.driver_settings({**server, **own}, settings, "local[2]") == {"a": "b", **own}
