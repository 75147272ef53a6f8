"""Spark's settings for the catalogs of penstock.yml."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.config.sections import Ports
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.spark import doctor, iceberg_catalogs
from penstock.spark.server import configuration


def project(folder: Path, catalogs: dict[str, Any], **more: Any) -> Settings:
    """The settings of a project with these catalogs."""
    (folder / "penstock.yml").write_text(yaml.safe_dump({"server": {"catalogs": catalogs}, **more}))
    return load(folder)


def properties(settings: Settings, name: str) -> dict[str, str]:
    """The properties of a catalog in Spark's settings."""
    prefix = f"spark.sql.catalog.{name}."
    conf = iceberg_catalogs.spark_settings(settings, "delta.Extension")
    return {key.removeprefix(prefix): value for key, value in conf.items() if key.startswith(prefix)}


def test_without_catalogs_nothing_changes(tmp_path: Path) -> None:
    assert iceberg_catalogs.spark_settings(load(tmp_path), "delta.Extension") == {}


def test_a_rest_catalog_beside_deltas(tmp_path: Path) -> None:
    settings = project(
        tmp_path, {"ice": {"type": "rest", "uri": "http://h:1", "warehouse": "wh", "options": {"cache-enabled": True}}}
    )
    conf = configuration.spark_defaults(settings, Ports(), "t", [])
    assert conf["spark.sql.catalog.spark_catalog"] == "org.apache.spark.sql.delta.catalog.DeltaCatalog"
    assert conf["spark.sql.extensions"] == (
        "io.delta.sql.DeltaSparkSessionExtension,org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
    )
    assert conf["spark.sql.catalog.ice"] == "org.apache.iceberg.spark.SparkCatalog"
    assert properties(settings, "ice") == {
        "type": "rest",
        "uri": "http://h:1",
        "warehouse": "wh",
        "cache-enabled": "true",
    }


def test_relative_folders_are_in_the_project(tmp_path: Path) -> None:
    catalogs = {
        "files": {"type": "hadoop", "warehouse": "files"},
        "far": {"type": "hadoop", "warehouse": "s3a://bucket/files"},
        "db": {"type": "jdbc", "uri": "jdbc:sqlite:f", "warehouse": "db"},
    }
    settings = project(tmp_path, catalogs)
    found = {name: properties(settings, name)["warehouse"] for name in catalogs}
    assert found == {
        "files": f"file://{tmp_path}/files",
        "far": "s3a://bucket/files",
        "db": f"file://{tmp_path}/db",
    }


@pytest.mark.parametrize(
    ("catalog", "more", "lock"),
    [
        ({"type": "hive"}, {}, "false"),
        ({"type": "hive"}, {"metastore": "thrift://h:1"}, None),
        ({"type": "hive", "uri": "thrift://h:1"}, {}, None),
    ],
)
def test_only_the_projects_own_metastore_has_no_locks(
    tmp_path: Path, catalog: dict[str, str], more: dict[str, str], lock: str | None
) -> None:
    found = properties(project(tmp_path, {"ice": catalog}, **more), "ice")
    assert found.get("hadoop.iceberg.engine.hive.lock-enabled") == lock


def test_another_metastore_that_is_gone_fails_within_seconds(tmp_path: Path) -> None:
    catalogs = {"far": {"type": "hive", "uri": "thrift://h:1"}, "own": {"type": "hive"}}
    settings = project(tmp_path, catalogs)
    retries = "hadoop.hive.metastore.connect.retries"
    assert properties(settings, "far")[retries] == "3"
    assert retries not in properties(settings, "own")


@pytest.mark.parametrize(
    ("catalog", "text"),
    [
        ({"type": "rest", "uri": "http://h:1", "warehouse": "wh"}, "Iceberg, rest, http://h:1, warehouse wh"),
        ({"type": "hive"}, "Iceberg, hive"),
    ],
)
def test_a_catalog_is_described_in_a_line(tmp_path: Path, catalog: dict[str, str], text: str) -> None:
    assert iceberg_catalogs.describe(project(tmp_path, {"ice": catalog}).server.catalogs["ice"]) == text


