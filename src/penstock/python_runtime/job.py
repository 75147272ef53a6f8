"""The description of one Python model run: the model's code, its inputs, and how its rows are written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Input:
    """How a model reads one relation that it doesn't read whole.

    Attributes:
        column: the event-time column as SQL; None reads all times.
        start, end: ISO timestamps; the end is exclusive, and either may be None.
        limit: the maximum number of rows; `dbt --empty` sets 0.
        windows: several (start, end) pairs, instead of `start` and `end`.
    """

    column: str | None = None
    start: str | None = None
    end: str | None = None
    limit: int | None = None
    windows: list[list[str]] | None = None


@dataclass(frozen=True)
class Layout:
    """The table's format and layout, with the capabilities of the format (from the adapter's table).

    Attributes:
        atomic: whether `create or replace table … as select` is one commit.
        clusters: whether `clustered_by` means clustering; otherwise it means buckets.
        drop_columns_with: table properties that allow dropping columns; None when the format can't drop them.
        widen_columns_with: table properties that allow widening types; None when the format can't widen them.
        features: whether some column types require table properties.
        rebalanced: whether to bring rows together by partition, in tasks of an even size.
        sorted_within: columns to sort the rows of each file by.
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
    """How to write the rows to the target; see the modules `writer` and `table_replacement`.

    Attributes:
        mode: `replace`, `append`, `merge`, `insert_overwrite` or `replace_where`.
        target: the rendered relation.
        view: the name of the temporary view of the model's rows.
        merge_sql: for `merge`, the whole statement, with `view` as its source.
        keys: for `merge`, the key columns as SQL.
        condition: for `replace_where`, the condition on the target.
        on_schema_change: `ignore`, `append_new_columns`, `sync_all_columns` or `fail`.
        exists: whether the target exists.
        drop: `view` to drop a view that has the target's name.
        commit_info: text for the write's commit metadata in Delta.
        alone: whether other writers of the same run must wait for this one, since they would conflict.
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


@dataclass(frozen=True)
class Batch:
    """The window of a microbatch, which a model reads as `dbt.batch`. The end is exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Job:
    """One run of one Python model.

    Attributes:
        node: dbt's unique id, `model.project.name`.
        name: the model's name.
        path: the model's file, as error messages show it.
        code: the compiled model; each line has the same number as in the model's file.
        columns: names and types of the contract's columns, with None for any type; None without a contract.
        inputs: the relations that are not read whole, by rendered name.
        batch: start and end of the microbatch as ISO timestamps.
        intervals: ISO dates of the intervals to build; None unless the strategy is `interval`.
        fingerprint: a hash of the model's file.
        lake: the folder of the project's lake; empty without one.
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
        """Return the window of the microbatch; None outside of microbatch models."""
        return Batch(*map(datetime.fromisoformat, self.batch)) if self.batch else None

    def interval_starts(self) -> tuple[date, ...] | None:
        """Return the first days of the intervals to build; None unless the strategy is `interval`."""
        return None if self.intervals is None else tuple(map(date.fromisoformat, self.intervals))

    def dumps(self) -> str:
        """Return the job as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Job:
        """Return the job of a JSON text."""
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
