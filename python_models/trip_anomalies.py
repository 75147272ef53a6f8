"""Score how unusual a trip is among the trips of its month and pair of zones, by the Mahalanobis distance.

Distance, duration and fare are correlated, so a trip may be unusual although each value alone is usual. The
score needs covariance matrices, which SQL can't compute. pandas computes them group by group, and functions on Arrow
batches apply them partition by partition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

MEASURES = ["miles", "minutes", "fare"]
KEYS = ["pickup_month", "pickup_zone_id", "dropoff_zone_id"]
# A covariance of fewer trips is not reliable. Trips of pairs with fewer are compared with all trips of the month.
MIN_TRIPS = 30
ANY = 0
# Added to the variances, so that the covariance of identical trips is invertible.
RIDGE = 0.01
KEY_TYPES = "pickup_month date, pickup_zone_id int, dropoff_zone_id int"
FITTED = f"{KEY_TYPES}, trips bigint, mean array<double>, inverse array<double>"
SCORED = f"trip_id string, {KEY_TYPES}, score double, compared_trips bigint"


def measures(trips: DataFrame) -> DataFrame:
    """Return each trip's keys and the logarithms of its measures."""
    seconds = F.timestamp_diff("SECOND", F.col("pickup_at"), F.col("dropoff_at"))
    fare = F.greatest(F.col("fare_amount").cast("double"), F.lit(0.0))
    return trips.select(
        "trip_id",
        *KEYS,
        F.log1p("trip_distance").alias("miles"),
        F.log1p(seconds / 60).alias("minutes"),
        F.log1p(fare).alias("fare"),
    )


def in_large_groups(rows: DataFrame) -> DataFrame:
    """Return the rows of groups with enough trips. Most groups have too few, and each group costs a call of `fit`."""
    rows = rows.dropna(subset=MEASURES)
    counts = rows.groupBy(*KEYS).count().where(F.col("count") >= MIN_TRIPS).drop("count")
    return rows.join(F.broadcast(counts), KEYS, "left_semi")


def fit(group: pd.DataFrame) -> pd.DataFrame:
    """Return the mean and inverse covariance of a group's measures as one row."""
    values = group[MEASURES].to_numpy(dtype="float64")
    inverse = np.linalg.inv(np.cov(values, rowvar=False) + RIDGE * np.eye(len(MEASURES)))
    row = {name: group[name].iloc[0] for name in KEYS} | {"trips": len(group)}
    return pd.DataFrame([row | {"mean": values.mean(axis=0), "inverse": inverse.ravel()}])


def scorer(fitted: dict[tuple[Any, ...], tuple[int, Any, Any]]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Return the function that scores the Arrow batches of a partition.

    Args:
        fitted: number of trips, mean and inverse covariance by group.
    """
    groups = list(fitted)
    index_of = {key: index for index, key in enumerate(groups)}
    trips = np.array([fitted[key][0] for key in groups])
    means = np.array([fitted[key][1] for key in groups]).reshape(-1, len(MEASURES))
    inverses = np.array([fitted[key][2] for key in groups]).reshape(-1, len(MEASURES), len(MEASURES))

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            keys = list(zip(*(batch.column(name).to_pylist() for name in KEYS), strict=True))
            index = np.array([index_of.get(key, index_of.get((key[0], ANY, ANY), -1)) for key in keys], dtype="int64")
            values = np.column_stack([batch.column(name).to_numpy(zero_copy_only=False) for name in MEASURES])
            deviation = values - means[index] if groups else values
            inverse = inverses[index] if groups else np.zeros((len(values), len(MEASURES), len(MEASURES)))
            distance = np.sqrt(np.einsum("ni,nij,nj->n", deviation, inverse, deviation))
            unknown = (index < 0) | np.isnan(distance)
            columns = [batch.column(name) for name in ("trip_id", *KEYS)]
            columns.append(pa.array(distance, mask=unknown))
            columns.append(pa.array(trips[index] if groups else index, mask=unknown))
            yield pa.RecordBatch.from_arrays(columns, names=["trip_id", *KEYS, "score", "compared_trips"])

    return score


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(
        materialized="incremental",
        incremental_strategy="interval",
        event_time="pickup_month",
        partition_by=["pickup_month"],
    )
    rows = measures(dbt.ref("fct_trips"))
    all_pairs = rows.withColumns({name: F.lit(ANY) for name in KEYS[1:]})
    groups = [in_large_groups(frame).groupBy(*KEYS).applyInPandas(fit, FITTED) for frame in (rows, all_pairs)]
    fitted = {tuple(row[:3]): tuple(row[3:]) for row in groups[0].union(groups[1]).collect()}
    return rows.mapInArrow(scorer(fitted), SCORED)
