"""Zones that are alike in when their trips begin: k-means over the hours of the week's days and weekend."""

from __future__ import annotations

from typing import Any

from pyspark.ml.clustering import KMeans
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# A zone with fewer trips has no profile to speak of.
LEAST_TRIPS = 100
CHOICES = range(2, 7)
SEED = 1
HOURS = [f"{day}_{hour:02d}" for day in ("week", "weekend") for hour in range(24)]
# Names of the parts of a day, and the first hour of each.
PARTS = {"night": 0, "morning": 6, "midday": 11, "evening": 16, "late": 21}


def profiles(trips: DataFrame) -> DataFrame:
    """One row a zone: share of its trips in each hour of weekdays, and of weekends."""
    day = F.when(F.weekday("pickup_at") >= 5, "weekend").otherwise("week")
    at = F.concat(day, F.lit("_"), F.lpad(F.hour("pickup_at").cast("string"), 2, "0"))
    counts = (
        trips.where("pickup_zone_id is not null")
        .groupBy(F.col("pickup_zone_id").alias("zone_id"))
        .agg(F.count("*").alias("trips"), *(F.count_if(at == name).alias(name) for name in HOURS))
    )
    shares = [(F.col(name) / F.col("trips")).alias(name) for name in HOURS]
    return counts.where(F.col("trips") >= LEAST_TRIPS).select("zone_id", "trips", *shares).orderBy("zone_id")


def label(centre: list[float], usual: list[float]) -> str:
    """A readable name: the part of the day that a cluster has most of beside the usual, and when it peaks."""
    part_of = [max((name for name, first in PARTS.items() if hour >= first), key=PARTS.get) for hour in range(24)]
    gains = {}
    for place, (own, mean) in enumerate(zip(centre, usual, strict=True)):
        name = f"{'weekend' if place >= 24 else 'weekday'} {part_of[place % 24]}"
        gains[name] = gains.get(name, 0.0) + own - mean
    hours = [centre[hour] + centre[hour + 24] for hour in range(24)]
    return f"{max(gains, key=gains.get)}, peak at {hours.index(max(hours))}:00"


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(materialized="table")
    found = profiles(dbt.ref("fct_trips")).cache()
    enough = found.count()
    schema = "zone_id int, trips bigint, cluster int, clusters int, silhouette double, label string"
    if enough <= min(CHOICES):
        dbt.log(f"{enough} zones have {LEAST_TRIPS} trips: nothing to cluster")
        return session.createDataFrame([], schema)
    rows = VectorAssembler(inputCols=HOURS, outputCol="features").transform(found)
    tried = {}
    for k in (k for k in CHOICES if k < enough):
        fitted = KMeans(k=k, seed=SEED).fit(rows)
        assigned = fitted.transform(rows)
        tried[k] = (ClusteringEvaluator().evaluate(assigned), fitted, assigned)
    k = max(tried, key=lambda number: tried[number][0])
    silhouette, fitted, assigned = tried[k]
    dbt.log("silhouette " + ", ".join(f"{number}: {score:.3f}" for number, (score, _, _) in tried.items()))
    usual = list(found.agg(*(F.avg(name) for name in HOURS)).first())
    names = [label(list(map(float, centre)), usual) for centre in fitted.clusterCenters()]
    labels = session.createDataFrame(list(enumerate(names)), "prediction int, label string")
    return assigned.join(F.broadcast(labels), "prediction").select(
        "zone_id",
        "trips",
        F.col("prediction").alias("cluster"),
        F.lit(k).alias("clusters"),
        F.lit(silhouette).alias("silhouette"),
        "label",
    )
