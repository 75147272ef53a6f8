"""The profile of type `penstock`.

If the profile has no `host`, penstock starts the project's own server on this machine, with the settings in
penstock.yml. If the profile has a `host`, penstock connects to that remote server and starts no server.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from dbt.adapters.spark.connections import SparkCredentials
from dbt_common.dataclass_schema import StrEnum

from dbt.adapters.penstock import databases, spark_conf, target_variables
from dbt.adapters.penstock.errors import AdapterError
from penstock.config.settings import Settings, find_root, load
from penstock.spark.ports import LOOPBACK

MANAGED_HOST = "this machine"
# The port of a Spark Connect URL without a port.
CONNECT_PORT = 15002
# Sessions on a remote server get this setting. The project's own server is started with the same setting.
NO_SUBSTITUTION = {"spark.sql.variable.substitute": "false"}
AUTH = ("NONE", "NOSASL", "LDAP", "CUSTOM", "KERBEROS")
# Keys that dbt adds to a target before the adapter reads it.
ADDED_BY_DBT = {"pass", "target", "dbname"}
DEFAULT_CATALOG = "spark.sql.defaultCatalog"


class ConnectionMethod(StrEnum):
    """How SQL reaches Spark: dbt-spark's methods, and `connect` for Spark Connect."""

    THRIFT = "thrift"
    HTTP = "http"
    ODBC = "odbc"
    SESSION = "session"
    CONNECT = "connect"


