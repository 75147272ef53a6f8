"""`spark_conf` of a model or folder: settings of the session that its statements run in.

They are given to the server as the session is opened, so no statement is spent on setting them or
on setting them back: a session with a node's settings serves only nodes with the very same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import error_messages
from dbt.adapters.penstock.errors import AdapterError
from penstock.errors import render

UNDEFINED = "<undefined>"
# Read by libraries by whatever name they like: Spark has no list of them to check against.
FREE = (
    *("spark.hadoop.", "spark.databricks.", "spark.sql.catalog.", "spark.sql.iceberg."),
    *("hive.", "fs.", "dfs.", "parquet.", "mapreduce."),
)
# Of a server's address: the settings that were found to exist there.
_known: dict[tuple[str, int], set[str]] = {}


def as_text(value: Any) -> str:
    """A value as Spark writes it: YAML reads `8` and `true` as numbers and booleans."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def configured(value: Any, where: str = "a model") -> dict[str, str]:
    """A `spark_conf` config as Spark takes it: text to text.

    Args:
        value: the config's value as dbt read it; None when there is none.
        where: the node, for the message.

    Raises:
        DbtRuntimeError: not a mapping, or a setting without a value.
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


# A unit test has a handful of rows: compiling Java for its expressions takes far longer than evaluating them.
INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.subexpressionElimination.enabled": "false",
}


def check(conf: dict[str, str], address: tuple[str, int], run: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Refuse a setting that Spark doesn't have: it would take it in silence, and nothing would come of it.

    A name is looked up once in a process: what Spark documents, then, one by one, what it only
    has inside. A setting without a default that isn't documented can't be told from a mistake.

    Args:
        conf: the settings, already those of the session.
        address: the server's host and port.
        run: runs a statement in that session and returns its rows.

    Raises:
        DbtRuntimeError: with the name of the setting, and one that is like it.
    """
    known = _known.setdefault(address, set())
    free = (*FREE, *INTERPRETED)
    asked = {key: value for key, value in conf.items() if key not in known and not key.startswith(free)}
    if not asked:
        return
    documented = {str(row[0]) for row in run("set -v")}
    for key, value in asked.items():
        if key not in documented:
            run(f"reset {key}")
            if run(f"set {key}")[0][1] == UNDEFINED:
                raise DbtRuntimeError(_unknown(key, documented))
            run(f"set {key}={value}")
        known.add(key)


def _unknown(key: str, documented: set[str]) -> str:
    from difflib import get_close_matches

    like = get_close_matches(key, documented, n=1)
    return render(
        f"a setting of a Spark session in spark_conf of {error_messages.node()}",
        f"`{key}`, which Spark doesn't have",
        (f"write `{like[0]}`, if that is meant" if like else "correct its name")
        + "; what the server reads when it starts belongs in server.spark_conf in penstock.yml",
    )
