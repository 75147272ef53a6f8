"""`spark_conf` of a model or folder: the Spark settings of the session that runs the model's statements.

The adapter passes the settings when it opens a session, so it needs no `SET` and `RESET` statements. For this reason, a
session serves only nodes with the same settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbt.adapters.penstock import error_messages
from dbt.adapters.penstock.errors import AdapterError

UNDEFINED = "<undefined>"
# Prefixes of settings of libraries. Spark does not know these settings, so the adapter cannot check them.
UNCHECKED_PREFIXES = (
    *("spark.hadoop.", "spark.databricks.", "spark.sql.catalog.", "spark.sql.iceberg."),
    *("hive.", "fs.", "dfs.", "parquet.", "mapreduce."),
)
# The settings that are known to exist, by server address.
_known: dict[tuple[str, int], set[str]] = {}


def as_text(value: Any) -> str:
    """Return a setting's value as text for Spark. YAML reads `8` as a number and `true` as a boolean."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_conf(value: Any, where: str = "a model") -> dict[str, str]:
    """Return the settings of a `spark_conf` config. The values are text.

    Args:
        value: the config as dbt read it, or None if it is not set.
        where: the node, for error messages.

    Raises:
        AdapterError: the config is not a mapping, or a setting does not have exactly one value.
    """
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise AdapterError(
            f"spark_conf of {where} as settings with values",
            f"{type(value).__name__} {value!r}",
            "write `+spark_conf: {spark.sql.shuffle.partitions: 8}`",
        )
    if empty := [str(key) for key, item in value.items() if item is None or isinstance(item, dict | list)]:
        raise AdapterError(
            f"one value for each setting in spark_conf of {where}",
            f"none for {', '.join(empty)}",
            "give it a text, number or boolean, or leave the setting out",
        )
    return {str(key): as_text(item) for key, item in value.items()}


# A unit test has only a few rows. For few rows, code generation takes much longer than interpreted evaluation, so these
# settings turn code generation off.
UNIT_TEST_SETTINGS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.subexpressionElimination.enabled": "false",
}


def check(conf: dict[str, str], address: tuple[str, int], run: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Check that Spark knows the settings, because Spark ignores unknown settings without an error.

    The adapter checks each name once in a process. Spark's list of settings (`set -v`) has only documented settings. A
    name that is not in the list may be an internal setting, so the adapter reads its default value. An internal setting
    without a default value counts as unknown.

    Args:
        conf: the settings, which are already set in the session.
        address: the server's host and port.
        run: runs a statement in the session and returns the statement's rows.

    Raises:
        AdapterError: a setting is unknown. The error suggests a similar name.
    """
    known = _known.setdefault(address, set())
    ignored = (*UNCHECKED_PREFIXES, *UNIT_TEST_SETTINGS)
    unchecked = {key: value for key, value in conf.items() if key not in known and not key.startswith(ignored)}
    if not unchecked:
        return
    documented = {str(row[0]) for row in run("set -v")}
    for key, value in unchecked.items():
        if key not in documented:
            run(f"reset {key}")
            if run(f"set {key}")[0][1] == UNDEFINED:
                raise _unknown_setting(key, documented)
            run(f"set {key}={value}")
        known.add(key)


def _unknown_setting(key: str, documented: set[str]) -> AdapterError:
    from difflib import get_close_matches

    similar = get_close_matches(key, documented, n=1)
    return AdapterError(
        f"a setting of a Spark session in spark_conf of {error_messages.current_node()}",
        f"`{key}`, which Spark doesn't have",
        (f"write `{similar[0]}`, if that is meant" if similar else "correct its name")
        + "; a setting that the server reads when it starts belongs in server.spark_conf in penstock.yml",
        entry="a-setting-is-fixed-at-the-servers-start",
    )
