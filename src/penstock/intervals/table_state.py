"""An interval model's table as a run knows it: its intervals, and how a commit changes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from penstock.intervals.commit_metadata import CommitMetadata, TableCommit
from penstock.intervals.ledger_table import LedgerState
from penstock.intervals.model_config import PROPERTY
from penstock.intervals.staleness import BuiltInterval


@dataclass(frozen=True)
class IntervalTable:
    """A model's table.

    Attributes:
        id: Delta's id of the table; empty while there is no table.
        grain: of the intervals that it is built by; empty for a table that was not built by interval.
        state: what the ledger holds of it.
        foreign: commits of other programs that changed its rows since the ledger's newest row.
    """

    id: str = ""
    grain: str = ""
    state: LedgerState = field(default_factory=LedgerState)
    foreign: tuple[TableCommit, ...] = ()


def from_detail(detail: Mapping[str, Any]) -> IntervalTable:
    """Return the table that a row of DESCRIBE DETAIL describes, without its intervals."""
    properties = detail["properties"]
    known = properties if isinstance(properties, Mapping) else json.loads(str(properties or "{}"))
    return IntervalTable(str(detail["id"]), str(known.get(PROPERTY, "")))


def after_commit(
    table: IntervalTable, commit: TableCommit, metadata: CommitMetadata, rows: Mapping[date, int]
) -> IntervalTable:
    """Return the table after a commit.

    Args:
        rows: the counted rows, by interval.
    """
    state, id_ = table.state, metadata.commit_id
    built = {day: interval for day, interval in state.built.items() if day not in metadata.intervals}
    for day, inputs in metadata.intervals.items():
        if day not in metadata.removed:
            counted = rows.get(day, 0 if rows else None)
            built[day] = BuiltInterval(id_, inputs, metadata.code, commit.version, counted)
    failed = {day: attempts for day, attempts in state.failed.items() if day not in metadata.intervals}
    removed = {**state.removed, **dict.fromkeys(metadata.removed, commit.version)}
    return replace(table, state=LedgerState(max(state.version, commit.version), built, failed, removed))
