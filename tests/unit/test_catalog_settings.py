"""`server.catalogs` in penstock.yml: what each type needs, the jars, and credentials from the environment alone."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from penstock.config.settings import Settings, load
from penstock.errors import PenstockError

DELTA = "io.delta:delta-spark_4.1_2.13:4.3.0"
ICEBERG = "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0"
OTHER = "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0"
REST = "{type: rest, uri: 'http://h:1'}"


def catalogs(folder: Path, section: str, more: str = "") -> Settings:
    """The settings of a project with these catalogs."""
    (folder / "penstock.yml").write_text(f"server: {{catalogs: {section}{more}}}\n")
    return load(folder)


@pytest.fixture(autouse=True)
def _spark_41(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "4.1.4")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{ice: {type: glue}}", "`server.catalogs.ice.type`"),
        ("{ice: {type: rest}}", "`server.catalogs.ice.uri`: a rest catalog needs it, for example http"),
        ("{ice: {type: rest, uri: 'thrift://h:1'}}", "`server.catalogs.ice.uri`: not the address of a rest catalog"),
        ("{ice: {type: jdbc, uri: 'jdbc:sqlite:f'}}", "`server.catalogs.ice.warehouse`: a jdbc catalog needs it"),
        ("{ice: {type: hadoop}}", "`server.catalogs.ice.warehouse`: a hadoop catalog needs it"),
        ("{ice: {type: hadoop, warehouse: w, uri: x}}", "`server.catalogs.ice.uri`: a hadoop catalog has no uri"),
        ("{ice: {type: hive, url: x}}", "unknown key `server.catalogs.ice.url`"),
        ("{ice: {type: hive, options: {type: x}}}", "`server.catalogs.ice.options`: `type` is not an option"),
        ("{spark_catalog: {type: hive}}", "`spark_catalog` is a catalog of Spark itself"),
        ("{Session: {type: hive}}", "`Session` is a catalog of Spark itself"),
        ("{my-ice: {type: hive}}", "`my-ice` is not a name of letters"),
        ("{ice: {type: hive}, ICE: {type: hive}}", "two names differ only in case"),
    ],
)
def test_a_wrong_catalog_is_refused_by_its_key(tmp_path: Path, section: str, message: str) -> None:
    with pytest.raises(PenstockError) as caught:
        catalogs(tmp_path, section)
    assert message in caught.value.found
    assert "correct" in caught.value.do and "penstock.yml" in caught.value.do


@pytest.mark.parametrize("uri", ["http://me:hush@h:1", "https://h/api?token=hush"])
def test_an_address_with_a_credential_is_refused_without_repeating_it(tmp_path: Path, uri: str) -> None:
    with pytest.raises(PenstockError) as caught:
        catalogs(tmp_path, f"{{ice: {{type: rest, uri: '{uri}'}}}}")
    assert "`server.catalogs.ice.uri`: it contains a user or a password" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("catalog", "path", "do"),
    [
        ("{type: rest, uri: 'http://h:1', token: hush}", "token", "PENSTOCK_CATALOG_ICE_TOKEN"),
        (
            "{type: rest, uri: 'http://h:1', options: {credential: 'a:hush'}}",
            "options.credential",
            "PENSTOCK_CATALOG_ICE_CREDENTIAL",
        ),
        ("{type: jdbc, password: hush}", "password", "PENSTOCK_CATALOG_ICE_PASSWORD"),
        ("{type: jdbc, options: {jdbc.user: hush}}", "options.jdbc.user", "PENSTOCK_CATALOG_ICE_USER"),
        (
            "{type: hive, options: {s3.secret-access-key: hush}}",
            "options.s3.secret-access-key",
            "PENSTOCK_CATALOG_ICE_S3_SECRET_ACCESS_KEY",
        ),
        (
            "{type: hive, options: {adls.sas-token.me: hush}}",
            "options.adls.sas-token.me",
            "`adls.sas-token.me: env:PENSTOCK_CATALOG_ICE_ADLS_SAS_TOKEN_ME` under server.catalogs.ice.options",
        ),
    ],
)
def test_a_credential_in_the_file_is_refused(tmp_path: Path, catalog: str, path: str, do: str) -> None:
    """The error names the environment variable, and doesn't repeat the credential."""
    with pytest.raises(PenstockError) as caught:
        catalogs(tmp_path, f"{{ice: {catalog}}}")
    assert caught.value.found.startswith(f"`server.catalogs.ice.{path}` in ")
    assert do in caught.value.do
    assert "hush" not in str(caught.value)


def test_a_credential_of_a_target_is_refused(tmp_path: Path) -> None:
    section = "targets: {prod: {server: {catalogs: {ice: {token: hush}}}}}"
    (tmp_path / "penstock.yml").write_text(f"server: {{catalogs: {{ice: {REST}}}}}\n{section}\n")
    with pytest.raises(PenstockError) as caught:
        load(tmp_path)
    assert caught.value.found.endswith("penstock.yml, targets.prod")


def test_options_that_only_sound_like_credentials_are_kept(tmp_path: Path) -> None:
    options = "{token-refresh-enabled: false, header.X-Iceberg-Access-Delegation: vended-credentials, clients: 2}"
    ice = catalogs(tmp_path, f"{{ice: {{type: rest, uri: 'http://h:1', options: {options}}}}}").server.catalogs["ice"]
    assert ice.options == {
        "token-refresh-enabled": "false",
        "header.X-Iceberg-Access-Delegation": "vended-credentials",
        "clients": "2",
    }


@pytest.mark.parametrize(
    ("more", "packages"),
    [
        ("", (DELTA, ICEBERG)),
        (", packages: [delta]", (DELTA, ICEBERG)),
        (", packages: [delta, iceberg]", (DELTA, ICEBERG)),
        (f", packages: ['{OTHER}', delta]", (OTHER, DELTA)),
    ],
)
def test_catalogs_add_icebergs_jar_unless_it_is_there(tmp_path: Path, more: str, packages: tuple[str, ...]) -> None:
    assert catalogs(tmp_path, f"{{ice: {REST}}}", more).server.packages == packages


def test_without_catalogs_there_is_no_jar_of_iceberg(tmp_path: Path) -> None:
    assert catalogs(tmp_path, "{}").server.packages == (DELTA,)


def test_a_spark_without_iceberg_is_refused_by_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "4.2.0")
    with pytest.raises(PenstockError, match=r"Iceberg's jar for Spark 4\.2"):
        catalogs(tmp_path, f"{{ice: {REST}}}")
    assert catalogs(tmp_path, f"{{ice: {REST}}}", f", packages: ['{OTHER}']").server.packages == (OTHER,)
