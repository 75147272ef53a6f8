"""Reading what a model refers to: whole, within a batch's or a sample's window, or empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from penstock.python_runtime.job import Input


def instant(text: str) -> datetime:
    """An ISO instant in UTC; one without an offset is UTC already."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def literal(text: str, type_name: str) -> str:
    """An instant as a SQL literal to compare a column of some type with.

    A TIMESTAMP is an instant: the literal names UTC, whatever the session's zone. A TIMESTAMP_NTZ
    or a DATE is a reading of the clock, which dbt's windows mean in UTC.
    """
    moment = instant(text)
    words = moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return f"timestamp '{words}+00:00'" if type_name == "timestamp" else f"timestamp_ntz '{words}'"


def condition(read: Input, type_name: str) -> str:
    """The filter of a window as SQL; empty when there is none."""
    if not read.column:
        return ""
    if read.windows is not None:
        own = [condition(Input(read.column, start, end), type_name) for start, end in read.windows]
        return " or ".join(f"({words})" for words in own) or "false"
    ends = ((">=", read.start), ("<", read.end))
    return " and ".join(f"{read.column} {sign} {literal(text, type_name)}" for sign, text in ends if text)


def load(session: Any, relation: str, inputs: Mapping[str, Input]) -> Any:
    """A relation as a data frame, with its window and limit applied.

    Args:
        session: the model's session.
        relation: its rendered name, as dbt wrote it into the model.
        inputs: those that aren't read whole.
    """
    frame = session.table(relation)
    read = inputs.get(relation)
    if read is None:
        return frame
    if read.column:
        type_name = frame.selectExpr(read.column).schema[0].dataType.typeName()
        if words := condition(read, type_name):
            frame = frame.where(words)
    return frame if read.limit is None else frame.limit(read.limit)
