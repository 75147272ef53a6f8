"""How odd a trip is beside the others of its month and pair of zones: its Mahalanobis distance.

Distance, duration and fare go together, so each alone may be usual and the three of them odd. A pair's
mean and covariance need matrices, which SQL has none of: they are fitted group by group with pandas and
applied partition by partition with Arrow.
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
# With fewer trips a covariance says nothing; the trips of the month stand in for those of the pair.
LEAST_TRIPS = 30
ANY = 0
# Added to the variances, so that a pair whose trips are all alike has a distance too.
RIDGE = 0.01
KEY_TYPES = "pickup_month date, pickup_zone_id int, dropoff_zone_id int"
FITTED = f"{KEY_TYPES}, trips bigint, mean array<double>, inverse array<double>"
SCORED = f"trip_id string, {KEY_TYPES}, score double, compared_trips bigint"


def measures(trips: DataFrame) -> DataFrame:
    """A trip's keys and the logarithms of what is compared."""
    seconds = F.timestamp_diff("SECOND", F.col("pickup_at"), F.col("dropoff_at"))
    fare = F.greatest(F.col("fare_amount").cast("double"), F.lit(0.0))
    return trips.select(
        "trip_id",
        *KEYS,
        F.log1p("trip_distance").alias("miles"),
        F.log1p(seconds / 60).alias("minutes"),
        F.log1p(fare).alias("fare"),
    )


def large(rows: DataFrame) -> DataFrame:
    """The rows whose group has enough trips: most pairs have a few, and each group is a call of `fit`."""
    rows = rows.dropna(subset=MEASURES)
    counts = rows.groupBy(*KEYS).count().where(F.col("count") >= LEAST_TRIPS).drop("count")
    return rows.join(F.broadcast(counts), KEYS, "left_semi")


def fit(group: pd.DataFrame) -> pd.DataFrame:
    """Mean and inverse covariance of a group's measures, as one row."""
    values = group[MEASURES].to_numpy(dtype="float64")
    inverse = np.linalg.inv(np.cov(values, rowvar=False) + RIDGE * np.eye(len(MEASURES)))
    found = {name: group[name].iloc[0] for name in KEYS} | {"trips": len(group)}
    return pd.DataFrame([found | {"mean": values.mean(axis=0), "inverse": inverse.ravel()}])


def scorer(fitted: dict[tuple[Any, ...], tuple[int, Any, Any]]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What scores the batches of a partition, with all the groups at hand."""
    names = list(fitted)
    place = {key: number for number, key in enumerate(names)}
    trips = np.array([fitted[key][0] for key in names])
    means = np.array([fitted[key][1] for key in names]).reshape(-1, len(MEASURES))
    inverses = np.array([fitted[key][2] for key in names]).reshape(-1, len(MEASURES), len(MEASURES))

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            keys = list(zip(*(batch.column(name).to_pylist() for name in KEYS), strict=True))
            at = np.array([place.get(key, place.get((key[0], ANY, ANY), -1)) for key in keys], dtype="int64")
            values = np.column_stack([batch.column(name).to_numpy(zero_copy_only=False) for name in MEASURES])
            away = values - means[at] if len(names) else values
            inner = inverses[at] if len(names) else np.zeros((len(values), len(MEASURES), len(MEASURES)))
            distance = np.sqrt(np.einsum("ni,nij,nj->n", away, inner, away))
            unknown = (at < 0) | np.isnan(distance)
            columns = [batch.column(name) for name in ("trip_id", *KEYS)]
            columns.append(pa.array(distance, mask=unknown))
            columns.append(pa.array(trips[at] if len(names) else at, mask=unknown))
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
    everywhere = rows.withColumns({name: F.lit(ANY) for name in KEYS[1:]})
    groups = [large(frame).groupBy(*KEYS).applyInPandas(fit, FITTED) for frame in (rows, everywhere)]
    fitted = {tuple(row[:3]): tuple(row[3:]) for row in groups[0].union(groups[1]).collect()}
    return rows.mapInArrow(scorer(fitted), SCORED)
