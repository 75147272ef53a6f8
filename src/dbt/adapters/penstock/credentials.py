"""The profile of type `penstock`.

Without `host` the server is this project's own: found or started on this machine by the settings
in penstock.yml. With `host` it is someone else's, and nothing is started.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from dbt.adapters.spark.connections import SparkConnectionMethod, SparkCredentials
from dbt_common.exceptions import DbtRuntimeError

MANAGED_HOST = "this machine"
ANSI = "spark.sql.ansi.enabled"
# What dbt itself adds to a target before the adapter reads it.
OF_DBT = {"type", "threads", "pass", "target", "catalog", "dbname"}


@dataclass
class PenstockCredentials(SparkCredentials):
    """dbt-spark's credentials with penstock's defaults.

    Attributes:
        connect_url: Spark Connect address of a remote server, `sc://host:port/;token=…`; Python
            models need it there. The server of this project knows its own.
        managed: whether the server is this project's own. Derived, not a key of the profile.
        project_root: the dbt project's folder, where penstock.yml is looked for. Set by the adapter.
    """

    managed: ClassVar[bool] = True
    project_root: ClassVar[str] = "."

    host: str | None = None
    method: SparkConnectionMethod = SparkConnectionMethod.THRIFT
    user: str | None = "penstock"
    port: int = 10000
    # The server long-polls: sleeping between polls only delays short statements.
    poll_interval: int = 0
    # A statement sent again after a lost connection may take effect twice.
    query_retries: int = 0
    connect_url: str | None = None

    @classmethod
    def __pre_deserialize__(cls, data: Any) -> Any:
        """Refuse a key that is not one, by name: dbt itself would pass over it in silence."""
        allowed = {f.name for f in fields(cls) if f.init} | set(cls._ALIASES) | OF_DBT
        if unknown := sorted(set(data) - allowed):
            raise DbtRuntimeError(
                f"needed: a profile of type penstock. found: unknown key {', '.join(f'`{k}`' for k in unknown)}. "
                f"do: correct profiles.yml; known keys: {', '.join(sorted(allowed - OF_DBT))}"
            )
        return super().__pre_deserialize__(data)

    def __post_init__(self) -> None:
        # Set on the instance, outside the dataclass: neither is read from nor shown in a profile.
        managed = self.host in (None, MANAGED_HOST)
        object.__setattr__(self, "managed", managed)
        self.host = MANAGED_HOST if managed else self.host
        own = dict(self.server_side_parameters)
        super().__post_init__()
        # dbt-spark switches ANSI off in its sessions, so that SQL and Python would disagree. The
        # server's own setting holds for both, unless the profile says otherwise.
        if ANSI not in own:
            self.server_side_parameters.pop(ANSI, None)

    @property
    def type(self) -> str:
        return "penstock"

    @property
    def unique_field(self) -> str:
        return str(self.host)

    def _connection_keys(self) -> tuple[str, ...]:
        return ("schema", "managed") if self.managed else ("host", "port", "schema", "user", "auth", "use_ssl")
