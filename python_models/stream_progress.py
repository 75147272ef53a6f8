"""Read the lake's manifest as a structured stream, up to its current end, and report the stream's progress.

Each commit of the manifest is one micro-batch. It replaces a month in the table `stream_trips`, which is in the same
schema as this model's table. A month that lands again is replaced, and a removed month is deleted. A micro-batch that
runs again after a kill writes the same rows. The id of the micro-batch is in the metadata of its Delta commit, where
this model reads the progress. The stream ends at the last commit whose files had been registered with Spark when this
dbt run began. The next run processes later commits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ENTRY = "version long, action string, dataset string, file_month date"
COMMIT_METADATA = "batch_id long, manifest_version long, dataset string, file_month date"
SCHEMA = "batch_id long, manifest_version long, dataset string, file_month date, rows bigint, delta_version bigint"
MONTH = ("service_type", "file_month")


class CommitNotRegistered(Exception):
    """Spark's tables don't yet show a commit of the manifest. The next run begins with this commit's micro-batch."""


def hadoop_path(session: Any, address: str) -> tuple[Any, Any]:
    """Return the Hadoop file system and path of a URL."""
    context = session.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(address)
    return path.getFileSystem(context._jsc.hadoopConfiguration()), path


def exists(session: Any, address: str) -> bool:
    """Return whether the driver can see a path. It can't see a lake on another machine's disk."""
    files, path = hadoop_path(session, address)
    return bool(files.exists(path))


def create_stream_table(session: Any, table: str, like: DataFrame, checkpoint: str, full_refresh: bool) -> None:
    """Create the stream's table if it is missing or on a full refresh. Then also delete the old checkpoint."""
    if session.catalog.tableExists(table) and not full_refresh:
        return
    session.sql(f"drop table if exists {table}")
    files, path = hadoop_path(session, checkpoint)
    files.delete(path, True)
    like.limit(0).write.format("delta").partitionBy(*MONTH).saveAsTable(table)


def month_replacer(folder: str, services: dict[str, DataFrame], last: int) -> Callable[[DataFrame, int], None]:
    """Return the function that handles a micro-batch: it replaces the months of the manifest's entries.

    The function writes to the table's folder. A write by table name would also update the columns in the metastore,
    which takes longer than writing the rows.

    Args:
        folder: the table's folder.
        services: the trips by dataset.
        last: the last version of the manifest that is registered with Spark. A later one raises CommitNotRegistered.
    """

    def replace(entries: DataFrame, batch_id: int) -> None:
        collected = entries.collect()
        if any(entry.version > last for entry in collected):
            raise CommitNotRegistered
        for entry in collected:
            rows = services.get(entry.dataset)
            if rows is None:
                continue
            metadata = {"batch_id": batch_id, "manifest_version": entry.version}
            metadata |= {"dataset": entry.dataset, "file_month": f"{entry.file_month}"}
            month = f"service_type = '{entry.dataset}' and file_month = date'{entry.file_month}'"
            writer = rows.where(month).write.format("delta").mode("overwrite").option("replaceWhere", month)
            writer.option("mergeSchema", "true").option("userMetadata", json.dumps(metadata)).save(folder)

    return replace


def progress(session: Any, table: str) -> DataFrame:
    """Read the history of the stream's table, and return one row per processed commit of the manifest."""
    history = session.sql(f"describe history {table}").where(F.col("userMetadata").startswith('{"batch_id"'))
    metadata = F.from_json("userMetadata", COMMIT_METADATA)
    newest = history.groupBy(metadata.manifest_version).agg(F.max_by(F.struct("*"), "version").alias("h"))
    newest_metadata = F.from_json("h.userMetadata", COMMIT_METADATA)
    return newest.select(
        *(newest_metadata[name].alias(name) for name in ("batch_id", "manifest_version", "dataset", "file_month")),
        F.col("h.operationMetrics")["numOutputRows"].cast("bigint").alias("rows"),
        F.col("h.version").alias("delta_version"),
    )


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(
        materialized="incremental",
        incremental_strategy="merge",
        unique_key="manifest_version",
        submission_method="spark_submit",
        schema="staging",
        # This job is short and has its own JVM, which ends before the C2 compiler would pay off.
        spark_conf={"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"},
    )
    green = dbt.ref("stg_green_trips")
    yellow = dbt.ref("stg_yellow_trips")
    last = dbt.source("lake", "manifest").agg(F.max("version")).first()[0]
    table = f"{dbt.this.schema}.stream_trips"
    checkpoint = f"{session.conf.get('spark.sql.warehouse.dir')}/_checkpoints/{table}"
    log = f"{dbt.lake}/manifest/log"
    if not dbt.reads_all or last is None or not exists(session, log):
        dbt.log("the run reads a sample, or there is no lake: the stream does not advance")
        return session.createDataFrame([], SCHEMA)
    create_stream_table(session, table, green, checkpoint, full_refresh=not dbt.is_incremental)
    folder = session.sql(f"describe detail {table}").first()["location"]
    entries = session.readStream.schema(ENTRY).option("multiLine", True).option("maxFilesPerTrigger", 1)
    # Commits are ordered by version, not time. The default maxFileAge would skip commits with much older timestamps.
    commits = entries.option("maxFileAge", "36500d").json(log)
    replace = month_replacer(folder, {"green": green, "yellow": yellow}, last)
    query = commits.writeStream.foreachBatch(replace).option("checkpointLocation", checkpoint)
    try:
        query.trigger(availableNow=True).start().awaitTermination()
    except StreamingQueryException as error:
        if CommitNotRegistered.__name__ not in str(error):
            raise
        dbt.log(f"files landed during this run: the next run continues after commit {last} of the manifest")
    return progress(session, table)
