"""Compare each month's error with that of the test month, and measure how far features have moved since training."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame

from penstock.ml import monitoring, registry


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(materialized="incremental", incremental_strategy="interval", event_time="pickup_month")
    predictions = dbt.ref("trip_predictions")
    features = dbt.ref("trip_features")
    fare = dbt.ref("fare_model")
    duration = dbt.ref("duration_model")
    versions = registry.versions(fare) | registry.versions(duration)
    rows = []
    for name, prefix in (("fare_model", "fare"), ("duration_model", "duration")):
        columns = {"month": "pickup_month", "version": f"{prefix}_version", "predicted": f"predicted_{prefix}"}
        rows += monitoring.measure(name, versions.get(name, {}), predictions, features, columns)
    return session.createDataFrame(rows, monitoring.SCHEMA).withColumnRenamed("month", "pickup_month")
