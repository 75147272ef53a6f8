"""The addresses on which a server listens: loopback, unless the settings name others."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.spark.java import find
from penstock.spark.server import configuration


def _settings(root: Path, server: str) -> Settings:
    (root / "penstock.yml").write_text(f"version: 1\nserver: {{memory: 1g, {server}}}\n")
    return load(root)


def _addresses(settings: Settings) -> dict[str, str | None]:
    defaults = configuration.spark_defaults(settings, settings.server.ports, "token", [])
    names = ("spark.driver.host", "spark.driver.bindAddress", "spark.connect.grpc.binding.address")
    local = configuration.environment(settings, find(None), settings.root).get("SPARK_LOCAL_IP")
    return {**{name: defaults.get(name) for name in names}, "SPARK_LOCAL_IP": local}


def test_everything_listens_on_loopback_by_default(tmp_path: Path) -> None:
    assert set(_addresses(_settings(tmp_path, "")).values()) == {"127.0.0.1"}


def test_every_address_only_if_configured(tmp_path: Path) -> None:
    found = _addresses(_settings(tmp_path, "bind: 0.0.0.0"))
    assert found["spark.driver.bindAddress"] == found["spark.connect.grpc.binding.address"] == "0.0.0.0"
    # Executors connect to the driver's host, and 0.0.0.0 would be their own machine.
    assert found["spark.driver.host"] is None
    assert found["SPARK_LOCAL_IP"] is None


def test_executors_get_the_configured_driver_host(tmp_path: Path) -> None:
    named = "bind: 0.0.0.0, spark_conf: {spark.driver.host: penstock-server-0.penstock-drivers}"
    assert _addresses(_settings(tmp_path, named))["spark.driver.host"] == "penstock-server-0.penstock-drivers"


@pytest.mark.parametrize("wrong", ["10.0.0.1", "localhost", "::"])
def test_other_addresses_are_refused_by_name(tmp_path: Path, wrong: str) -> None:
    """The adapter connects over loopback, which a single other address would exclude."""
    with pytest.raises(PenstockError) as caught:
        _settings(tmp_path, f'bind: "{wrong}"')
    assert "`server.bind`" in caught.value.found
