"""The messages of an interval plan: a summary of its intervals, and warnings about rows that it leaves as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from penstock.intervals.grain import Grain, format_intervals
from penstock.intervals.interval_model import IntervalModel
from penstock.intervals.staleness import Inputs, StaleIntervals
from penstock.intervals.table_state import IntervalTable

CELL = 400


def summary(stale: StaleIntervals, available: Mapping[date, Inputs], grain: Grain) -> str:
    """Return the summary that dbt shows at the end of the model's log line."""
    removed = [day for day in stale.reasons if day not in available]
    built = [day for day in stale.reasons if day in available]
    if stale.reasons:
        parts = [f"built {format_intervals(built, grain)}"] if built else []
        return ", ".join([*parts, *([f"removed {format_intervals(removed, grain)}"] if removed else [])])
    return f"unchanged, {len(available)} {grain.name}s" if available else "no intervals in the inputs"


def warning(model: IntervalModel, table: IntervalTable, stale: StaleIntervals) -> str:
    """Return a warning about intervals built by older code and commits of other programs; empty if there are none."""
    name, parts = model.name, []
    if stale.older_code:
        parts.append(
            f"{name}: {format_intervals(stale.older_code, model.grain)} were built before its code or configuration "
            f"changed. do: `dbt run --select {name} --full-refresh`, or for some of them "
            "--event-time-start and --event-time-end, or set on_code_change: rebuild"
        )
    for commit in table.foreign:
        parts.append(
            f"{name}: {commit.label} of {model.relation} is a {commit.operation} by somebody else; the "
            f"ledger still counts its intervals as built. do: `dbt run --select {name} --full-refresh`, if its rows "
            "are to be the model's own again"
        )
    return "\n".join(parts)


def error_cell(error: BaseException) -> str:
    """Return the first 400 characters of an error message on one line, for the ledger's `message` column."""
    return " ".join(str(getattr(error, "msg", None) or error).split())[:CELL]
