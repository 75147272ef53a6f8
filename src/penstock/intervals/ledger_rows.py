"""The ledger table `batch_runs`: one row for each interval of each attempt. It is only ever added to.

What the ledger says of a table's rows is said by the commit that wrote them too (`commits`), so a
ledger that misses a row is completed from the table's own history; the two never disagree for
longer than until the next run. Order is told by Delta versions, never by a clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

from penstock.delta.conflicts import create_if_missing
from penstock.intervals.commit_metadata import Commit
from penstock.intervals.staleness import Built

TABLE = "batch_runs"
BUILT, REMOVED, FAILED, INTERRUPTED = "built", "removed", "failed", "interrupted"
HOLDS = (BUILT, REMOVED)
# name: (Spark type, comment), in the order of the table.
COLUMNS: dict[str, tuple[str, str]] = {
    "batch_id": ("string", "The commit of the model's table; several intervals may share one"),
    "run_id": ("string", "dbt's invocation id"),
    "model": ("string", "Name of the model"),
    "relation": ("string", "Its table, schema.name"),
    "interval_start": ("date", "First day of the interval"),
    "grain": ("string", "month or day"),
    "outcome": ("string", "built, removed (its inputs are gone), failed, or interrupted (killed)"),
    "attempt": ("int", "1 for the first try since the interval was last built"),
    "inputs": ("map<string,string>", "By input: the landed file's folder, or the batch of a model"),
    "code": ("string", "Fingerprint of the model's code, its macros and the tables without intervals it reads"),
    "rows_in": ("bigint", "Rows of the interval in the inputs; null when an input was not counted"),
    "rows_out": ("bigint", "Rows of the interval in the model's table"),
    "rows_quarantined": ("bigint", "Those of them that quarantine_when holds for; null without one"),
    "started_at": ("timestamp_ntz", "Begin of the batch, UTC"),
    "seconds": ("double", "How long the batch took; null when it was completed after a crash"),
    "delta_version": ("bigint", "Version of the table with the rows; of a failed attempt: the one it left in place"),
    "table_id": ("string", "Delta's id of the table: another one since it was made anew"),
    "message": ("string", "Why it was built, or how it failed"),
}


@dataclass(frozen=True)
class Event:
    """One row of the ledger; see COLUMNS."""

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
    """A value as SQL."""
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
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def create(run: Callable[[str], Any], relation: str) -> None:
    """Make the table unless it is there; two models of one run, or two runs, may do so at the same moment."""
    create_if_missing(
        run,
        relation,
        {name: kind for name, (kind, _) in COLUMNS.items()},
        "using delta comment 'What was built for each model and interval; penstock keeps it' "
        # Many small commits: put together as they come, so that a run reads a few files.
        "tblproperties ('delta.autoOptimize.autoCompact' = 'true')",
        comments={name: literal(words) for name, (_, words) in COLUMNS.items()},
    )


def append_sql(relation: str, events: Sequence[Event]) -> str:
    """The statement that adds rows; a blind append, which no other writer can conflict with."""
    rows = ",\n".join(
        "(" + ", ".join(f"cast({literal(getattr(event, name))} as {kind})" for name, (kind, _) in COLUMNS.items()) + ")"
        for event in events
    )
    return f"insert into {relation} ({', '.join(COLUMNS)})\nvalues\n{rows}"


def read_sql(relation: str, of: str | None = None, upto: int | None = None) -> str:
    """The statement that reads the newest state: relation, table id, interval, its row as JSON, failed tries.

    Args:
        relation: the ledger.
        of: only this table's rows.
        upto: only what this Delta version of that table held.
    """
    held = ", ".join(f"'{word}'" for word in HOLDS)
    where = "where true"
    if of is not None:
        where += f" and relation = {literal(of)}"
    if upto is not None:
        where += f" and delta_version <= {upto}"
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
class State:
    """What the ledger holds of one table.

    Attributes:
        version: the newest Delta version it knows of; -1 without any.
        built: the intervals in the table.
        failed: failed tries of intervals that aren't.
        gone: of those that once were, the version that took them away.
        grain: of the intervals that the newest version wrote; empty when it is not known.
    """

    version: int = -1
    built: dict[date, Built] = field(default_factory=dict)
    failed: dict[date, int] = field(default_factory=dict)
    gone: dict[date, int] = field(default_factory=dict)
    grain: str = ""

    def ends_with(self, newest: Commit) -> bool:
        """Return whether the newest commit that it knows of is the table's newest, or only compacted since.

        Args:
            newest: the newest commit of the table's history.
        """
        version = newest.version - newest.compacts
        return version == self.version and any(
            held.version == version and held.batch == newest.marked for held in self.built.values()
        )

    def attempt(self, interval: date) -> int:
        """The number of the next try: 1 when none has failed since the interval was last built."""
        held = self.built.get(interval)
        return 1 + (held.failed if held else self.failed.get(interval, 0))


def states(rows: Iterable[Sequence[Any]]) -> dict[tuple[str, str], State]:
    """The state of each (relation, table id), from the rows of `read_sql`."""
    found: dict[tuple[str, str], State] = {}
    for relation, table_id, start, version, held, failed in rows:
        key = str(relation), str(table_id or "")
        state = found.get(key, State())
        interval = start if isinstance(start, date) else date.fromisoformat(str(start))
        data = json.loads(held) if held else None
        built, missing, gone = dict(state.built), dict(state.failed), dict(state.gone)
        if data and data["outcome"] == BUILT:
            inputs, rows_out = data.get("inputs") or {}, data.get("rows_out")
            built[interval] = Built(data["batch_id"], inputs, data["code"], int(version), rows_out, int(failed))
        else:
            missing[interval] = int(failed)
            if data:
                gone[interval] = int(version)
        grain = str(data.get("grain") or "") if data and int(version) >= state.version else state.grain
        found[key] = State(max(state.version, int(version)), built, missing, gone, grain)
    return found
