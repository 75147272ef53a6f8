"""Open the Spark Connect session of a Python model: its address, certificates, name and settings.

Sessions of SQL (`connect_sql`) use the same addresses and certificates.
"""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbt.adapters.penstock import spark_conf
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.errors import AdapterError
from dbt.adapters.penstock.sessions import managed_server
from penstock.spark.server.record import Record


def url(credentials: PenstockCredentials, name: str) -> str:
    """Return the server's Spark Connect address.

    Raises:
        DbtRuntimeError: the server is remote, and the profile has no `connect_url`.
    """
    if credentials.connect_url:
        return credentials.connect_url
    if not credentials.managed:
        raise AdapterError(
            f"Spark Connect on {credentials.host} for the Python model {name}",
            "a profile with a Thrift host alone",
            "set connect_url: sc://host:port in profiles.yml",
            entry="python-models-need-spark-connect",
        )
    return server_address(managed_server(credentials))


def server_address(server: Record) -> str:
    """Return the Spark Connect address of the project's own server."""
    # The host is localhost instead of 127.0.0.1, since without TLS the client sends a token only to the name localhost.
    return f"sc://localhost:{server.ports.connect}/;token={server.token}"


def without_token(message: str, address: str) -> str:
    """Return a message in which the token of an address is masked."""
    for part in address.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip("/") == "token" and value:
            for form in (value, urllib.parse.unquote(value)):
                message = message.replace(form, "***")
    return message


def build_channel(credentials: PenstockCredentials, address: str, node: str) -> Any:
    """Return the gRPC channel of an address. With TLS, the channel trusts the certificate authority in `ssl_ca`.

    Spark's UI shows the request of a Connect job as the job's description. The request begins with the user's name. So
    that the UI shows the node, the channel sends the node's name in place of the user's name, unless the address
    contains a user's name.

    Raises:
        DbtRuntimeError: the file `ssl_ca` can't be read.
    """
    import grpc  # type: ignore[import-untyped]
    from pyspark.sql.connect.client.core import ChannelBuilder, DefaultChannelBuilder

    class Channel(DefaultChannelBuilder):
        """Spark's channel with another certificate authority."""

        def toChannel(self) -> Any:
            plain = not self.secure or (not self.use_ssl and self.host == "localhost")
            if plain or not credentials.ssl_ca:
                return super().toChannel()
            file = Path(credentials.project_root) / Path(credentials.ssl_ca).expanduser()
            try:
                trusted = file.read_bytes()
            except OSError as error:
                raise AdapterError(
                    "the CA file of Spark Connect (ssl_ca)",
                    f"{file}: {error.strerror}",
                    "correct ssl_ca in profiles.yml",
                ) from None
            secured = grpc.ssl_channel_credentials(root_certificates=trusted)
            if self.token is not None:
                secured = grpc.composite_channel_credentials(secured, grpc.access_token_call_credentials(self.token))
            return self._secure_channel(self.endpoint, secured)

    channel = Channel(address)
    if channel.userId is None:
        channel.set(ChannelBuilder.PARAM_USER_ID, node)
    return channel


def open_session(credentials: PenstockCredentials, address: str, node: str) -> Any:
    """Open a session on this thread.

    Raises:
        DbtRuntimeError: no server answers at the address with the address's TLS settings, or the file `ssl_ca` can't
            be read.
    """
    import grpc
    from pyspark.sql.connect.session import SparkSession

    class Session(SparkSession):
        """Spark's session class, but only `stop` closes a session. The code that opens a session must call `stop`.

        Spark's class also closes a session on garbage collection, which can happen on any thread. On a gRPC thread, the
        close is a deadlock: the session waits for its last requests, these requests wait for the thread, and every
        other session waits too. Versions of Spark after 4.1 fix the deadlock (SPARK-55362, SPARK-55406).
        """

        def __del__(self) -> None:
            pass

    # SparkSession.builder.remote sets this variable too. Spark's functions and pandas-on-Spark read the variable.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    channel = build_channel(credentials, address, node)
    # Without this probe, the client would retry for ten minutes, and again for ten minutes when it is closed.
    probe = channel.toChannel()
    try:
        grpc.channel_ready_future(probe).result(timeout=max(10, credentials.connect_timeout))
    except grpc.FutureTimeoutError:
        raise AdapterError(
            f"Spark Connect at {channel.endpoint}",
            "no answer, or a certificate that isn't trusted",
            "check that it runs there, and use_ssl in connect_url and ssl_ca in profiles.yml",
            entry="tls-without-a-trusted-certificate",
        ) from None
    finally:
        probe.close()
    session = Session(channel)
    SparkSession._set_default_and_active_session(session)
    limit_retries(session.client, credentials)
    session.addTag(node.replace(",", "_"))
    return session


def limit_retries(client: Any, credentials: PenstockCredentials) -> None:
    """Let a client retry for about half a minute, or for about a second if the server is on this machine.

    Longer retries are useless, since a restarted server does not have the session's views.
    """
    from pyspark.sql.connect.client.retries import DefaultPolicy

    client.set_retry_policies([DefaultPolicy(max_retries=3 if credentials.managed else 8, max_backoff=5000)])


def configure(session: Any, conf: Mapping[str, str], name: str) -> None:
    """Set a model's `spark_conf` in the model's session.

    Raises:
        DbtRuntimeError: a running Spark does not accept one of the settings.
    """
    for key, value in conf.items():
        checked = key.startswith("spark.") and not key.startswith(spark_conf.UNCHECKED_PREFIXES)
        if checked and not session.conf.isModifiable(key):
            raise AdapterError(
                f"settings that a running Spark takes as spark_conf of {name}",
                f"{key}, which is fixed at its start or unknown to it",
                "set submission_method: spark_submit for this model, or put it under server.spark_conf in penstock.yml",
            )
        session.conf.set(key, value)
