"""The content of an explanation as plain values, for the terminal, the picture and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.explain.server_facts import TableFiles
from penstock.plans.operators import Plan
from penstock.plans.rest_api import Stage


@dataclass(frozen=True)
class SideFact:
    """One side of a join.

    Attributes:
        alias: the side's name in the query; empty if unknown.
        tables: the stored tables that the side reads.
        hint: the side's join hint; empty without a hint.
        rows: the side's output rows; None before a run.
        bytes: size of these rows when shuffled or broadcast; None before a run.
        stored: size in bytes of the side's table; None if unknown, or if the side reads several tables.
    """

    alias: str
    tables: tuple[str, ...]
    hint: str = ""
    rows: int | None = None
    bytes: int | None = None
    stored: int | None = None


@dataclass(frozen=True)
class JoinFact:
    """A join, and the reasons for its strategy.

    Attributes:
        number: the number of the join's operator.
        kind: the join strategy, `broadcast hash join` …
        type: the join type, `left outer` …
        on: the join conditions.
        built: the side that is broadcast or hashed, `left` or `right`.
        rows: the join's output rows; None before a run.
        why: the reasons for the strategy, the decisive one first.
        ignored_hints: the hints that Spark could not follow, as in `broadcast(zones)`.
    """

    number: int
    kind: str
    type: str
    on: tuple[str, ...]
    built: str
    left: SideFact
    right: SideFact
    rows: int | None
    why: tuple[str, ...]
    ignored_hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExchangeFact:
    """A shuffle.

    Attributes:
        partitions: the number of partitions written.
        read_as: the number of partitions read, after adaptive execution coalesced them.
        rows, bytes: rows and bytes written to the shuffle; None before a run.
        asked_by: the operator or hint that requires the shuffle.
        tables: the stored tables whose rows are shuffled.
    """

    number: int
    partitioning: str
    keys: tuple[str, ...]
    partitions: int | None
    read_as: int | None
    rows: int | None
    bytes: int | None
    asked_by: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class ScanFact:
    """A scan of a table. The attributes that begin with `of_` are totals of the table. None means unknown."""

    number: int
    table: str
    columns: int
    of_columns: int | None
    files: int | None
    of_files: int | None
    partitions: int | None
    of_partitions: int | None
    bytes: int | None
    of_bytes: int | None
    rows: int | None
    partition_filters: tuple[str, ...]
    pushed_filters: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """The explanation of a model's plan.

    Attributes:
        model: the model's name.
        kind: the model's materialization.
        relation: the table that the model writes.
        heading: describes where the plan comes from, such as the last run.
        notes: notes about the plan, for example that the code has changed since the run.
        has_run: whether the plan ran.
        plan: the operators.
        metrics: the metrics of each operator, by its number.
        steps: aggregates, sorts and windows, one line per kind.
        stages: the stages that ran; empty before a run.
        warnings: the expensive parts of the plan.
        files: the current files of the table; None for a view, or without a server.
    """

    model: str
    kind: str
    relation: str
    heading: str
    notes: tuple[str, ...]
    has_run: bool
    plan: Plan
    metrics: dict[int, dict[str, str]]
    joins: tuple[JoinFact, ...]
    exchanges: tuple[ExchangeFact, ...]
    scans: tuple[ScanFact, ...]
    steps: tuple[str, ...]
    stages: tuple[Stage, ...]
    warnings: tuple[str, ...] = ()
    files: TableFiles | None = None
