"""Export predictions to the lake as Parquet files that can be read without Spark: export/predictions/pickup_month=…

Spark writes a month's files to a temporary folder, and then replaces all old files of the month together. If a run is
killed before its commit, the next run exports the month again.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def export(session: Any, rows: DataFrame, months: set[date], folder: str) -> DataFrame:
    """Replace some months of the export, and return a row for each month with predictions."""
    # A task that writes months in order has only one file open at a time. Few tasks write a month, so it has few files.
    sorted_rows = rows.repartition("pickup_month").sortWithinPartitions("pickup_month", "trip_id")
    writer = sorted_rows.write.mode("overwrite").partitionBy("pickup_month")
    writer.option("partitionOverwriteMode", "dynamic").parquet(folder)
    path = F.concat(F.lit(f"{folder}/pickup_month="), F.col("pickup_month").cast("string"))
    written = rows.groupBy("pickup_month").agg(F.count("*").alias("trips")).withColumn("path", path)
    with_rows = {row["pickup_month"] for row in written.select("pickup_month").collect()}
    for month in months - with_rows:
        empty = rows.drop("pickup_month").limit(0)
        empty.write.mode("overwrite").parquet(f"{folder}/pickup_month={month}")
    return written


def exported_months(session: Any, folder: str) -> set[date]:
    """Return the months in the export's folder."""
    try:
        rows = session.read.parquet(folder).select("pickup_month").distinct().collect()
    except AnalysisException:  # The folder doesn't exist, or has no files.
        return set()
    return {row["pickup_month"] for row in rows}


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(materialized="incremental", incremental_strategy="interval", event_time="pickup_month")
    folder = f"{dbt.lake}/export/predictions"
    months = set(dbt.intervals or ())
    if not dbt.is_incremental:  # A full refresh also empties exported months that no longer have predictions.
        months |= exported_months(session, folder)
    return export(session, dbt.ref("trip_predictions"), months, folder)
