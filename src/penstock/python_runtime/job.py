"""The description of one Python model run: the model's code, its inputs, and the way to write its rows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Input:
    """The limits with which a model reads a relation.

    Attributes:
        column: the event-time column as SQL; None without a time window.
        start: the start of the time window as an ISO timestamp; None without one.
        end: the exclusive end of the time window as an ISO timestamp; None without one.
        limit: the maximum number of rows; None without a limit. `dbt --empty` sets 0.
        windows: several (start, end) pairs, which replace `start` and `end`.
    """

    column: str | None = None
    start: str | None = None
    end: str | None = None
    limit: int | None = None
    windows: list[list[str]] | None = None


@dataclass(frozen=True)
class Layout:
    """The table's format and layout, and the capabilities of the format.

    Attributes:
        atomic: whether the format replaces a table in one commit (`create or replace table … as select`).
        clusters: whether `clustered_by` means clustering; otherwise it means buckets.
        drop_columns_with: table properties that allow dropping columns; None if the format can't drop columns.
        widen_columns_with: table properties that allow widening types; None if the format can't widen types.
        features: whether the format requires table properties for some column types.
        rebalanced: whether to collect the rows of each partition in tasks of similar size before the write.
        sorted_within: the columns by which the rows of each file are sorted.
        location: the table's folder; None uses the warehouse's default.
    """

    file_format: str = "delta"
    atomic: bool = True
    clusters: bool = True
    drop_columns_with: dict[str, str] | None = None
    widen_columns_with: dict[str, str] | None = None
    features: bool = False
    partition_by: tuple[str, ...] = ()
    clustered_by: tuple[str, ...] = ()
    buckets: int | None = None
    rebalanced: bool = False
    sorted_within: tuple[str, ...] = ()
    location: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    comment: str | None = None


@dataclass(frozen=True)
class Write:
    """The way to write the rows to the target; see the modules `writer` and `table_replacement`.

    Attributes:
        mode: `replace`, `append`, `merge`, `insert_overwrite` or `replace_where`.
        target: the target's rendered name.
        view: the name of the temporary view of the model's rows.
        merge_sql: for `merge`, the complete statement, which reads from `view`.
        keys: for `merge`, the key columns as SQL.
        condition: for `replace_where`, the SQL predicate that selects the rows to replace.
        on_schema_change: `ignore`, `append_new_columns`, `sync_all_columns` or `fail`.
        exists: whether the target exists.
        drop: `view` if a view with the target's name must be dropped; otherwise None.
        commit_info: the text for the metadata of the commit; None without one.
        row_check: for `replace_where`, the SQL condition that fails for a row that `condition` doesn't select; empty if
            the format itself checks the rows.
        alone: whether other writers of the same run must wait for this write, because their writes would conflict.
    """

    mode: str
    target: str
    view: str
    merge_sql: str | None = None
    keys: tuple[str, ...] = ()
    condition: str | None = None
    on_schema_change: str = "ignore"
    exists: bool = False
    drop: str | None = None
    alone: bool = False
    commit_info: str | None = None
    row_check: str = ""


@dataclass(frozen=True)
class Batch:
    """The time window of a microbatch, with an exclusive end. A model gets it as `dbt.batch`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Job:
    """One run of one Python model.

    Attributes:
        node: dbt's unique id, `model.project.name`.
        name: the model's name.
        path: the path of the model's file for error messages.
        code: the compiled model. Its line numbers are those of the model's file.
        write: the way to write the rows.
        layout: the table's format and layout.
        columns: the contract's columns and their types, where None allows any type; None without a contract.
        inputs: the limits of relations by rendered name. Other relations are read completely.
        batch: start and end of the microbatch as ISO timestamps; None for other models.
        intervals: ISO dates of the intervals to build; None unless the strategy is `interval`.
        fingerprint: a hash of the model's file.
        lake: the folder of the project's lake; empty without a lake.
    """

    node: str
    name: str
    path: str
    code: str
    write: Write
    layout: Layout = Layout()
    columns: dict[str, str | None] | None = None
    inputs: dict[str, Input] = field(default_factory=dict)
    batch: tuple[str, str] | None = None
    intervals: tuple[str, ...] | None = None
    fingerprint: str = ""
    lake: str = ""

    def microbatch(self) -> Batch | None:
        """Return the time window of the microbatch; None for other models."""
        return Batch(*map(datetime.fromisoformat, self.batch)) if self.batch else None

    def interval_starts(self) -> tuple[date, ...] | None:
        """Return the first days of the intervals to build; None unless the strategy is `interval`."""
        return None if self.intervals is None else tuple(map(date.fromisoformat, self.intervals))

    def dumps(self) -> str:
        """Return the job as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Job:
        """Parse a job from JSON."""
        data: dict[str, Any] = json.loads(text)
        layout: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["layout"].items()}
        return cls(
            **{
                **data,
                "write": Write(**{**data["write"], "keys": tuple(data["write"]["keys"])}),
                "layout": Layout(**layout),
                "inputs": {name: Input(**value) for name, value in data["inputs"].items()},
                "batch": tuple(data["batch"]) if data["batch"] else None,
                "intervals": None if data["intervals"] is None else tuple(data["intervals"]),
            }
        )
