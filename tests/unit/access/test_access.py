"""The secret, what is made from it, private folders, and what settings leave open; all without a server."""

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


def test_a_secret_is_made_once_and_kept_privately(tmp_path: Path) -> None:
    """The same at the next start, so that other programs may keep it; a file that was opened up is closed."""
    first = secret.take(tmp_path / "state")
    assert len(first) >= 32
    (tmp_path / "state" / "secret").chmod(0o644)
    assert secret.take(tmp_path / "state") == secret.read(tmp_path / "state") == first
    assert mode(tmp_path / "state" / "secret") == mode(tmp_path / "state" / "ui-key") == 0o600
    assert secret.take(tmp_path / "other") != first


def test_a_secret_from_elsewhere_takes_the_place_of_the_kept_one(tmp_path: Path) -> None:
    """As a pod is given one; the UI's key follows."""
    secret.take(tmp_path)
    assert secret.take(tmp_path, "of-the-pod") == secret.read(tmp_path) == "of-the-pod"
    assert (tmp_path / "ui-key").read_text() == secret.ui_key("of-the-pod")


def test_the_uis_key_does_not_give_the_secret_away() -> None:
    """A browser sends it to every port of the machine."""
    assert secret.ui_key("a") != secret.ui_key("b")
    assert "hidden" not in secret.link("http://127.0.0.1:4040", "hidden")
    assert secret.link("", "hidden") == ""


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert mode(private_files.folder(tmp_path / "open")) == 0o700
    assert mode(private_files.folder(tmp_path / "a" / "b")) == 0o700


def test_a_folder_that_another_user_made_first_is_refused(tmp_path: Path) -> None:
    """Where any user makes folders: a link is as bad."""
    assert mode(private_files.make_folder_in_tmp(tmp_path / "mine")) == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    with pytest.raises(PenstockError, match="another user created it"):
        private_files.make_folder_in_tmp(tmp_path / "link")
    if os.getuid() == 0:
        (tmp_path / "theirs").mkdir()
        os.chown(tmp_path / "theirs", 65534, 65534)
        with pytest.raises(PenstockError, match="another user created it"):
            private_files.make_folder_in_tmp(tmp_path / "theirs")


def test_the_state_is_private_but_not_the_project_in_it(tmp_path: Path) -> None:
    """A state folder that holds the project itself keeps its mode."""
    for state, expected in ((".penstock", 0o700), (".", 0o755)):
        tmp_path.chmod(0o755)
        settings = settings_of(tmp_path, f"state: {state}")
        control.close_state(settings)
        assert mode(settings.state_dir) == expected


def test_captured_plans_are_their_owners(tmp_path: Path) -> None:
    plan_store.write(tmp_path, CapturedPlan("model.p.m", "w.m", "code"))
    assert mode(tmp_path / "plans") == 0o700
    assert mode(plan_store.path(tmp_path, "model.p.m")) == 0o600


def test_the_java_classes_are_compiled_once(tmp_path: Path) -> None:
    """By the compiler among Spark's jars; all four are in the jar."""
    made = java_classes.jar(tmp_path, java.find())
    with ZipFile(made) as jar:
        assert sorted(jar.namelist()) == sorted(f"penstock/access/{name}.class" for name in java_classes.ORDER)
    before = made.stat().st_mtime_ns
    assert java_classes.jar(tmp_path, java.find()) == made
    assert made.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("server", "words"),
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
def test_what_settings_leave_open_is_said_in_a_line_each(tmp_path: Path, server: str, words: list[str]) -> None:
    found = exposure.of(settings_of(tmp_path, f"server: {server}"))
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))


def test_drivers_share_the_secret_of_the_cluster_that_they_are_on(tmp_path: Path) -> None:
    """That of this project's own cluster; a local master needs none, and another's cluster has none that is known."""
    settings = settings_of(tmp_path, "server: {}")
    me = Process.of(os.getpid())
    cluster_record.folder(settings).mkdir(parents=True)
    cluster_record.write(settings, Cluster(Node(me, 7077, 8080), {}, 1, 1, "1g"))
    assert authentication.messages(settings, "spark://127.0.0.1:7077") == {}, "nodes that an earlier version started"
    shared = secret.take(cluster_record.folder(settings))
    own = {"spark.authenticate": "true", "spark.authenticate.secret": shared}
    assert authentication.messages(settings, "spark://127.0.0.1:7077") == own
    assert authentication.messages(settings, "spark://127.0.0.1:7099") == {}
    server = {"a": "b", **authentication.messages(settings, "local[*]")}
    assert authentication.of_driver(server, settings, "spark://127.0.0.1:7077") == {"a": "b", **own}
    assert authentication.of_driver({**server, **own}, settings, "local[2]") == {"a": "b", **own}
