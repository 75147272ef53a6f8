"""What a job is: the model's code, what it reads within which window, and how its rows are written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Input:
    """How one relation is read: the rows of a window of its event time, or at most some rows.

    Attributes:
        column: the event-time column as SQL; None reads all times.
        start, end: ISO instants, the end not included; either may be missing.
        limit: at most this many rows; `dbt --empty` sets 0.
        windows: in place of `start` and `end`, several of them.
    """

    column: str | None = None
    start: str | None = None
    end: str | None = None
    limit: int | None = None
    windows: list[list[str]] | None = None


@dataclass(frozen=True)
class Layout:
    """The table's format and layout, with what the format can do (the adapter's capabilities).

    Attributes:
        atomic: `create or replace table … as select` is one commit.
        clusters: `clustered_by` is clustering; otherwise it makes buckets.
        drop_columns_with: table properties that let columns be dropped; None when they can't be.
        widen_columns_with: table properties that let a column's type widen; None when it can't.
        features: whether some columns need table properties before the table takes them.
        rebalanced: whether rows are brought together by partition, in tasks of an even size.
        sorted_within: columns that the rows of each file are sorted by.
        location: folder of the table; None leaves it to the warehouse.
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
    """How the rows reach the target; see the modules `write` and `replace`.

    Attributes:
        mode: `replace`, `append`, `merge`, `insert_overwrite` or `replace_where`.
        target: the rendered relation.
        view: the session's temporary view of the model's rows.
        merge_sql: for `merge`, the whole statement, with `view` as its source.
        keys: for `merge`, its key columns as SQL.
        condition: for `replace_where`, the condition on the target.
        on_schema_change: `ignore`, `append_new_columns`, `sync_all_columns` or `fail`.
        exists: whether the target exists.
        drop: `view` when a view of the target's name gives way to it.
        commit_info: text for Delta's commit information of the write.
        alone: whether other such writers of the same run wait, since they would conflict.
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
    """The window of a microbatch, as a model sees it in `dbt.batch`: the end is not included."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Job:
    """One run of one model.

    Attributes:
        node: dbt's unique id, as in `model.project.name`.
        name: the model's name.
        path: the user's file, as errors show it.
        code: the compiled model, the user's lines at the numbers they have in the file.
        columns: declared names and types to enforce, type None for any; None enforces nothing.
        inputs: by rendered relation, those that aren't read whole.
        batch: ISO start and end of the microbatch.
        intervals: ISO dates of the intervals that are built; None outside the strategy `interval`.
        fingerprint: of the user's own file.
        lake: folder of the project's lake; empty without one.
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

    def window(self) -> Batch | None:
        """The microbatch's window; None outside microbatch."""
        return Batch(*map(datetime.fromisoformat, self.batch)) if self.batch else None

    def days(self) -> tuple[date, ...] | None:
        """First days of the intervals that are built; None outside the strategy `interval`."""
        return None if self.intervals is None else tuple(map(date.fromisoformat, self.intervals))

    def dumps(self) -> str:
        """The job as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Job:
        """A job from its JSON."""
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
