"""Profiles, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.credentials import PenstockCredentials
from tests.unit.adapter.profiles import credentials


def test_a_profile_of_two_lines_is_enough() -> None:
    """Without a host the project uses its own server."""
    made = credentials()
    assert made.managed
    assert (made.type, made.auth, made.use_ssl, made.query_retries, made.query_timeout) == (
        "penstock",
        "NONE",
        False,
        1,
        None,
    )


def test_the_servers_ansi_mode_is_kept_unless_the_profile_sets_it() -> None:
    """dbt-spark turns it off in its sessions, so SQL and Python models would differ."""
    key = "spark.sql.ansi.enabled"
    assert key not in credentials().server_side_parameters
    for value in (True, False):
        assert credentials(server_side_parameters={key: value}).server_side_parameters[key] == str(value).lower()


def test_server_side_parameters_may_be_booleans_and_numbers() -> None:
    """dbt checks a profile against the types of its keys, and YAML reads `false` as a boolean."""
    data = {
        "schema": "s",
        "server_side_parameters": {"spark.sql.ansi.enabled": False, "spark.sql.shuffle.partitions": 8},
    }
    PenstockCredentials.validate(PenstockCredentials.translate_aliases(data))


def test_unknown_keys_are_refused_by_name() -> None:
    """The error names all of them."""
    with pytest.raises(DbtRuntimeError, match=r"`hots`, `treads`"):
        credentials(hots="a", treads=2)


def test_an_unknown_key_is_compared_with_the_known_ones() -> None:
    with pytest.raises(DbtRuntimeError, match=r"did you mean `explain_seconds`\?; known keys: .*threads"):
        credentials(exlain_seconds=2)


def test_a_port_without_a_host_is_refused() -> None:
    """Without a host penstock starts a server, whose ports penstock.yml chooses."""
    with pytest.raises(DbtRuntimeError, match=r"`port` without `host`.*server\.ports in penstock\.yml"):
        credentials(port=10000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"auth": "OAUTH"}, "found: OAUTH"),
        ({"auth": "LDAP"}, "no password with LDAP"),
        ({"password": "p"}, "a password with NONE"),
        ({"auth": "KERBEROS"}, "none with KERBEROS"),
        ({"auth": "NOSASL", "kerberos_service_name": "hive"}, "hive with NOSASL"),
        ({"ssl_ca": "ca.pem"}, "use_ssl: false"),
        ({"ssl_verify": False}, "use_ssl: false"),
    ],
)
def test_login_and_tls_keys_that_do_not_fit_are_refused(data: dict[str, Any], message: str) -> None:
    """The error names the keys, before a connection is opened."""
    with pytest.raises(DbtRuntimeError, match=message):
        credentials(host="spark.example.org", **data)


def test_auth_ignores_letter_case() -> None:
    """Hive ignores it too."""
    assert credentials(host="h", auth="ldap", password="p").auth == "LDAP"


def test_a_nodes_settings_override_the_profiles() -> None:
    """The profile's settings are unchanged."""
    made = credentials(server_side_parameters={"a": 1, "b": 2})
    assert made.with_conf({"b": "3"}).server_side_parameters == {"a": "1", "b": "3"}
    assert made.server_side_parameters == {"a": "1", "b": "2"}


def test_the_projects_own_server_is_at_a_port_of_loopback() -> None:
    """The copy is still that of a managed server."""
    placed = credentials().for_local_server(10007)
    assert (placed.host, placed.port, placed.managed) == ("127.0.0.1", 10007, True)


def test_the_login_of_the_projects_own_server_is_its_secret() -> None:
    """Unless the profile has a login."""
    placed = credentials().for_local_server(10007, "hidden")
    assert (placed.auth, placed.password) == ("CUSTOM", "hidden")
    own = credentials(auth="LDAP", user="ann", password="mine").for_local_server(10007, "hidden")
    assert (own.auth, own.user, own.password) == ("LDAP", "ann", "mine")
    assert credentials(auth="NOSASL").for_local_server(10007, "hidden").auth == "NOSASL"


def test_a_remote_server_is_not_managed() -> None:
    """So penstock does not start it."""
    assert not credentials(host="spark.example.org").managed


def test_connect_needs_no_host() -> None:
    """The project's own server, or the server of `connect_url`, whose token is not shown."""
    assert credentials(method="connect").managed
    made = credentials(method="connect", connect_url="sc://spark.example:7001/;token=hidden;use_ssl=true")
    assert (made.managed, made.host, made.port, made.method) == (False, "spark.example", 7001, "connect")
    assert credentials(method="connect", connect_url="sc://spark.example").port == 15002
    assert "hidden" not in str(dict(made.connection_info(with_aliases=True)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"host": "h"}, "host: h alone"),
        ({"connect_url": "https://h"}, "another text"),
        ({"connect_url": "sc://h:port"}, "another text"),
        ({"connect_url": "sc://h:1/x=y"}, "another text"),
        ({"auth": "LDAP", "password": "p"}, "auth and password of method: thrift"),
        ({"use_ssl": True}, "use_ssl of method: thrift"),
        ({"method": "carrier"}, "carrier"),
    ],
)
def test_keys_that_do_not_fit_the_method_connect_are_refused(data: dict[str, Any], message: str) -> None:
    """Its token and TLS are in `connect_url`."""
    with pytest.raises(Exception, match=message):
        credentials(**{"method": "connect", **data})