def test_the_doctor_warns_of_a_catalog_that_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings = project(
            tmp_path,
            {
                "ice": {"type": "rest", "uri": f"http://127.0.0.1:{port}/catalog"},
                "gone": {"type": "rest", "uri": "http://127.0.0.1:1"},
                "own": {"type": "hive"},
            },
        )
        findings = {item.subject: item for item in doctor.examine(settings)}
    assert findings["catalog ice"].level == findings["catalog own"].level == "ok"
    assert findings["catalog gone"].level == "warn"
    assert findings["catalog gone"].found == "Iceberg, rest, http://127.0.0.1:1: no answer"
    assert "server.catalogs.gone.uri" in findings["catalog gone"].do


def test_the_users_settings_win(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text(
        "server: {catalogs: {ice: {type: hive}}, spark_conf: {spark.sql.catalog.ice: my.Catalog}}\n"
    )
    conf = configuration.spark_defaults(load(tmp_path), Ports(), "t", [])
    assert conf["spark.sql.catalog.ice"] == "my.Catalog"


def test_a_rest_catalog_reads_its_credentials_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark's settings, which any session can list, have the name of the variable only."""
    monkeypatch.setenv("PENSTOCK_CATALOG_ICE_CREDENTIAL", "id:hush")
    monkeypatch.setenv("AZURE_TOKEN", "hush")
    options = {"adls.sas-token.me": "env:AZURE_TOKEN"}
    settings = project(tmp_path, {"ice": {"type": "rest", "uri": "http://h:1", "options": options}})
    found = properties(settings, "ice")
    assert found["credential"] == "env:PENSTOCK_CATALOG_ICE_CREDENTIAL"
    assert found["adls.sas-token.me"] == "env:AZURE_TOKEN"
    assert found["rest.auth.type"] == "oauth2"


def test_a_rest_catalog_with_a_user_logs_in_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in ("USER", "PASSWORD"):
        monkeypatch.setenv(f"PENSTOCK_CATALOG_ICE_{suffix}", "hush")
    found = properties(project(tmp_path, {"ice": {"type": "rest", "uri": "http://h:1"}}), "ice")
    assert found["rest.auth.type"] == "basic"
    assert found["rest.auth.basic.username"] == "env:PENSTOCK_CATALOG_ICE_USER"
    assert found["rest.auth.basic.password"] == "env:PENSTOCK_CATALOG_ICE_PASSWORD"


def test_other_catalogs_get_the_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's settings have them, under keys that Spark hides."""
    secrets = {"USER": "jdbc.user", "PASSWORD": "jdbc.password", "S3_ACCESS_KEY_ID": "s3.access-key-id"}
    for suffix in secrets:
        monkeypatch.setenv(f"PENSTOCK_CATALOG_DB_{suffix}", "hush")
    settings = project(tmp_path, {"db": {"type": "jdbc", "uri": "jdbc:sqlite:f", "warehouse": "w"}})
    found = properties(settings, "db")
    assert {key for key, value in found.items() if value == "hush"} == set(secrets.values())
    hidden = re.compile(iceberg_catalogs.spark_settings(settings, "")["spark.redaction.regex"])
    assert all(hidden.search(f"spark.sql.catalog.db.{key}") for key in secrets.values())


def test_a_variable_that_is_not_set_is_refused_by_name(tmp_path: Path) -> None:
    settings = project(tmp_path, {"ice": {"type": "hive", "options": {"s3.session-token": "env:NO_SUCH_VARIABLE"}}})
    with pytest.raises(PenstockError) as caught:
        iceberg_catalogs.spark_settings(settings, "")
    assert caught.value.needed == "the environment variable of server.catalogs.ice.options.s3.session-token"
    assert caught.value.do == "export NO_SUCH_VARIABLE"
