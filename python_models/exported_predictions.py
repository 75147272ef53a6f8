"""Predictions as parquet files in the lake, for whoever has no Spark: export/predictions/pickup_month=…

A month's files are written aside and take the place of the old ones together. A run that dies before
its own commit exports the month again.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def export(session: Any, rows: DataFrame, months: set[date], folder: str) -> DataFrame:
    """Replace some months of the export; a row for each month that has any."""
    # Shares a task's memory between months, and leaves a file or a few for each.
    sorted_rows = rows.repartition("pickup_month").sortWithinPartitions("pickup_month", "trip_id")
    writer = sorted_rows.write.mode("overwrite").partitionBy("pickup_month")
    writer.option("partitionOverwriteMode", "dynamic").parquet(folder)
    path = F.concat(F.lit(f"{folder}/pickup_month="), F.col("pickup_month").cast("string"))
    written = rows.groupBy("pickup_month").agg(F.count("*").alias("trips")).withColumn("path", path)
    have = {row["pickup_month"] for row in written.select("pickup_month").collect()}
    for month in months - have:
        empty = rows.drop("pickup_month").limit(0)
        empty.write.mode("overwrite").parquet(f"{folder}/pickup_month={month}")
    return written


def exported(session: Any, folder: str) -> set[date]:
    """The months that lie there."""
    try:
        found = session.read.parquet(folder).select("pickup_month").distinct().collect()
    except AnalysisException:  # nothing does
        return set()
    return {row["pickup_month"] for row in found}


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(materialized="incremental", incremental_strategy="interval", event_time="pickup_month")
    folder = f"{dbt.lake}/export/predictions"
    months = set(dbt.intervals or ())
    if not dbt.is_incremental:  # anew: what isn't predicted any more goes
        months |= exported(session, folder)
    return export(session, dbt.ref("trip_predictions"), months, folder)
