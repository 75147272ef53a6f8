"""What is known of a trip at its pick-up, and what became of it.

The past of its zones is that of the months before its own, so no feature knows of the trip itself or
of a later one. It comes from `zone_pair_monthly`, sums by month, and no trip is read twice.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

SECONDS_A_MINUTE = 60
SATURDAY = 5  # weekday() counts from Monday, 0
# A pair's own past is worth as much as that of its two zones when it has this many trips.
WEIGHT_OF_ZONES = 5
# Mean of a trip: its sum in zone_pair_monthly, and in how many of its units the mean counts one.
MEANS = {
    "miles": ("distance_miles", 1),
    "minutes": ("duration_seconds", SECONDS_A_MINUTE),
    "fare": ("fare_amount", 1),
}
MONTH, PICKUP, DROPOFF = "file_month", "pickup_zone_id", "dropoff_zone_id"
# Of what trips the past is told, by the prefix of its columns: the keys that say which.
PASTS = {
    "pair": (MONTH, PICKUP, DROPOFF),
    "from_zone": (MONTH, PICKUP),
    "to_zone": (MONTH, DROPOFF),
    "all": (MONTH,),
}


def pasts(pairs: DataFrame, months: DataFrame) -> DataFrame:
    """For each month, sums over all the months before it: by pair of zones, by each zone, of all.

    Which of them a row is stands in `past`, a key of PASTS.
    """
    earlier = pairs.join(F.broadcast(months), pairs.pickup_month < months.file_month)
    columns = ("trips", *(column for column, _ in MEANS.values()))
    # grouping() is 1 for a zone that a row is summed over.
    kind = F.when(F.grouping(PICKUP) + F.grouping(DROPOFF) == 0, "pair")
    kind = kind.when(F.grouping(PICKUP) == 0, "from_zone").when(F.grouping(DROPOFF) == 0, "to_zone").otherwise("all")
    return earlier.groupingSets(list(PASTS.values()), *PASTS["pair"]).agg(
        kind.alias("past"),
        F.size(F.collect_set("pickup_month")).alias("months"),
        *(F.sum(name).alias(name) for name in columns),
    )


def means(past: DataFrame, prefix: str) -> DataFrame:
    """The rows of one kind, as means of a trip, under names of their own."""
    mean = [
        (F.col(column).cast("double") / F.col("trips") / unit).alias(f"{prefix}_{name}")
        for name, (column, unit) in MEANS.items()
    ]
    counts = [F.col(name).alias(f"{prefix}_{name}") for name in ("trips", "months")]
    return past.where(F.col("past") == prefix).select(*PASTS[prefix], *counts, *mean)


def with_past(trips: DataFrame, pairs: DataFrame, months: DataFrame) -> DataFrame:
    """Trips with means of the months before theirs."""
    past = pasts(pairs, months)
    for prefix, keys in PASTS.items():
        trips = trips.join(F.broadcast(means(past, prefix)), list(keys), "left")
    return trips


def past_of(name: str) -> Column:
    """Mean of the pair's past trips, drawn towards that of its zones where they are few."""
    trips = F.coalesce("pair_trips", F.lit(0))
    zones = (zone_of("from_zone", name) + zone_of("to_zone", name)) / 2
    of_pair = trips * F.coalesce(f"pair_{name}", F.lit(0.0))
    return (of_pair + WEIGHT_OF_ZONES * zones) / (trips + WEIGHT_OF_ZONES)


def zone_of(prefix: str, name: str) -> Column:
    """Mean of a zone's past trips; of all trips for a zone without any; null before the first month."""
    return F.coalesce(f"{prefix}_{name}", f"all_{name}")


def features(trips: DataFrame, pairs: DataFrame, months: DataFrame) -> DataFrame:
    """One row a trip: its keys, features known at pick-up, targets known at drop-off."""
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
