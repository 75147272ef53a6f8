"""The rows of the run ledger, the append-only table `batch_runs`: one row for each interval of each attempt.

Each commit to a model's table contains the facts of its ledger rows in its metadata (`commit_metadata`). If the ledger
lacks rows, the history of the model's table therefore provides them. Rows are ordered by the version of the model's
table (`TableCommit`), and not by the time of the row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

from penstock.delta.conflicts import create_if_missing
from penstock.intervals.staleness import BuiltInterval
from penstock.intervals.table_commit import TableCommit
from penstock.sql.names import string_literal

TABLE = "batch_runs"
BUILT, REMOVED, FAILED, INTERRUPTED = "built", "removed", "failed", "interrupted"
# Outcomes that change the content of a table.
HELD = (BUILT, REMOVED)
# The table's columns, in order: name, Spark type, comment.
COLUMNS: dict[str, tuple[str, str]] = {
    "batch_id": ("string", "Id of the commit to the model's table; several intervals may share a commit"),
    "run_id": ("string", "dbt's invocation id"),
    "model": ("string", "Name of the model"),
    "relation": ("string", "The model's table: schema.name, or catalog.schema.name outside the default catalog"),
    "interval_start": ("date", "First day of the interval"),
    "grain": ("string", "month or day"),
    "outcome": ("string", "built, removed (the interval no longer has inputs), failed, or interrupted (killed)"),
    "attempt": ("int", "Number of the attempt since the interval was last built, from 1"),
    "inputs": (
        "map<string,string>",
        "For each input: the folder of the landed file, or the batch_id of the model's commit",
    ),
    "code": ("string", "Fingerprint of the model's code, its macros, and the inputs that have no intervals"),
    "rows_in": ("bigint", "Rows of the interval in the inputs; null if an input was not counted"),
    "rows_out": ("bigint", "Rows of the interval in the model's table"),
    "rows_quarantined": ("bigint", "Rows for which quarantine_when is true; null without quarantine_when"),
    "started_at": ("timestamp_ntz", "When the commit was started, UTC"),
    "seconds": ("double", "Duration of the commit; null if a later run recorded the commit after a crash"),
    "delta_version": (
        "bigint",
        "Delta version of the table after the commit, or the time of the Iceberg snapshot in milliseconds since 1970; "
        "for a failed attempt, the unchanged version",
    ),
    "table_id": ("string", "Id of the table, which changes when the table is recreated"),
    "message": ("string", "Why the interval was built, or how it failed"),
}


@dataclass(frozen=True)
class LedgerRow:
    """One row of the run ledger; see COLUMNS."""

    batch_id: str
    run_id: str
    model: str
    relation: str
    interval_start: date
    grain: str
    outcome: str
    attempt: int = 1
    inputs: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    rows_in: int | None = None
    rows_out: int | None = None
    rows_quarantined: int | None = None
    started_at: datetime | None = None
    seconds: float | None = None
    delta_version: int | None = None
    table_id: str = ""
    message: str = ""


def literal(value: Any) -> str:
    """Return a value as a SQL literal."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return f"map({', '.join(literal(item) for pair in sorted(value.items()) for item in pair)})"
    if isinstance(value, datetime):
        utc = value.astimezone(timezone.utc) if value.tzinfo else value
        return f"timestamp_ntz'{utc:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, date):
        return f"date'{value.isoformat()}'"
    if isinstance(value, float):
        return f"{value:.3f}D"
    if isinstance(value, int):
        return str(value)
    return string_literal(str(value))


def create(run: Callable[[str], Any], relation: str) -> None:
    """Create the ledger's table unless it exists. Several models or runs may call this at the same time."""
    create_if_missing(
        run,
        relation,
        {name: kind for name, (kind, _) in COLUMNS.items()},
        "using delta comment 'What was built for each model and interval; penstock keeps it' "
        # The ledger gets many small commits. Auto-compaction keeps the number of its files low.
        "tblproperties ('delta.autoOptimize.autoCompact' = 'true')",
        comments={name: literal(comment) for name, (_, comment) in COLUMNS.items()},
    )


