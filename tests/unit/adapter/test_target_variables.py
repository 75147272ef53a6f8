"""The variable `target` in Jinja, made by dbt's own code from a profile, without a server."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from dbt.adapters.contracts.connection import Credentials
from dbt.config import profile as dbt_profile
from dbt.config.profile import Profile
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.credentials import PenstockCredentials
from tests.unit.adapter.profiles import credentials


def target(of: Credentials) -> dict[str, Any]:
    """Return the variable `target` of a profile with these credentials."""
    # dbt reads its flags when it creates a profile, so this one is created without its constructor.
    made = Profile.__new__(Profile)
    made.credentials, made.threads, made.target_name, made.profile_name = of, 3, "dev", "shop"
    return made.to_target_dict()


def test_packages_see_the_type_of_dbt_spark() -> None:
    """As a plain string, for tests such as `'spark' in target.type`."""
    found = target(credentials())
    assert found["type"] == "spark" and type(found["type"]) is str
    assert (found["adapter"], found["name"], found["threads"], found["schema"]) == ("penstock", "dev", 3, "warehouse")
    assert found["database"] == "spark_catalog"


def test_the_profile_can_keep_the_adapters_name() -> None:
    assert target(credentials(target_type="penstock"))["type"] == "penstock"


def test_the_adapters_type_is_unchanged() -> None:
    """Macro dispatch and the manifest use it."""
    assert credentials().type == "penstock"


@pytest.mark.parametrize(
    ("data", "message"),
    [({"target_type": "databricks"}, "found: databricks"), ({"explain_seconds": -1}, "found: -1")],
)
def test_an_invalid_value_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(DbtRuntimeError, match=message):
        credentials(**data)


def test_another_adapters_target_is_unchanged() -> None:
    """Also in a process in which penstock has wrapped the method."""
    credentials()
    other = SimpleNamespace(connection_info=lambda with_aliases: [("schema", "s")], type="postgres")
    assert target(other)["type"] == "postgres"  # type: ignore[arg-type]


def test_the_method_is_wrapped_once() -> None:
    credentials()
    wrapped = Profile.to_target_dict
    credentials()
    assert Profile.to_target_dict is wrapped


def test_a_dbt_without_the_method_gets_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile still works, and `target.type` is dbt's."""
    monkeypatch.setattr(dbt_profile, "Profile", SimpleNamespace())
    with pytest.warns(UserWarning, match=r"lacks Profile\.to_target_dict, so `target_type`"):
        assert credentials().type == "penstock"


def test_a_target_without_a_type_gets_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing else in `target` changes, the command goes on."""

    class Other:
        credentials: Any = None

        def to_target_dict(self) -> dict[str, Any]:
            return {"name": "dev"}

    monkeypatch.setattr(dbt_profile, "Profile", Other)
    made = Other()
    made.credentials = credentials()
    with pytest.warns(UserWarning, match="lacks the key `type`"):
        assert made.to_target_dict() == {"name": "dev"}


def test_the_managed_server_has_a_host_and_its_preferred_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is started. They are not among the keys from which dbt decides to parse the project again."""
    server = {"ports": {"thrift": 12345}}
    (tmp_path / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": server}))
    monkeypatch.setattr(PenstockCredentials, "project_root", str(tmp_path))
    made = credentials()
    found = target(made)
    assert (found["host"], found["port"]) == ("127.0.0.1", 12345)
    assert not {"host", "port"} & set(dict(made.connection_info()))


def test_the_running_servers_port_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preferred port may have been in use when the server started."""
    ready = SimpleNamespace(state="ready", ports=SimpleNamespace(thrift=10007))
    monkeypatch.setattr("dbt.adapters.penstock.target_variables.record.read", lambda settings: ready)
    monkeypatch.setattr(PenstockCredentials, "project_root", str(tmp_path))
    assert target(credentials())["port"] == 10007


def test_an_invalid_penstock_yml_leaves_the_default_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that opens a connection raises the error."""
    (tmp_path / "penstock.yml").write_text("wrong: 1\n")
    monkeypatch.setattr(PenstockCredentials, "project_root", str(tmp_path))
    assert target(credentials())["port"] == 10000


def test_a_remote_server_has_its_own_host_and_port() -> None:
    found = target(credentials(host="spark.example.org", port=10001))
    assert (found["host"], found["port"]) == ("spark.example.org", 10001)
