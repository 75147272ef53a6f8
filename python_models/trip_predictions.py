"""The live versions applied to each month's trips; `use_versions` applies others, to compare."""

from __future__ import annotations

from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock.ml import registry

KEPT = [
    *("trip_id", "pickup_month", "service_type", "pickup_at"),
    *("pickup_zone_id", "dropoff_zone_id", "fare_amount", "duration_minutes"),
]
# Training model: prefix of its columns.
PREDICTED = {"fare_model": "fare", "duration_model": "duration"}


def predictions(rows: DataFrame, versions: dict[str, registry.Version]) -> DataFrame:
    """Each trip with what the versions say of it; null for a model without any."""

    def with_one(found: DataFrame, name: str) -> DataFrame:
        version, prefix = versions.get(name), PREDICTED[name]
        if version is None:
            none = {f"predicted_{prefix}": "double", f"{prefix}_version": "int"}
            return found.withColumns({column: F.lit(None).cast(kind) for column, kind in none.items()})
        applied = version.apply(found, found.columns).withColumnRenamed("predicted", f"predicted_{prefix}")
        return applied.withColumn(f"{prefix}_version", F.lit(version.number))

    told = [name for prefix in PREDICTED.values() for name in (f"predicted_{prefix}", f"{prefix}_version")]
    return reduce(with_one, PREDICTED, rows).select(*KEPT, *told)


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
    asked = dbt.config.meta_get("use_versions")
    known = registry.versions(fare) | registry.versions(duration)
    return predictions(rows, registry.chosen(known, decisions, asked))
