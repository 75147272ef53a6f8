"""What a plan tells the user: what is built, and what should be known of what isn't."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from dbt.adapters.penstock.interval_models.interval_model import Subject
from dbt.adapters.penstock.interval_models.table_state import Table
from penstock.intervals.grain import Grain, shown
from penstock.intervals.staleness import Choice, Inputs


def said(choice: Choice, wanted: Mapping[date, Inputs], grain: Grain) -> str:
    """What dbt shows at the end of the model's line."""
    gone = [day for day in choice.build if day not in wanted]
    made = [day for day in choice.build if day in wanted]
    if choice.build:
        words = ([f"built {shown(made, grain)}"] if made else []) + ([f"removed {shown(gone, grain)}"] if gone else [])
        return ", ".join(words)
    return f"unchanged, {len(wanted)} {grain.name}s" if wanted else "no intervals in the inputs"


def warning(subject: Subject, table: Table, choice: Choice) -> str:
    """What the user should know and this run doesn't change."""
    name, parts = subject.name, []
    if choice.outdated:
        parts.append(
            f"{name}: code changed since {shown(choice.outdated, subject.grain)} were built; their rows are those of "
            f"the older code. do: `dbt run --select {name} --full-refresh`, or for some of them --event-time-start "
            "and --event-time-end, or set on_code_change: rebuild"
        )
    for commit in table.foreign:
        parts.append(
            f"{name}: version {commit.version} of {subject.relation} is a {commit.operation} by somebody else; the "
            f"ledger still counts its intervals as built. do: `dbt run --select {name} --full-refresh`, if its rows "
            "are to be the model's own again"
        )
    return "\n".join(parts)


def message(error: BaseException) -> str:
    """An error's first words, for one cell of a table."""
    return " ".join(str(getattr(error, "msg", None) or error).split())[:400]
