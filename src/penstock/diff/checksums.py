"""Find the rows that may differ, without a join: compare checksums of 1024 buckets of rows of both tables.

A row belongs to the bucket of its key's hash. The checksums of a bucket are its number of rows, and the sum and the
exclusive or of its rows' 64-bit hashes (xxHash64, https://github.com/Cyan4973/xxHash). These checksums don't depend on
the order of rows. Only the rows of buckets whose checksums differ are compared value by value. The query of the
checksums also returns the sum of each numeric column.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from penstock.diff.source_rows import ComparedRows

Number = Decimal | float
LOW_BITS = (1 << 32) - 1


@dataclass
class Figures:
    """The figures of a column in one table.

    Attributes:
        rows: the number of rows.
        nulls: the number of NULLs.
        total: the sum, which is exact except for floats; NaN if Spark can't represent the sum; None for a column that
            is not numeric or has only NULLs.
    """

    rows: int = 0
    nulls: int = 0
    total: Number | None = None

    @property
    def mean(self) -> Number | None:
        """Return the mean of the values that aren't NULL."""
        values = self.rows - self.nulls
        return self.total / values if self.total is not None and values else None  # type: ignore[operator]


@dataclass
class Checksums:
    """The result of the query that `query` returns.

    Attributes:
        differing: the buckets whose checksums differ.
        rows: the number of compared rows before and after the change.
        figures: the figures of each column that isn't part of the key, before and after the change, by SQL name.
    """

    differing: list[int] = field(default_factory=list)
    rows: tuple[int, int] = (0, 0)
    figures: dict[str, tuple[Figures, Figures]] = field(default_factory=dict)


def query(rows: ComparedRows) -> str:
    """Return the query: one row for each table and bucket."""
    hashed = ", ".join(["is_after", f"{rows.bucket} as bucket", f"{rows.row_hash} as row_hash", *rows.value_names])
    figures = [aggregate for name in rows.value_names for aggregate in _aggregates(rows, name)]
    listed = ", ".join(
        [
            "is_after",
            "bucket",
            "count(*)",
            "bit_xor(row_hash)",
            f"sum(row_hash & {LOW_BITS})",
            "sum(shiftrightunsigned(row_hash, 32))",
            *figures,
        ]
    )
    return (
        f"select {listed} from (select {hashed} from ("
        f"select false as is_after, * from ({rows.table(False)}) union all "
        f"select true as is_after, * from ({rows.table(True)}))) group by is_after, bucket"
    )


def _aggregates(rows: ComparedRows, name: str) -> list[str]:
    """Return the aggregates of a column: the number of its values and, for a number, its sum."""
    count = f"count({name})"
    return [count, f"try_sum({name})"] if rows.columns[name].is_numeric else [count]


def parse(rows: ComparedRows, result: Iterable[Sequence[Any]]) -> Checksums:
    """Return the checksums from the rows of the query."""
    sums: tuple[dict[int, tuple[Any, ...]], dict[int, tuple[Any, ...]]] = ({}, {})
    counts = [0, 0]
    figures = {name: (Figures(), Figures()) for name in rows.value_names}
    for is_after, bucket, count, *rest in result:
        side = int(is_after)
        sums[side][int(bucket)] = (int(count), *map(int, rest[:3]))
        counts[side] += int(count)
        values = iter(rest[3:])
        for name in rows.value_names:
            total = figures[name][side]
            known = int(next(values))
            total.rows += int(count)
            total.nulls += int(count) - known
            if rows.columns[name].is_numeric:
                _add(total, known, next(values))
    differing = sorted(bucket for bucket in {*sums[0], *sums[1]} if sums[0].get(bucket) != sums[1].get(bucket))
    return Checksums(differing, (counts[0], counts[1]), figures)


def _add(figures: Figures, known: int, part: Any) -> None:
    """Add a bucket's sum to the total. If Spark can't represent the sum, the total becomes NaN."""
    if not known:
        return
    number = math.nan if part is None else part if isinstance(part, float) else Decimal(str(part))
    total = figures.total
    if total is None:
        figures.total = number
    elif isinstance(total, Decimal) and isinstance(number, Decimal):
        figures.total = total + number
    else:
        figures.total = float(total) + number if isinstance(number, float) else math.nan