def append_sql(relation: str, rows: Sequence[LedgerRow]) -> str:
    """Return the INSERT statement for rows. It is a blind append, which can't conflict with other writers."""
    values = ",\n".join(
        "(" + ", ".join(f"cast({literal(getattr(row, name))} as {kind})" for name, (kind, _) in COLUMNS.items()) + ")"
        for row in rows
    )
    return f"insert into {relation} ({', '.join(COLUMNS)})\nvalues\n{values}"


def read_sql(relation: str, table: str | None = None, up_to: int | None = None) -> str:
    """Return the query for the newest state of each interval.

    The query's columns are relation, table id, interval, Delta version, the newest ledger row of an attempt that
    changed the model's table (as JSON), and the number of attempts that failed after this attempt.

    Args:
        relation: the ledger's table.
        table: the model's table to select; None selects all tables.
        up_to: the newest version to select; None selects all versions.
    """
    held = ", ".join(f"'{word}'" for word in HELD)
    where = "where true"
    if table is not None:
        where += f" and relation = {literal(table)}"
    if up_to is not None:
        where += f" and delta_version <= {up_to}"
    return f"""
with versions as (
    select
        relation, table_id, interval_start, coalesce(delta_version, -1) as version,
        max(to_json(struct(outcome, batch_id, code, inputs, rows_out, grain)))
            filter (where outcome in ({held})) as held,
        count_if(outcome not in ({held})) as failed
    from {relation}
    {where}
    group by relation, table_id, interval_start, coalesce(delta_version, -1)
)
select
    relation, table_id, interval_start, max(version) as version,
    max_by(held, version) as held, max_by(failed, version) as failed
from versions
group by relation, table_id, interval_start
"""


@dataclass(frozen=True)
class LedgerState:
    """The state of one table according to the ledger.

    Attributes:
        version: the newest version in the ledger; -1 if there is none.
        built: the intervals in the table.
        failed: the number of failed attempts, for intervals that are not in the table.
        removed: the version that removed an interval, for intervals that are no longer in the table.
        grain: the grain of the newest version; empty if unknown.
    """

    version: int = -1
    built: dict[date, BuiltInterval] = field(default_factory=dict)
    failed: dict[date, int] = field(default_factory=dict)
    removed: dict[date, int] = field(default_factory=dict)
    grain: str = ""

    def ends_with(self, newest: TableCommit) -> bool:
        """Return whether the ledger includes the table's newest commit or, if that is a compaction, the one before it.

        Args:
            newest: the newest commit of the table's history.
        """
        version = newest.version - newest.compacts
        return version == self.version and any(
            built.version == version and built.commit_id == newest.session_commit_id for built in self.built.values()
        )

    def attempt(self, interval: date) -> int:
        """Return the number of the next attempt: 1 if no attempt has failed since the interval was last built."""
        built = self.built.get(interval)
        return 1 + (built.failed if built else self.failed.get(interval, 0))


def parse_states(rows: Iterable[Sequence[Any]]) -> dict[tuple[str, str], LedgerState]:
    """Return the state of each (relation, table id), from the rows of `read_sql`."""
    states: dict[tuple[str, str], LedgerState] = {}
    for relation, table_id, start, version, held, failures in rows:
        key = str(relation), str(table_id or "")
        state = states.get(key, LedgerState())
        interval = start if isinstance(start, date) else date.fromisoformat(str(start))
        data = json.loads(held) if held else None
        built, failed, removed = dict(state.built), dict(state.failed), dict(state.removed)
        if data and data["outcome"] == BUILT:
            inputs, rows_out = data.get("inputs") or {}, data.get("rows_out")
            built[interval] = BuiltInterval(
                data["batch_id"], inputs, data["code"], int(version), rows_out, int(failures)
            )
        else:
            failed[interval] = int(failures)
            if data:
                removed[interval] = int(version)
        grain = str(data.get("grain") or "") if data and int(version) >= state.version else state.grain
        states[key] = LedgerState(max(state.version, int(version)), built, failed, removed, grain)
    return states
