"""Read the relations that a model refers to: completely, or limited to time windows or a number of rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from penstock.python_runtime.job import Input


def _to_utc(text: str) -> datetime:
    """Return an ISO timestamp in UTC. A timestamp without an offset is already in UTC."""
    instant = datetime.fromisoformat(text)
    return instant.astimezone(timezone.utc) if instant.tzinfo else instant.replace(tzinfo=timezone.utc)


def _timestamp_literal(text: str, type_name: str) -> str:
    """Return an ISO timestamp as a SQL literal that can be compared with a column of a type.

    A TIMESTAMP is an instant, so its literal includes the offset of UTC and doesn't depend on the session's time zone.
    A TIMESTAMP_NTZ or a DATE has no time zone. Like dbt, this function treats its value as UTC.
    """
    utc = _to_utc(text).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return f"timestamp '{utc}+00:00'" if type_name == "timestamp" else f"timestamp_ntz '{utc}'"


def window_condition(input_: Input, type_name: str) -> str:
    """Return the SQL condition of an input's time windows; empty if the input has no time window.

    Args:
        input_: the limits of the input.
        type_name: Spark's name of the event-time column's type.
    """
    if not input_.column:
        return ""
    if input_.windows is not None:
        conditions = [window_condition(Input(input_.column, start, end), type_name) for start, end in input_.windows]
        return " or ".join(f"({condition})" for condition in conditions) or "false"
    bounds = ((">=", input_.start), ("<", input_.end))
    return " and ".join(
        f"{input_.column} {operator} {_timestamp_literal(text, type_name)}" for operator, text in bounds if text
    )


def read_relation(session: Any, relation: str, inputs: Mapping[str, Input]) -> Any:
    """Return a relation as a DataFrame, limited to its time windows and its number of rows.

    Args:
        session: the model's session.
        relation: the relation's rendered name, as dbt wrote it into the compiled model.
        inputs: the limits of relations, by rendered name. Other relations are read completely.
    """
    frame = session.table(relation)
    input_ = inputs.get(relation)
    if input_ is None:
        return frame
    if input_.column:
        type_name = frame.selectExpr(input_.column).schema[0].dataType.typeName()
        if condition := window_condition(input_, type_name):
            frame = frame.where(condition)
    return frame if input_.limit is None else frame.limit(input_.limit)
