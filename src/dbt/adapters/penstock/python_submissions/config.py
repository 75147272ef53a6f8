"""The configuration of a Python model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import layout
from dbt.adapters.penstock.errors import AdapterError


def invalid_value(name: str, key: str, needed: str, value: Any) -> DbtRuntimeError:
    """Return the error for an invalid configuration value."""
    return AdapterError(
        f"{needed} as {key} of the Python model {name}",
        repr(value),
        f"correct {key} in its config",
    )


def as_tuple(value: Any) -> tuple[str, ...]:
    """Return one name or a list of names as a tuple."""
    return (value,) if isinstance(value, str) else tuple(map(str, value or ()))


@dataclass(frozen=True)
class PythonConfig:
    """The configuration of a Python model, except the table's layout.

    Attributes:
        spark_conf: the model's Spark settings. The model's own `spark_conf` overrides the settings of its layout.
        timeout: seconds until the model is stopped, or None for no limit.
        packages: requirements in pip's syntax, which must be installed.
        master: the Spark master of a spark_submit driver, or None to use the master in penstock.yml.
        deploy_mode: where a spark_submit driver runs: `client` (on dbt's machine) or `cluster`.
        enforce_columns: whether the model's rows must have the declared columns and types. The check is before the
            write.
    """

    spark_conf: dict[str, str]
    timeout: float | None
    packages: tuple[str, ...]
    master: str | None
    deploy_mode: str
    enforce_columns: bool

    @classmethod
    def parse(cls, node: dict[str, Any], default_format: str = "delta") -> PythonConfig:
        """Return the configuration of a node.

        Args:
            node: the Python model.
            default_format: the profile's table format.

        Raises:
            DbtRuntimeError: a value is not valid. The error names the value's key.
        """
        name, config = node["name"], node["config"]
        timeout = config.get("timeout")
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0):
            raise invalid_value(name, "timeout", "a number of seconds above 0", timeout)
        packages = config.get("packages") or ()
        if not isinstance(packages, str | list | tuple):
            raise invalid_value(name, "packages", "a list of requirements", packages)
        deploy_mode = config.get("deploy_mode") or "client"
        if deploy_mode not in ("client", "cluster"):
            raise invalid_value(name, "deploy_mode", "client or cluster", deploy_mode)
        enforce = config.get("enforce_columns") or False
        if not isinstance(enforce, bool):
            raise invalid_value(name, "enforce_columns", "true or false", enforce)
        return cls(
            layout.session_settings({"materialized": "table", **config}, default_format, name),
            timeout,
            as_tuple(packages),
            config.get("master"),
            deploy_mode,
            enforce,
        )
