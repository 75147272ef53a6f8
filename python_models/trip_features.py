"""Features of a trip that are known at pick-up, and what became of it."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

SECONDS_A_MINUTE = 60
SATURDAY = 5  # weekday() counts from Monday, 0


def features(trips: DataFrame) -> DataFrame:
    """One row a trip: its keys, features known at pick-up, targets known at drop-off."""
    weekday = F.weekday("pickup_at")
    seconds = F.timestamp_diff("SECOND", F.col("pickup_at"), F.col("dropoff_at"))
    return trips.select(
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
        "rate_code_id",
        (seconds / SECONDS_A_MINUTE).alias("duration_minutes"),
        "fare_amount",
    )


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(
        materialized="incremental",
        incremental_strategy="interval",
        event_time="pickup_month",
        partition_by=["pickup_month"],
    )
    return features(dbt.ref("int_trips"))
