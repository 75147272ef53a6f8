"""How far a month's features are from those of the months that a version learned from.

The distance of two months is the mean difference of their quantiles (the Wasserstein distance, which asks how
far rows would have to move), as a share of the feature's standard deviation over the months learned from. A
month's drift is its distance to the nearest of them: what a version has seen once is no drift, and a month that
it learned from has none.

Quantiles hold for features with few values a month too, such as a mean of each zone. Counts in bins, as the
population stability index has them, don't: where such a value moves by a cent across an edge, all of its zone's
trips change their bin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, pstdev
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Shares of the rows; the outermost twentieths, where single odd trips are, don't count.
SHARES = tuple(part / 20 for part in range(1, 20))
ACCURACY = 10_000
Quantiles = Sequence[float]


def quantiles(rows: DataFrame, features: Iterable[str], month: str) -> dict[Any, dict[str, Quantiles]]:
    """By month and feature: the values that SHARES of its rows don't exceed."""
    names = list(features)
    columns = [F.percentile_approx(name, list(SHARES), ACCURACY).alias(f"{place}") for place, name in enumerate(names)]
    found = rows.groupBy(F.col(month).alias("month")).agg(*columns).collect()
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}


def distance(learned: Sequence[Quantiles], now: Quantiles) -> float:
    """How far a month is from the nearest of others, in standard deviations of all of these.

    Args:
        learned: quantiles of each month learned from.
        now: those of the month.
    """
    scale = pstdev([value for of_month in learned for value in of_month])
    if scale == 0:
        # One value in all of them: the share of the rows that have another one.
        return min(fmean(a != b for a, b in zip(of_month, now, strict=True)) for of_month in learned)
    return min(fmean(abs(a - b) for a, b in zip(of_month, now, strict=True)) for of_month in learned) / scale
