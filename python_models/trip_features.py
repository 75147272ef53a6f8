"""Build the features of each trip that are known at pick-up, and its targets, which are known at drop-off.

Features about the past of a trip's zones use only trips of earlier months, so a feature never includes the trip itself
or a later trip. They come from the monthly sums in `zone_pair_monthly`, so each trip is read once.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

SECONDS_A_MINUTE = 60
SATURDAY = 5  # weekday() counts from Monday, 0
# If a pair has this many past trips, its own mean and the mean of its two zones have the same weight.
WEIGHT_OF_ZONES = 5
# For each mean per trip: the column in zone_pair_monthly with the sum, and the divisor that converts the unit.
MEANS = {
    "miles": ("distance_miles", 1),
    "minutes": ("duration_seconds", SECONDS_A_MINUTE),
    "fare": ("fare_amount", 1),
}
MONTH, PICKUP, DROPOFF = "file_month", "pickup_zone_id", "dropoff_zone_id"
# The keys of each group of past trips, by the prefix of the group's columns.
GROUPS = {
    "pair": (MONTH, PICKUP, DROPOFF),
    "from_zone": (MONTH, PICKUP),
    "to_zone": (MONTH, DROPOFF),
    "all": (MONTH,),
}


def past_sums(pairs: DataFrame, months: DataFrame) -> DataFrame:
    """Return for each month the sums over all earlier months: by pair of zones, by single zone, and in total.

    The column `past` contains the group of a row, which is a key of GROUPS.
    """
    earlier = pairs.join(F.broadcast(months), pairs.pickup_month < months.file_month)
    columns = ("trips", *(column for column, _ in MEANS.values()))
    # grouping() is 1 if the row is a sum over all values of that column.
    kind = F.when(F.grouping(PICKUP) + F.grouping(DROPOFF) == 0, "pair")
    kind = kind.when(F.grouping(PICKUP) == 0, "from_zone").when(F.grouping(DROPOFF) == 0, "to_zone").otherwise("all")
    return earlier.groupingSets(list(GROUPS.values()), *GROUPS["pair"]).agg(
        kind.alias("past"),
        F.size(F.collect_set("pickup_month")).alias("months"),
        *(F.sum(name).alias(name) for name in columns),
    )


def past_means(past: DataFrame, prefix: str) -> DataFrame:
    """Return the rows of one group as means per trip, in columns with the group's prefix."""
    mean = [
        (F.col(column).cast("double") / F.col("trips") / unit).alias(f"{prefix}_{name}")
        for name, (column, unit) in MEANS.items()
    ]
    counts = [F.col(name).alias(f"{prefix}_{name}") for name in ("trips", "months")]
    return past.where(F.col("past") == prefix).select(*GROUPS[prefix], *counts, *mean)


def with_past(trips: DataFrame, pairs: DataFrame, months: DataFrame) -> DataFrame:
    """Return trips with columns for the means of earlier months."""
    past = past_sums(pairs, months)
    for prefix, keys in GROUPS.items():
        trips = trips.join(F.broadcast(past_means(past, prefix)), list(keys), "left")
    return trips


def past_of(name: str) -> Column:
    """Return the mean of a pair's past trips, shrunk towards the mean of its zones if there are few trips."""
    trips = F.coalesce("pair_trips", F.lit(0))
    zones = (zone_of("from_zone", name) + zone_of("to_zone", name)) / 2
    of_pair = trips * F.coalesce(f"pair_{name}", F.lit(0.0))
    return (of_pair + WEIGHT_OF_ZONES * zones) / (trips + WEIGHT_OF_ZONES)


def zone_of(prefix: str, name: str) -> Column:
    """Return the mean of a zone's past trips, or of all past trips if it has none; NULL in the first month."""
    return F.coalesce(f"{prefix}_{name}", f"all_{name}")


def features(trips: DataFrame, pairs: DataFrame, months: DataFrame) -> DataFrame:
    """Return one row per trip: its keys, features known at pick-up, and targets known at drop-off."""
    weekday = F.weekday("pickup_at")
    seconds = F.timestamp_diff("SECOND", F.col("pickup_at"), F.col("dropoff_at"))
    return with_past(trips, pairs, months).select(
        "trip_id",
        F.col("file_month").alias("pickup_month"),
        "service_type",
        "vendor_id",
        "pickup_at",
        F.hour("pickup_at").alias("pickup_hour"),
        weekday.alias("pickup_weekday"),
        (weekday >= SATURDAY).alias("is_weekend"),
        "pickup_zone_id",
        "dropoff_zone_id",
        "passenger_count",
        (F.coalesce("pair_trips", F.lit(0)) / F.col("all_months")).alias("past_trips_a_month"),
        *(past_of(name).alias(f"past_{name}") for name in MEANS),
        *(zone_of("from_zone", name).alias(f"from_zone_{name}") for name in MEANS),
        *(zone_of("to_zone", name).alias(f"to_zone_{name}") for name in MEANS),
        (seconds / SECONDS_A_MINUTE).alias("duration_minutes"),
        "fare_amount",
    )


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(
        materialized="incremental",
        incremental_strategy="interval",
        event_time="pickup_month",
        partition_by=["pickup_month"],
        reads_before=["zone_pair_monthly"],
    )
    trips = dbt.ref("int_trips")
    pairs = dbt.ref("zone_pair_monthly")
    months = session.createDataFrame([(day,) for day in dbt.intervals or ()], "file_month date")
    return features(trips, pairs, months)
