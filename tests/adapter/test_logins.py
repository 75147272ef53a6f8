"""TLS and ways of logging in, on real servers that insist on them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.exceptions import FailedToConnectError

from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.sessions import open_session
from penstock.spark import java
from penstock.spark.server import control
from tests.adapter.ldap import directory
from tests.support.projects import Project, small_project


@contextmanager
def server(root: Path, java_options: tuple[str, ...] = (), **conf: str) -> Iterator[Project]:
    """A server with these settings of Hive's Thrift service."""
    prefixed = {f"spark.hadoop.hive.server2.{key}": value for key, value in conf.items()}
    project = small_project(root, {}, memory="900m", spark_conf=prefixed, java_options=list(java_options))
    try:
        done = project.penstock("up")
        assert done.returncode == 0, done.stdout
        yield project
    finally:
        control.down(project.settings)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key store for `localhost`, and its certificate for those who trust it."""
    folder = tmp_path_factory.mktemp("certificate")
    keytool = str(java.find().home / "bin" / "keytool")
    store = ("-keystore", str(folder / "store.p12"), "-storepass", "penstock", "-alias", "server")
    name = ("-dname", "CN=localhost", "-ext", "SAN=dns:localhost", "-keyalg", "RSA", "-validity", "2")
    subprocess.run([keytool, "-genkeypair", *store, *name, "-storetype", "PKCS12"], check=True, capture_output=True)
    exported = [keytool, "-exportcert", *store, "-rfc", "-file", str(folder / "ca.pem")]
    subprocess.run(exported, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> Iterator[Project]:
    """A server that wants TLS, and a password that a directory knows."""
    settings = {
        "use.SSL": "true",
        "keystore.path": str(certificate / "store.p12"),
        "keystore.password": "penstock",
        "authentication": "LDAP",
    }
    with directory(ann="secret") as port:
        # Its login check reads a configuration of its own, over which system properties are put.
        url = f"-Dhive.server2.authentication.ldap.url=ldap://127.0.0.1:{port}"
        with server(tmp_path_factory.mktemp("guarded") / "project", (url,), **settings) as made:
            yield made


def answer(project: Project, **keys: Any) -> Any:
    """What `select 42` gives over a session of a profile with these keys; the server is on `localhost`."""
    running = control.current(project.settings)
    assert running
    given = {"host": "localhost", "connect_timeout": 60, **keys}
    credentials = PenstockCredentials(schema="s", port=running.ports.thrift, **given)
    with closing(open_session(credentials).connection) as connection:
        cursor = connection.cursor()
        cursor.execute("select 42")
        return cursor.fetchall()[0][0]


def refusal(project: Project, **keys: Any) -> str:
    """Why such a session is not to be had."""
    with pytest.raises(FailedToConnectError) as caught:
        answer(project, **keys)
    return str(caught.value.msg)


LOGIN = {"auth": "LDAP", "user": "ann", "password": "secret"}


def test_a_trusted_certificate_and_a_right_password_pass(guarded: Project, certificate: Path) -> None:
    """TLS and LDAP."""
    assert answer(guarded, use_ssl=True, ssl_ca=str(certificate / "ca.pem"), **LOGIN) == 42


def test_a_certificate_of_nobody_known_is_refused(guarded: Project) -> None:
    """What dbt-spark's own TLS lets pass; the message says how to trust it."""
    words = refusal(guarded, use_ssl=True, **LOGIN)
    assert "self-signed certificate" in words and "set ssl_ca in profiles.yml" in words


def test_a_certificate_of_another_name_is_refused(guarded: Project, certificate: Path) -> None:
    """A trusted one too."""
    words = refusal(guarded, host="127.0.0.1", use_ssl=True, ssl_ca=str(certificate / "ca.pem"), **LOGIN)
    assert "not valid for '127.0.0.1'" in words


def test_the_check_can_be_switched_off(guarded: Project) -> None:
    """In so many words."""
    assert answer(guarded, use_ssl=True, ssl_verify=False, **LOGIN) == 42


def test_a_wrong_password_is_refused(guarded: Project, certificate: Path) -> None:
    """By the directory."""
    words = refusal(guarded, use_ssl=True, ssl_ca=str(certificate / "ca.pem"), **{**LOGIN, "password": "guess"})
    assert "correct user, password and auth" in words


def test_a_client_without_tls_learns_that_it_is_missing(guarded: Project) -> None:
    """The server just closes."""
    assert "use_ssl (now false)" in refusal(guarded, **LOGIN)


def test_nosasl(tmp_path: Path) -> None:
    """A bare connection; a client that greets, and one that wants TLS, are told what to look at."""
    with server(tmp_path / "project", authentication="NOSASL") as bare:
        assert answer(bare, auth="NOSASL") == 42
        assert "auth (NONE, NOSASL, LDAP, KERBEROS, CUSTOM)" in refusal(bare)
        assert "use_ssl" in refusal(bare, auth="NOSASL", use_ssl=True)
