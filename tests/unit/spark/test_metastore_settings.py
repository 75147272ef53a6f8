"""The metastore of a server: Hive's settings, its login, and one Derby database per warehouse."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from penstock.config.sections import Ports
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.spark.java import Java
from penstock.spark.metastore import location
from penstock.spark.server import configuration

JAVA = Java(Path("/opt/java"), 17, "17.0.15")
DATABASE = "metastore: postgresql://127.0.0.1:1/hive"


def settings(root: Path, text: str, target: str | None = None) -> Settings:
    """Return settings from this text."""
    (root / "penstock.yml").write_text(text + "\n")
    return load(root, target)


def start(found: Settings) -> None:
    """Do what a start does first: claim the warehouse, then create Derby's folder."""
    location.require_usable(found)
    (found.state_dir / "metastore_db").mkdir(parents=True, exist_ok=True)


def test_the_databases_login_is_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in the JVMs' options or environment."""
    monkeypatch.setenv(location.USER, "the-user")
    monkeypatch.setenv(location.PASSWORD, "the-password")
    found = settings(tmp_path, DATABASE)
    folder = configuration.write_files(found, Ports(), "token", JAVA, [])
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert "jdbc:postgresql://127.0.0.1:1/hive" in texts["hive-site.xml"]
    assert "org.postgresql.Driver" in texts["hive-site.xml"] and "derby" not in texts["hive-site.xml"]
    made = configuration.environment(found, JAVA, folder)
    everything = " ".join([*texts.values(), *made.values(), *configuration.jvm_options(found, JAVA, "metastore", "1g")])
    assert "the-user" not in everything and "the-password" not in everything
    login = location.login(found)
    assert login and (login.user, login.password) == ("the-user", "the-password")
    assert "the-" not in repr(login)


def test_a_missing_login_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(location.USER, "the-user")
    monkeypatch.delenv(location.PASSWORD, raising=False)
    with pytest.raises(PenstockError, match="no PENSTOCK_METASTORE_PASSWORD") as caught:
        location.require_usable(settings(tmp_path, DATABASE))
    assert "the-user" not in str(caught.value)


@pytest.mark.parametrize("text", [DATABASE, "metastore: thrift://127.0.0.1:1"])
def test_a_metastore_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(location.USER, "u")
    monkeypatch.setenv(location.PASSWORD, "p")
    with pytest.raises(PenstockError, match=r"127\.0\.0\.1:1.*no answer"):
        location.require_usable(settings(tmp_path, text))


def test_a_running_metastore_is_used_at_its_address(tmp_path: Path) -> None:
    found = settings(tmp_path, "metastore: thrift://hive:9084")
    assert not location.runs_own_metastore(found)
    site = configuration.hive_site(found, Ports())
    assert site["hive.metastore.uris"] == "thrift://hive:9084"
    assert "javax.jdo.option.ConnectionURL" not in site


TWO = "targets: {one: {}, two: {}, apart: {warehouse: elsewhere}}"


def test_two_derby_metastores_on_one_warehouse_are_refused(tmp_path: Path) -> None:
    """Each would have a part of the tables. The error names the first one, which can still start."""
    start(settings(tmp_path, TWO, "one"))
    with pytest.raises(PenstockError) as caught:
        start(settings(tmp_path, TWO, "two"))
    assert str(tmp_path / ".penstock" / "one" / "metastore_db") in caught.value.found
    assert "target two" in caught.value.needed and "`warehouse` of its own" in caught.value.do
    start(settings(tmp_path, TWO, "one"))
    start(settings(tmp_path, TWO, "apart"))


def test_a_warehouse_whose_metastore_is_gone_is_taken_over(tmp_path: Path) -> None:
    start(settings(tmp_path, TWO, "one"))
    shutil.rmtree(tmp_path / ".penstock" / "one")
    start(settings(tmp_path, TWO, "two"))
    with pytest.raises(PenstockError):
        start(settings(tmp_path, TWO, "one"))


def test_a_copied_project_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    start(settings(tmp_path / "first", "version: 1"))
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    start(load(tmp_path / "second"))
    start(load(tmp_path / "first"))
