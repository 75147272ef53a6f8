"""A model's table as a run knows it: its intervals, and what a commit makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from dbt.adapters.penstock.interval_models.config import PROPERTY
from penstock.intervals.commit_metadata import Batch, Commit
from penstock.intervals.ledger_rows import State
from penstock.intervals.staleness import Built


@dataclass(frozen=True)
class Table:
    """A model's table as it stands.

    Attributes:
        id: Delta's; empty while there is no table.
        grain: of the intervals it is built by; empty for a table that something else made.
        state: what it holds.
        foreign: commits of others that changed its rows since the ledger last looked.
    """

    id: str = ""
    grain: str = ""
    state: State = field(default_factory=State)
    foreign: tuple[Commit, ...] = ()


def of_detail(detail: Mapping[str, Any]) -> Table:
    """Return the table that a row of DESCRIBE DETAIL tells of, without its intervals."""
    properties = detail["properties"]
    known = properties if isinstance(properties, Mapping) else json.loads(str(properties or "{}"))
    return Table(str(detail["id"]), str(known.get(PROPERTY, "")))


def after(table: Table, commit: Commit, batch: Batch, rows: Mapping[date, int]) -> Table:
    """A table after a commit; `rows` by interval, as far as they were counted."""
    built = {day: held for day, held in table.state.built.items() if day not in batch.intervals}
    for day, inputs in batch.intervals.items():
        if day not in batch.gone:
            built[day] = Built(batch.batch, inputs, batch.code, commit.version, rows.get(day, 0 if rows else None))
    failed = {day: tries for day, tries in table.state.failed.items() if day not in batch.intervals}
    gone = {**table.state.gone, **dict.fromkeys(batch.gone, commit.version)}
    return replace(table, state=State(max(table.state.version, commit.version), built, failed, gone))