@dataclass
class PenstockCredentials(SparkCredentials):
    """dbt-spark's credentials with penstock's defaults.

    Attributes:
        database: the Spark catalog of nodes and sources that set no `database`, and the default catalog of sessions.
            None means `spark_catalog`. In the profile, the key may also be named `catalog`.
        method: `thrift`, `connect`, or a method of dbt-spark.
        connect_url: the Spark Connect URL of a remote server, `sc://host:port/;token=…`. Python models on a remote
            server need this URL. With the method `connect`, SQL uses it too.
        poll_interval: the longest pause between two polls, in seconds. There are pauses only if the server answers
            polls immediately. Spark's Thrift server answers a poll when the statement ends, so there is no pause.
        query_retries: how often a statement that only reads is sent again after a lost connection, if no earlier
            statement changed the session. A statement that writes is never sent twice.
        ssl_ca: the PEM file of the server's certificate authority. The path is relative to the project. Without a file,
            the machine's certificate authorities are trusted.
        ssl_verify: whether to check the server's certificate.
        file_format: the table format of models, seeds and snapshots that do not set a format.
        keep_plans: whether to capture the plan of each model that runs, for plan tests and `penstock explain`.
        ui_url: the URL of a remote server's Spark UI, `http://host:4040`. The adapter reads executed plans from
            the UI's REST API.
        explain_seconds: the longest duration of the EXPLAIN statement before a model, in seconds. With 0, the adapter
            runs no EXPLAIN and captures only executed plans.
        target_type: the value of `target.type` in Jinja, `spark` or `penstock`. Packages know `spark`.
        managed: whether the server is the project's own. `host` determines the value, and a profile can't set it.
        project_root: the folder of the dbt project and of penstock.yml. The adapter sets this value.
        target_name: the name of dbt's target, which may have a section in penstock.yml. The adapter sets this value.
    """

    _ALIASES: ClassVar[dict[str, str]] = {**SparkCredentials._ALIASES, "catalog": "database"}
    managed: ClassVar[bool] = True
    project_root: ClassVar[str] = "."
    target_name: ClassVar[str | None] = None

    host: str | None = None
    auth: str | None = None
    method: ConnectionMethod = ConnectionMethod.THRIFT  # type: ignore[assignment]
    user: str | None = "penstock"
    port: int = 10000
    poll_interval: float = 0.5  # type: ignore[assignment]
    query_retries: int = 1
    ssl_ca: str | None = None
    ssl_verify: bool = True
    # YAML reads some values as booleans or numbers. The session gets all values as text.
    server_side_parameters: dict[str, Any] = field(default_factory=dict)
    connect_url: str | None = None
    file_format: str = "delta"
    keep_plans: bool = True
    ui_url: str | None = None
    explain_seconds: float = 10
    target_type: str = target_variables.TARGET_TYPES[0]

    @classmethod
    def __pre_deserialize__(cls, data: Any) -> Any:
        """Check that the profile has no unknown keys. dbt itself ignores unknown keys.

        Raises:
            AdapterError: the profile has an unknown key.
        """
        allowed = {f.name for f in fields(cls) if f.init} | set(cls._ALIASES) | {"type", "threads"} | ADDED_BY_DBT
        if unknown := sorted(set(data) - allowed):
            similar = difflib.get_close_matches(unknown[0], allowed, 1)
            raise AdapterError(
                "keys that a target of type penstock has",
                f"unknown key {', '.join(f'`{k}`' for k in unknown)}",
                f"correct profiles.yml{f'; did you mean `{similar[0]}`?' if similar else ''}; "
                f"known keys: {', '.join(sorted(allowed - ADDED_BY_DBT))}",
                entry="the-profile-has-an-unknown-key",
            )
        if data.get("port") is not None and data.get("host") is None and not data.get("connect_url"):
            raise AdapterError(
                f"the host of the server at port {data['port']}",
                "`port` without `host` in profiles.yml",
                "add `host`; or remove `port`: penstock starts a server, and server.ports in penstock.yml chooses "
                "its ports",
            )
        return super().__pre_deserialize__(data)

    def __post_init__(self) -> None:
        # `managed` is not a field of the dataclass, so that a profile can't set it and dbt doesn't show it.
        if self.method == ConnectionMethod.CONNECT:
            self._check_connect()
        managed = self.host in (None, MANAGED_HOST)
        object.__setattr__(self, "managed", managed)
        self.host = MANAGED_HOST if managed else self.host
        own = {str(key): spark_conf.as_text(value) for key, value in self.server_side_parameters.items()}
        database, self.database = vars(self).get("database"), None  # dbt-spark refuses every database
        super().__post_init__()
        catalog = databases.set_default(None if database == self.schema else database)
        if catalog.lower() != databases.SPARK_CATALOG:
            self.database = catalog
            own = {DEFAULT_CATALOG: catalog, **own}
        # dbt-spark turns ANSI mode off in its sessions, so SQL and Python models would differ. In penstock, both kinds
        # of models use the server's ANSI mode, unless the profile sets the mode.
        self.server_side_parameters = own if managed else {**NO_SUBSTITUTION, **own}
        if self.method == ConnectionMethod.THRIFT:
            self._check_login()
        self._check_values()
        target_variables.change_type()

    def _check_values(self) -> None:
        """Check the keys that neither dbt nor the server checks.

        Raises:
            AdapterError: a value is invalid.
        """
        if self.target_type not in target_variables.TARGET_TYPES:
            needed = f"target_type to be one of {', '.join(target_variables.TARGET_TYPES)}"
            raise AdapterError(needed, str(self.target_type), "correct target_type in profiles.yml")
        if self.explain_seconds < 0:
            needed = "explain_seconds of at least 0, where 0 runs no EXPLAIN"
            raise AdapterError(needed, f"{self.explain_seconds:g}", "correct explain_seconds in profiles.yml")

    def _check_connect(self) -> None:
        """Check the keys of the method `connect`. Without `host`, take `host` and `port` from `connect_url`.

        Raises:
            AdapterError: a key belongs to another method, or the server's URL is missing or invalid.
        """
        do = "correct connect_url: sc://host:port/;token=…;use_ssl=true in profiles.yml"
        given = {"auth": self.auth, "password": self.password, "kerberos_service_name": self.kerberos_service_name}
        keys = [key for key, value in {**given, "use_ssl": self.use_ssl or not self.ssl_verify}.items() if value]
        if keys:
            needed = "the token and TLS of method: connect in connect_url"
            raise AdapterError(needed, f"{' and '.join(keys)} of method: thrift", f"remove them, and {do}")
        if self.connect_url:
            address = urlsplit(self.connect_url)
            try:
                host, port = address.hostname, address.port or CONNECT_PORT
            except ValueError:
                host, port = None, CONNECT_PORT
            if address.scheme != "sc" or not host or address.path.partition(";")[0] not in ("", "/"):
                raise AdapterError("a Spark Connect URL in connect_url", "another text", do)
            if self.host in (None, MANAGED_HOST):
                self.host, self.port = host, port
        elif self.host not in (None, MANAGED_HOST):
            raise AdapterError("connect_url with method: connect", f"host: {self.host} alone", do)

    def _check_login(self) -> None:
        """Check that the profile's keys for login and TLS are consistent.

        Raises:
            AdapterError: a key is invalid, or contradicts another key.
        """
        self.auth = (self.auth or "NONE").upper()

        def refuse(needed: str, found: str, do: str) -> None:
            raise AdapterError(needed, found, f"{do} in profiles.yml")

        if self.auth not in AUTH:
            refuse(f"auth to be one of {', '.join(AUTH)}", self.auth, "correct auth")
        if (self.password is not None) != (self.auth in ("LDAP", "CUSTOM")):
            found = "no password" if self.password is None else "a password"
            refuse("a password with auth LDAP or CUSTOM, and only there", f"{found} with {self.auth}", "correct it")
        if (self.kerberos_service_name is not None) != (self.auth == "KERBEROS"):
            found = f"{self.kerberos_service_name or 'none'} with {self.auth}"
            refuse("kerberos_service_name with auth KERBEROS, and only there", found, "correct it")
        if not self.use_ssl and (self.ssl_ca or not self.ssl_verify):
            refuse("use_ssl: true with ssl_ca or ssl_verify", "use_ssl: false", "set use_ssl: true or drop them")

    @property
    def settings(self) -> Settings:
        """The settings of penstock.yml for this target.

        Raises:
            PenstockError: penstock.yml is not valid.
        """
        return load(find_root(Path(self.project_root)), self.target_name)

    def for_local_server(self, port: int, password: str = "") -> PenstockCredentials:
        """Return the credentials for the project's own server on this machine.

        Args:
            port: the server's Thrift port.
            password: the server's secret. If the profile has its own login, the secret is ignored.
        """
        local = copy(self)
        local.host, local.port = LOOPBACK, port
        if password and self.auth == "NONE":
            local.auth, local.password = "CUSTOM", password
        return local

    def with_conf(self, conf: dict[str, str]) -> PenstockCredentials:
        """Return the credentials with a node's `spark_conf`. These settings override the profile's session settings."""
        changed = copy(self)
        changed.server_side_parameters = {**self.server_side_parameters, **conf}
        return changed

    @property
    def type(self) -> str:
        return "penstock"

    @property
    def unique_field(self) -> str:
        return str(self.host)

    def connection_info(self, *, with_aliases: bool = False) -> Iterable[tuple[str, Any]]:
        """Yield the keys and values that `dbt debug` shows.

        Args:
            with_aliases: whether to add the keys that only `target` in Jinja has, such as `database`.
        """
        yield from super().connection_info(with_aliases=with_aliases)
        if with_aliases:
            yield "database", self.database or databases.SPARK_CATALOG
            yield "adapter", self.type
            if self.managed:
                yield "host", LOOPBACK
                yield "port", target_variables.managed_port(str(self.project_root), self.target_name)

    def _connection_keys(self) -> tuple[str, ...]:
        if self.method == ConnectionMethod.CONNECT:
            return ("method", "schema", "managed") if self.managed else ("method", "host", "port", "schema", "user")
        return ("schema", "managed") if self.managed else ("host", "port", "schema", "user", "auth", "use_ssl")
