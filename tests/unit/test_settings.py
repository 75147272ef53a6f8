"""penstock.yml: its defaults, its values, and the error for a wrong file."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.config import sections
from penstock.config.settings import load
from penstock.errors import PenstockError


def write(folder: Path, text: str) -> Path:
    """Return a project folder with that penstock.yml."""
    (folder / "penstock.yml").write_text(text)
    return folder


def test_a_project_without_the_file_has_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.lake_dir == tmp_path / "lake"
    assert settings.server.ports.thrift == 10000


def test_folders_may_be_absolute(tmp_path: Path) -> None:
    assert load(write(tmp_path, "lake: /data/lake\n")).lake_dir == Path("/data/lake")


def test_spark_values_become_text(tmp_path: Path) -> None:
    conf = load(write(tmp_path, "server: {spark_conf: {a: 8, b: true}}")).server.spark_conf
    assert conf == {"a": "8", "b": "true"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("servr: {}", "unknown key `servr`"),
        ("server: {memry: 4g}", "unknown key `server.memry`"),
        ("server: {memry: 4g}", "did you mean `memory`? The keys of `server` are"),
        ("ports: {thrift: 1}", "The keys are lake, warehouse, "),
        ("server: {memory: lots}", "server.memory"),
        ("server: {ports: {thrift: 80}}", "server.ports.thrift"),
        ("server: {idle_minutes: -1}", "server.idle_minutes"),
        ("root: /", "unknown key `root`"),
        ("- a\n- b", "list"),
        ("a: [", "YAML"),
        ("version: 2", "version"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    """The message has the key or the fault, and the file to correct."""
    with pytest.raises(PenstockError) as caught:
        load(write(tmp_path, text))
    assert message in str(caught.value)
    assert "penstock.yml" in str(caught.value)


@pytest.mark.parametrize(
    ("pyspark", "package"),
    [
        ("4.1.4", "io.delta:delta-spark_4.1_2.13:4.3.0"),
        ("4.2.0", "io.delta:delta-spark_4.2_2.13:4.4.0"),
        ("4.10.0", "io.delta:delta-spark_4.1_2.13:4.3.0"),
    ],
)
def test_delta_fits_the_installed_spark(pyspark: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: {"pyspark": pyspark}[name])
    assert sections.delta_package() == package
