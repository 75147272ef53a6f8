"""Addresses in settings: their parts, invalid ones, and errors that contain no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.config import addresses
from penstock.config.addresses import Metastore
from penstock.config.settings import load
from penstock.errors import PenstockError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("derby", Metastore("derby")),
        ("postgresql://db.example.org/hive", Metastore("postgresql", "db.example.org", 5432, "hive")),
        ("postgresql://127.0.0.1:5433/hive_1", Metastore("postgresql", "127.0.0.1", 5433, "hive_1")),
        ("thrift://hive:9084", Metastore("thrift", "hive", 9084)),
        ("thrift://hive", Metastore("thrift", "hive", 9083)),
    ],
)
def test_a_metastore_is_parsed(text: str, found: Metastore) -> None:
    assert addresses.parse_metastore(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "mysql://host/hive", "postgresql://host", "postgresql://host/a/b", "thrift://host/hive", "thrift://"),
        *("postgresql://host:port/hive", "jdbc:postgresql://host/hive"),
    ],
)
def test_an_invalid_metastore_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"postgresql://host:port/database|not an address"):
        addresses.parse_metastore(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://hive:s3cret@host/hive",
        "postgresql://host/hive?user=hive&password=s3cret",
        "jdbc:postgresql://host/hive?Password=s3cret",
    ],
)
def test_a_login_in_the_file_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    (tmp_path / "penstock.yml").write_text(f"metastore: {text}\n")
    with pytest.raises(PenstockError) as caught:
        load(tmp_path)
    assert "PENSTOCK_METASTORE_PASSWORD" in str(caught.value) and "`metastore`" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("master", "local", "hosts"),
    [
        ("local[*]", True, []),
        ("local", True, []),
        ("local-cluster[2,1,1024]", False, []),
        ("spark://a:7077,b:7078", False, [("a", 7077), ("b", 7078)]),
        ("spark://a", False, []),
        ("yarn", False, []),
    ],
)
def test_masters(master: str, local: bool, hosts: list[tuple[str, int]]) -> None:
    assert (addresses.is_local(master), addresses.standalone_masters(master)) == (local, hosts)


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("localhost", True), ("[::1]", True), ("10.0.0.1", False), ("node", False), ("", False)],
)
def test_loopback(host: str, here: bool) -> None:
    assert addresses.is_loopback(host) is here
