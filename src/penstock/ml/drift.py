"""How far a month's features have moved from those a version was trained on: population stability index.

PSI = sum over the bins of (now - then) * ln(now / then), then and now being shares of the rows. By
the usual reading a value below 0.1 is no shift, one above 0.25 a large one (N. Siddiqi, Credit Risk
Scorecards, 2006, ch. 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

BINS = 10
# Of a bin without rows, whose share would have no logarithm.
LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class Shares:
    """How a feature is spread: `edges` ascending, `shares` one more, each of values up to its edge."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]


def _bin(name: str, edges: Sequence[float]) -> Column:
    place = F.lit(0)
    for edge in edges:
        place = place + (F.col(name) > edge).cast("int")
    return place


def counted(
    rows: DataFrame, edges: Mapping[str, Sequence[float]], by: Sequence[str] = ()
) -> dict[tuple[Any, ...], dict[str, list[int]]]:
    """For each group of rows, by the values of its keys: the rows in each bin of each feature."""
    names = list(edges)
    # One row a feature: the bins of all of them as sums of their own are too much for one query.
    bins = F.array(*(_bin(name, edges[name]) for name in names))
    counts = rows.select(*by, F.posexplode(bins).alias("feature", "bin")).groupBy(*by, "feature", "bin").count()
    found: dict[tuple[Any, ...], dict[str, list[int]]] = {}
    for *key, feature, place, count in counts.collect():
        empty = {name: [0] * (len(edges[name]) + 1) for name in names}
        found.setdefault(tuple(key), empty)[names[feature]][place] = count
    return found


def shares(counts: Sequence[int]) -> tuple[float, ...]:
    """Counts as shares of their sum."""
    total = sum(counts)
    return tuple(count / total if total else 0.0 for count in counts)


def reference(rows: DataFrame, features: Iterable[str]) -> dict[str, Shares]:
    """How each feature is spread over some rows, in up to ten bins of equal size."""
    names, parts = list(features), [round(place / BINS, 3) for place in range(1, BINS)]
    columns = [F.percentile_approx(name, [*map(float, parts)], 10_000).alias(name) for name in names]
    found = rows.agg(*columns).first()
    assert found
    edges = {name: tuple(sorted(set(found[name] or ()))) for name in names}
    counts = counted(rows, edges).get((), {})
    return {name: Shares(edges[name], shares(counts.get(name, ()))) for name in names}


def psi(then: Sequence[float], now: Sequence[float]) -> float:
    """Population stability index of two spreads over the same bins; 0 for equal ones."""
    pairs = [(max(a, LEAST_SHARE), max(b, LEAST_SHARE)) for a, b in zip(then, now, strict=True)]
    return sum((b - a) * log(b / a) for a, b in pairs)
