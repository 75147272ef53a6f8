"""Measure the drift of features: how far a month's values have moved from the values in a version's training months.

The distance between two months is the mean difference of their quantiles (the Wasserstein distance) divided by the
feature's standard deviation over the training months. A month's drift is its distance to the nearest training
month, so a training month has no drift.

Quantiles also suit features with few distinct values a month, such as a mean for each zone. The population
stability index doesn't suit them, because it counts rows in bins. A zone's mean that crosses the edge of a bin by a
cent would move all trips of the zone to another bin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, pstdev
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Quantiles are taken at these shares of the rows: 5 % to 95 %. Beyond them, a few odd trips decide the value.
SHARES = tuple(number / 20 for number in range(1, 20))
ACCURACY = 10_000
Quantiles = Sequence[float]


def quantiles(rows: DataFrame, features: Iterable[str], month: str) -> dict[Any, dict[str, Quantiles]]:
    """Return the quantiles of each feature at SHARES, by month and feature.

    Args:
        rows: the features.
        features: names of columns.
        month: the column of the month.
    """
    names = list(features)
    columns = [F.percentile_approx(name, list(SHARES), ACCURACY).alias(f"{index}") for index, name in enumerate(names)]
    by_month = rows.groupBy(F.col(month).alias("month")).agg(*columns).collect()
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in by_month}


def distance(training_months: Sequence[Quantiles], month: Quantiles) -> float:
    """Return a month's distance to the nearest training month, in standard deviations of the training months.

    Args:
        training_months: the quantiles of each training month.
        month: the quantiles of the month.
    """
    deviation = pstdev([value for quantiles_ in training_months for value in quantiles_])
    if deviation == 0:
        # All training months have the same single value. The distance is the share of rows with another value.
        return min(fmean(a != b for a, b in zip(known, month, strict=True)) for known in training_months)
    return min(fmean(abs(a - b) for a, b in zip(known, month, strict=True)) for known in training_months) / deviation
