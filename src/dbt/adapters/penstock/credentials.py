"""The profile of type `penstock`.

Without `host` the server is this project's own: found or started on this machine by the settings
in penstock.yml. With `host` it is someone else's, and nothing is started.
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
# Of a session on a remote server; the project's own server has it as a default.
VERBATIM = {"spark.sql.variable.substitute": "false"}
# What dbt itself adds to a target before the adapter reads it.
AUTH = ("NONE", "NOSASL", "LDAP", "CUSTOM", "KERBEROS")
OF_DBT = {"type", "threads", "pass", "target", "catalog", "dbname"}


@dataclass
class PenstockCredentials(SparkCredentials):
    """dbt-spark's credentials with penstock's defaults.

    Attributes:
        connect_url: Spark Connect address of a remote server, `sc://host:port/;token=…`; Python
            models need it there. The server of this project knows its own.
        poll_interval: longest pause, in seconds, between polls of a server that answers them at
            once. Spark's own holds a poll back until the statement ends: there is no pause.
        query_retries: how often a statement that only reads is sent again after a lost connection,
            in a session that no statement changed. One that writes is never sent twice.
        ssl_ca: file of the certificate authority (PEM) that vouches for the server; relative to the
            project. Without it the machine's own authorities do.
        ssl_verify: false takes any certificate.
        file_format: table format of models, seeds and snapshots that don't set one.
        keep_plans: keep the plan of each model that runs, for the tests on plans and `penstock explain`.
        ui_url: address of a remote server's Spark UI, `http://host:4040`; the plans that ran are read
            from its REST status. The server of this project knows its own.
        managed: whether the server is this project's own. Derived, not a key of the profile.
        project_root: the dbt project's folder, where penstock.yml is looked for. Set by the adapter.
        target_name: the name of the target, whose section in penstock.yml holds. Set by the adapter.
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
        """Refuse a key that is not one, by name: dbt itself would pass over it in silence."""
        allowed = {f.name for f in fields(cls) if f.init} | set(cls._ALIASES) | OF_DBT
        if unknown := sorted(set(data) - allowed):
            raise AdapterError(
                "a profile of type penstock",
                f"unknown key {', '.join(f'`{k}`' for k in unknown)}",
                f"correct profiles.yml; known keys: {', '.join(sorted(allowed - OF_DBT))}",
            )
        return super().__pre_deserialize__(data)

    def __post_init__(self) -> None:
        # Set on the instance, outside the dataclass: neither is read from nor shown in a profile.
        managed = self.host in (None, MANAGED_HOST)
        object.__setattr__(self, "managed", managed)
        self.host = MANAGED_HOST if managed else self.host
        own = {str(key): spark_conf.as_text(value) for key, value in self.server_side_parameters.items()}
        if not is_foreign(vars(self).get("database")):
            self.database = None
        super().__post_init__()
        # dbt-spark switches ANSI off in its sessions, so that SQL and Python would disagree. The
        # server's own setting holds for both, unless the profile says otherwise.
        self.server_side_parameters = own if managed else {**VERBATIM, **own}
        if self.method == SparkConnectionMethod.THRIFT:
            self._check_login()

    def _check_login(self) -> None:
        """What belongs together: a password with the ways of logging in that take one, TLS with its settings."""
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
        """What penstock.yml says for this target.

        Raises:
            PenstockError: the file is not valid.
        """
        return load(find_root(Path(self.project_root)), self.target_name)

    def at(self, port: int, password: str = "") -> PenstockCredentials:
        """The same, for the project's own server at a port of this machine.

        Args:
            password: the server's secret; the profile's own login goes before it.
        """
        placed = copy(self)
        placed.host, placed.port = LOOPBACK, port
        if password and self.auth == "NONE":
            placed.auth, placed.password = "CUSTOM", password
        return placed

    def with_conf(self, conf: dict[str, str]) -> PenstockCredentials:
        """The same, with a node's `spark_conf` put over the session settings of the profile."""
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
        """What `dbt debug` shows; with aliases, what a project finds in `target`: there its database too."""
        yield from super().connection_info(with_aliases=with_aliases)
        if with_aliases:
            yield "database", DEFAULT_CATALOG

    def _connection_keys(self) -> tuple[str, ...]:
        return ("schema", "managed") if self.managed else ("host", "port", "schema", "user", "auth", "use_ssl")
