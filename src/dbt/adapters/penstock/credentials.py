"""The profile of type `penstock`.

Without `host` the project uses its own server, which penstock starts on this machine by the settings in penstock.yml.
With `host` it uses a remote server, and nothing is started.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from dbt.adapters.spark.connections import SparkConnectionMethod, SparkCredentials

from dbt.adapters.penstock import spark_conf
from dbt.adapters.penstock.databases import DEFAULT_CATALOG, is_foreign
from dbt.adapters.penstock.errors import AdapterError
from penstock.config.settings import Settings, find_root, load
from penstock.spark.ports import LOOPBACK

MANAGED_HOST = "this machine"
# A setting of sessions on a remote server; the project's own server has it by default.
NO_SUBSTITUTION = {"spark.sql.variable.substitute": "false"}
AUTH = ("NONE", "NOSASL", "LDAP", "CUSTOM", "KERBEROS")
# Keys that dbt adds to a target before the adapter reads it.
DBT_KEYS = {"type", "threads", "pass", "target", "catalog", "dbname"}


@dataclass
class PenstockCredentials(SparkCredentials):
    """dbt-spark's credentials with penstock's defaults.

    Attributes:
        connect_url: Spark Connect address of a remote server, `sc://host:port/;token=…`; Python models on that
            server need it.
        poll_interval: longest pause, in seconds, between polls of a server that answers them at once. Spark's Thrift
            server answers a poll when the statement ends, so there is no pause.
        query_retries: how often a statement that only reads is sent again after a lost connection, in a session that
            no statement changed. A statement that writes is never sent twice.
        ssl_ca: file of the certificate authority of the server (PEM), relative to the project. Without it, the
            machine's certificate authorities are trusted.
        ssl_verify: false accepts any certificate.
        file_format: table format of models, seeds and snapshots that do not set one.
        keep_plans: whether to capture the plan of each model that runs, for plan tests and `penstock explain`.
        ui_url: address of a remote server's Spark UI, `http://host:4040`; executed plans are read from its REST API.
        managed: whether the server is the project's own. Derived, not a key of the profile.
        project_root: the folder of the dbt project and of penstock.yml. Set by the adapter.
        target_name: the name of the target, which may have a section in penstock.yml. Set by the adapter.
    """

    managed: ClassVar[bool] = True
    project_root: ClassVar[str] = "."
    target_name: ClassVar[str | None] = None

    host: str | None = None
    auth: str | None = None
    method: SparkConnectionMethod = SparkConnectionMethod.THRIFT
    user: str | None = "penstock"
    port: int = 10000
    poll_interval: float = 0.5  # type: ignore[assignment]
    query_retries: int = 1
    ssl_ca: str | None = None
    ssl_verify: bool = True
    server_side_parameters: dict[str, str] = field(default_factory=dict)
    connect_url: str | None = None
    file_format: str = "delta"
    keep_plans: bool = True
    ui_url: str | None = None

    @classmethod
    def __pre_deserialize__(cls, data: Any) -> Any:
        """Check the keys, since dbt ignores unknown ones.

        Raises:
            AdapterError: a key is unknown.
        """
        allowed = {f.name for f in fields(cls) if f.init} | set(cls._ALIASES) | DBT_KEYS
        if unknown := sorted(set(data) - allowed):
            raise AdapterError(
                "a profile of type penstock",
                f"unknown key {', '.join(f'`{k}`' for k in unknown)}",
                f"correct profiles.yml; known keys: {', '.join(sorted(allowed - DBT_KEYS))}",
            )
        return super().__pre_deserialize__(data)

    def __post_init__(self) -> None:
        # Not a field of the dataclass, so that it is neither read from a profile nor shown in it.
        managed = self.host in (None, MANAGED_HOST)
        object.__setattr__(self, "managed", managed)
        self.host = MANAGED_HOST if managed else self.host
        own = {str(key): spark_conf.as_text(value) for key, value in self.server_side_parameters.items()}
        if not is_foreign(vars(self).get("database")):
            self.database = None
        super().__post_init__()
        # dbt-spark turns ANSI mode off in its sessions, so SQL and Python models would differ. The server's setting
        # is used for both, unless the profile sets another one.
        self.server_side_parameters = own if managed else {**NO_SUBSTITUTION, **own}
        if self.method == SparkConnectionMethod.THRIFT:
            self._check_login()

    def _check_login(self) -> None:
        """Check that the keys of login and TLS fit together."""
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
            PenstockError: the file is not valid.
        """
        return load(find_root(Path(self.project_root)), self.target_name)

    def for_local_server(self, port: int, password: str = "") -> PenstockCredentials:
        """Return the credentials for the project's own server at a port of this machine.

        Args:
            password: the server's secret; the profile's own login takes precedence.
        """
        local = copy(self)
        local.host, local.port = LOOPBACK, port
        if password and self.auth == "NONE":
            local.auth, local.password = "CUSTOM", password
        return local

    def with_conf(self, conf: dict[str, str]) -> PenstockCredentials:
        """Return the credentials with a node's `spark_conf`, which overrides the session settings of the profile."""
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
        """Yield the keys that `dbt debug` shows; with aliases also those of `target` in Jinja, including `database`."""
        yield from super().connection_info(with_aliases=with_aliases)
        if with_aliases:
            yield "database", DEFAULT_CATALOG

    def _connection_keys(self) -> tuple[str, ...]:
        return ("schema", "managed") if self.managed else ("host", "port", "schema", "user", "auth", "use_ssl")
