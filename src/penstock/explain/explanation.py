"""What an explanation says, before it is put into words: plain values, ready for JSON too."""

from __future__ import annotations

from dataclasses import dataclass, field

from penstock.explain.server_facts import Files
from penstock.plans.operators import Plan
from penstock.plans.rest_api import Stage


@dataclass(frozen=True)
class SideFact:
    """One side of a join.

    Attributes:
        alias: its name in the query; empty where the text doesn't tell.
        tables: the stored tables it reads.
        hint: the join hint on it; empty without one.
        rows: that came out of it; None before a run.
        bytes: of these rows as they were shuffled or broadcast; None before a run.
        stored: bytes of the one table it reads; None unknown, or of several tables.
    """

    alias: str
    tables: tuple[str, ...]
    hint: str = ""
    rows: int | None = None
    bytes: int | None = None
    stored: int | None = None


@dataclass(frozen=True)
class JoinFact:
    """A join as Spark does it, and why that way.

    Attributes:
        number: of its operator.
        kind: `broadcast hash join` …
        type: `left outer` …
        on: its conditions.
        built: the side that is broadcast or hashed.
        rows: that it gave; None before a run.
        why: reasons, the first the deciding one.
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


@dataclass(frozen=True)
class ExchangeFact:
    """A shuffle.

    Attributes:
        partitions: that rows were written to.
        read_as: partitions they were read as, once adaptive execution knew their sizes.
        bytes: written to the shuffle.
        asked_by: the operator or hint that needs it.
        tables: the stored tables whose rows it moves.
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
    """A table read, of how much of it; None where unknown."""

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
class Facts:
    """All of an explanation.

    Attributes:
        model: its name.
        kind: its materialization.
        relation: the table it writes.
        heading: which plan this is.
        notes: what else a reader has to know of the plan, as that the code changed since.
        plan: the operators.
        counted: what each operator counted, by its number.
        steps: aggregates, sorts and windows, one line each kind.
        stages: those that ran; empty before a run.
        warnings: what is likely to cost, in words.
        files: of the table as it is now; None for a view, or without a server.
    """

    model: str
    kind: str
    relation: str
    heading: str
    notes: tuple[str, ...]
    has_run: bool
    plan: Plan
    counted: dict[int, dict[str, str]]
    joins: tuple[JoinFact, ...]
    exchanges: tuple[ExchangeFact, ...]
    scans: tuple[ScanFact, ...]
    steps: tuple[str, ...]
    stages: tuple[Stage, ...]
    warnings: tuple[str, ...] = ()
    files: Files | None = field(default=None)
