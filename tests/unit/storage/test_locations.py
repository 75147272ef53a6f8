"""Locations of lakes and warehouses."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.storage import filesystems, locations


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("lake", "file:///project/lake"),
        ("/data/lake", "file:///data/lake"),
        ("file:///data/lake", "file:///data/lake"),
        ("s3a://bucket/lake/", "s3a://bucket/lake"),
        ("hdfs://node:9000/lake", "hdfs://node:9000/lake"),
    ],
)
def test_the_address_for_spark(address: str, uri: str) -> None:
    assert locations.uri(Path("/project"), address) == uri


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://bucket/lake", "write s3a://"),
        ("gcs://bucket/lake", "write gs://"),
        ("ftp://host/lake", "s3a://, gs://, hdfs://"),
        ("s3a:///lake", "s3a://BUCKET/folder"),
        ("hdfs:///lake", "hdfs://HOST:PORT/folder"),
    ],
)
def test_an_invalid_address_is_refused(address: str, message: str) -> None:
    with pytest.raises(PenstockError, match=message):
        locations.scheme(address)


def test_settings_name_the_key_of_an_invalid_address(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("lake: s3://bucket/lake\n")
    with pytest.raises(PenstockError, match=r"`lake`.*write s3a://"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["lake", "warehouse"])
@pytest.mark.parametrize(
    "address",
    ["s3a://KEY:SECRET@bucket/lake", "s3://KEY:SECRET@bucket/l", "s3a://KEY:SEC/RET@bucket/l", "gs://KEY@b/l"],
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(tmp_path: Path, key: str, address: str) -> None:
    (tmp_path / "penstock.yml").write_text(f"{key}: {address}\n")
    with pytest.raises(PenstockError, match="seems to hold a user or a secret") as caught:
        load(tmp_path)
    assert not any(part in str(caught.value) for part in ("KEY", "SEC", "RET@"))


@pytest.mark.parametrize("address", ["s3a://bucket/a@b", "hdfs://node:9000/a@b", "/data/a:b@c"])
def test_a_folder_may_contain_an_at_sign(address: str) -> None:
    assert locations.scheme(address) == address.partition("://")[0].replace("/data/a:b@c", "")


@pytest.mark.parametrize("endpoint", ["https://user:secret@host", "host:5000", "http://host/path"])
def test_an_endpoint_is_a_plain_address(tmp_path: Path, endpoint: str) -> None:
    """The files of a project must not contain credentials."""
    (tmp_path / "penstock.yml").write_text(f"store: {{endpoint: '{endpoint}'}}\n")
    with pytest.raises(PenstockError, match=r"store\.endpoint"):
        load(tmp_path)


def test_a_local_lake_needs_no_store(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.schemes == set()
    assert settings.lake_dir == tmp_path / "lake" and filesystems.is_local(settings.lake_dir)
