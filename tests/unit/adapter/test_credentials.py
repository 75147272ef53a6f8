"""The profile, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from tests.unit.adapter.profiles import credentials


def test_a_profile_of_two_lines_is_enough() -> None:
    """Without a host the server is this project's own, reached with its secret."""
    made = credentials()
    assert made.managed
    assert (made.type, made.auth, made.use_ssl, made.query_retries, made.query_timeout) == (
        "penstock",
        "NONE",
        False,
        1,
        None,
    )


def test_ansi_is_left_to_the_server_unless_the_profile_says() -> None:
    """dbt-spark switches it off in its own sessions; SQL and Python would disagree."""
    key = "spark.sql.ansi.enabled"
    assert key not in credentials().server_side_parameters
    for value in (True, False):
        assert credentials(server_side_parameters={key: value}).server_side_parameters[key] == str(value).lower()


def test_unknown_keys_are_refused_by_name() -> None:
    """Every one of them."""
    with pytest.raises(DbtRuntimeError, match=r"`hots`, `treads`"):
        credentials(hots="a", treads=2)


@pytest.mark.parametrize(
    ("data", "words"),
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
def test_settings_that_do_not_fit_are_refused(data: dict[str, Any], words: str) -> None:
    """Before anything is connected to, saying which."""
    with pytest.raises(DbtRuntimeError, match=words):
        credentials(host="spark.example.org", **data)


def test_the_name_of_a_login_is_read_in_any_case() -> None:
    """As Hive itself does."""
    assert credentials(host="h", auth="ldap", password="p").auth == "LDAP"


def test_a_nodes_settings_are_put_over_the_profiles() -> None:
    """In a copy: the profile's own stay as they were."""
    made = credentials(server_side_parameters={"a": 1, "b": 2})
    assert made.with_conf({"b": "3"}).server_side_parameters == {"a": "1", "b": "3"}
    assert made.server_side_parameters == {"a": "1", "b": "2"}


def test_the_projects_own_server_is_met_on_loopback() -> None:
    """Wherever its port is; it stays the project's own."""
    placed = credentials().for_local_server(10007)
    assert (placed.host, placed.port, placed.managed) == ("127.0.0.1", 10007, True)


def test_the_projects_own_server_is_given_its_secret() -> None:
    """Unless the profile has a login of its own."""
    placed = credentials().for_local_server(10007, "hidden")
    assert (placed.auth, placed.password) == ("CUSTOM", "hidden")
    own = credentials(auth="LDAP", user="ann", password="mine").for_local_server(10007, "hidden")
    assert (own.auth, own.user, own.password) == ("LDAP", "ann", "mine")
    assert credentials(auth="NOSASL").for_local_server(10007, "hidden").auth == "NOSASL"


def test_a_remote_server_is_not_managed() -> None:
    """Nothing is started for it."""
    assert not credentials(host="spark.example.org").managed
