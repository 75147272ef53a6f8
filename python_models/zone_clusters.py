"""Cluster zones by the hours in which their trips begin, on weekdays and weekends, with k-means."""

from __future__ import annotations

from typing import Any

from pyspark.ml.clustering import KMeans
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Zones with fewer trips are left out.
MIN_TRIPS = 100
CLUSTER_COUNTS = range(2, 7)
SEED = 1
HOURS = [f"{day}_{hour:02d}" for day in ("week", "weekend") for hour in range(24)]
# The hour at which each part of a day begins.
FIRST_HOURS = {"night": 0, "morning": 6, "midday": 11, "evening": 16, "late": 21}


def profiles(trips: DataFrame) -> DataFrame:
    """Return one row per zone: the share of its trips in each hour of weekdays and of weekends."""
    day = F.when(F.weekday("pickup_at") >= 5, "weekend").otherwise("week")
    at = F.concat(day, F.lit("_"), F.lpad(F.hour("pickup_at").cast("string"), 2, "0"))
    counts = (
        trips.where("pickup_zone_id is not null")
        .groupBy(F.col("pickup_zone_id").alias("zone_id"))
        .agg(F.count("*").alias("trips"), *(F.count_if(at == name).alias(name) for name in HOURS))
    )
    shares = [(F.col(name) / F.col("trips")).alias(name) for name in HOURS]
    return counts.where(F.col("trips") >= MIN_TRIPS).select("zone_id", "trips", *shares).orderBy("zone_id")


def label(center: list[float], average: list[float]) -> str:
    """Return a cluster's label: the part of the day in which it exceeds the average most, and its peak hour."""
    part_of = [
        max((name for name, first in FIRST_HOURS.items() if hour >= first), key=FIRST_HOURS.get) for hour in range(24)
    ]
    gains = {}
    for index, (share, mean) in enumerate(zip(center, average, strict=True)):
        name = f"{'weekend' if index >= 24 else 'weekday'} {part_of[index % 24]}"
        gains[name] = gains.get(name, 0.0) + share - mean
    hours = [center[hour] + center[hour + 24] for hour in range(24)]
    return f"{max(gains, key=gains.get)}, peak at {hours.index(max(hours))}:00"


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(materialized="table")
    zones = profiles(dbt.ref("fct_trips")).cache()
    zone_count = zones.count()
    schema = "zone_id int, trips bigint, cluster int, clusters int, silhouette double, label string"
    if zone_count <= min(CLUSTER_COUNTS):
        dbt.log(f"{zone_count} zones have at least {MIN_TRIPS} trips: too few to cluster")
        return session.createDataFrame([], schema)
    rows = VectorAssembler(inputCols=HOURS, outputCol="features").transform(zones)
    tried = {}
    for k in (k for k in CLUSTER_COUNTS if k < zone_count):
        fitted = KMeans(k=k, seed=SEED).fit(rows)
        assigned = fitted.transform(rows)
        tried[k] = (ClusteringEvaluator().evaluate(assigned), fitted, assigned)
    k = max(tried, key=lambda number: tried[number][0])
    silhouette, fitted, assigned = tried[k]
    dbt.log("silhouette " + ", ".join(f"{number}: {score:.3f}" for number, (score, _, _) in tried.items()))
    average = list(zones.agg(*(F.avg(name) for name in HOURS)).first())
    names = [label(list(map(float, center)), average) for center in fitted.clusterCenters()]
    labels = session.createDataFrame(list(enumerate(names)), "prediction int, label string")
    return assigned.join(F.broadcast(labels), "prediction").select(
        "zone_id",
        "trips",
        F.col("prediction").alias("cluster"),
        F.lit(k).alias("clusters"),
        F.lit(silhouette).alias("silhouette"),
        "label",
    )
