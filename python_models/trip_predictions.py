"""Predict fare and duration of each trip with the live versions, or with the versions in `use_versions`."""

from __future__ import annotations

from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock.ml import registry

KEPT_COLUMNS = [
    *("trip_id", "pickup_month", "service_type", "pickup_at"),
    *("pickup_zone_id", "dropoff_zone_id", "fare_amount", "duration_minutes"),
]
# The prefix of the columns of each training model.
PREFIXES = {"fare_model": "fare", "duration_model": "duration"}


def predictions(rows: DataFrame, versions: dict[str, registry.Version]) -> DataFrame:
    """Return each trip with the predictions of the versions. The predictions of a model without a version are NULL."""

    def with_prediction(frame: DataFrame, name: str) -> DataFrame:
        version, prefix = versions.get(name), PREFIXES[name]
        if version is None:
            nulls = {f"predicted_{prefix}": "double", f"{prefix}_version": "int"}
            return frame.withColumns({column: F.lit(None).cast(data_type) for column, data_type in nulls.items()})
        applied = version.predict(frame, frame.columns).withColumnRenamed("predicted", f"predicted_{prefix}")
        return applied.withColumn(f"{prefix}_version", F.lit(version.number))

    predicted = [name for prefix in PREFIXES.values() for name in (f"predicted_{prefix}", f"{prefix}_version")]
    return reduce(with_prediction, PREFIXES, rows).select(*KEPT_COLUMNS, *predicted)


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(
        materialized="incremental",
        incremental_strategy="interval",
        event_time="pickup_month",
        partition_by=["pickup_month"],
    )
    rows = dbt.ref("trip_features")
    fare = dbt.ref("fare_model")
    duration = dbt.ref("duration_model")
    decisions = dbt.ref("model_registry")
    requested = dbt.config.meta_get("use_versions")
    known = registry.versions(fare) | registry.versions(duration)
    return predictions(rows, registry.select_versions(known, decisions, requested))
