"""Targets that one session can read, and those that it can't."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from penstock.config.settings import load
from penstock.diff.targets import require_readable
from penstock.errors import PenstockError

REMOTE: dict[str, object] = {"host": "spark.example.com", "port": 10000}
OUTPUTS: dict[str, dict[str, object]] = {
    "dev": {},
    "prod": {},
    "own": {},
    "shared": {},
    "shared_too": {},
    "far": REMOTE,
    "far_too": REMOTE,
    "farther": {**REMOTE, "host": "other.example.com"},
    "connect": {"method": "connect", "connect_url": "sc://spark.example.com:15002"},
    "connect_too": {"method": "connect", "connect_url": "sc://spark.example.com:15002"},
}
METASTORE = {"metastore": "thrift://meta.example.com:9083"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DBT_PROFILES_DIR", "PENSTOCK_TARGET"):
        monkeypatch.delenv(name, raising=False)
    outputs = {name: {"type": "penstock", "schema": name, **keys} for name, keys in OUTPUTS.items()}
    (tmp_path / "dbt_project.yml").write_text("name: small\nversion: 1.0.0\nprofile: small\n")
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"small": {"target": "dev", "outputs": outputs}}))
    sections = {"own": {}, "shared": METASTORE, "shared_too": METASTORE}
    (tmp_path / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "targets": sections}))
    return tmp_path


@pytest.mark.parametrize(
    ("own", "other"),
    [("dev", "prod"), ("shared", "shared_too"), ("far", "far_too"), ("connect", "connect_too")],
)
def test_one_server_or_one_metastore(root: Path, own: str, other: str) -> None:
    require_readable(load(root, own), other)


@pytest.mark.parametrize(
    ("own", "other", "found"),
    [
        ("dev", "own", "`dev` uses the server in .penstock, `own` uses the server in .penstock/own"),
        ("dev", "far", "`dev` uses this machine, `far` uses spark.example.com:10000"),
        ("far", "dev", "`far` uses spark.example.com:10000, `dev` uses this machine"),
        ("far", "farther", "`far` uses spark.example.com:10000, `farther` uses other.example.com:10000"),
    ],
)
def test_another_server(root: Path, own: str, other: str, found: str) -> None:
    with pytest.raises(PenstockError) as error:
        require_readable(load(root, own), other)
    assert error.value.found == found
    assert f"has the server of `{own}` and the schema of `{other}`" in error.value.do


def test_an_unknown_target(root: Path) -> None:
    with pytest.raises(PenstockError, match=r"found: `nowhere`; other targets: connect, connect_too, far,"):
        require_readable(load(root), "nowhere")


def test_the_same_target(root: Path) -> None:
    with pytest.raises(PenstockError, match="needed: another target than the current one"):
        require_readable(load(root), "dev")
