"""The lane beside the batch: a stream that follows the lake's manifest, to its end, and what it did.

Each commit of the manifest is a micro-batch, and replaces its month in `stream_trips`, beside this
model's table. A month that lands again is replaced, one that is removed goes. A batch that is run
again after a kill makes the same rows, and its commit in Delta's history says which one it was: the
progress is read from there. Its end is the commit that Spark's tables of the lake were brought to when
this run of dbt began: what lands meanwhile is for the next run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ENTRY = "version long, action string, dataset string, file_month date"
SAID = "batch_id long, manifest_version long, dataset string, file_month date"
SCHEMA = "batch_id long, manifest_version long, dataset string, file_month date, rows bigint, delta_version bigint"
MONTH = ("service_type", "file_month")


class NotYet(Exception):
    """A commit that the tables don't show yet; its batch stays undone, and the next run begins with it."""


def hadoop(session: Any, address: str) -> tuple[Any, Any]:
    """The file system of an address, whichever it is, and the path there."""
    context = session.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(address)
    return path.getFileSystem(context._jsc.hadoopConfiguration()), path


def is_there(session: Any, address: str) -> bool:
    """Whether the driver sees it: a lake on another machine's disk it doesn't."""
    files, path = hadoop(session, address)
    return bool(files.exists(path))


def fresh(session: Any, table: str, like: DataFrame, checkpoint: str, anew: bool) -> None:
    """Make the table unless it is there, or `anew`; without it, no checkpoint is worth anything."""
    if session.catalog.tableExists(table) and not anew:
        return
    session.sql(f"drop table if exists {table}")
    files, path = hadoop(session, checkpoint)
    files.delete(path, True)
    like.limit(0).write.format("delta").partitionBy(*MONTH).saveAsTable(table)


def replacer(folder: str, services: dict[str, DataFrame], upto: int) -> Callable[[DataFrame, int], None]:
    """What replaces the months that a micro-batch's entries are about, in the table's folder; none after `upto`.

    By its name each write would also tell the metastore the columns, which takes longer than the rows.
    """

    def replace(entries: DataFrame, batch_id: int) -> None:
        found = entries.collect()
        if any(entry.version > upto for entry in found):
            raise NotYet
        for entry in found:
            rows = services.get(entry.dataset)
            if rows is None:
                continue
            said = {"batch_id": batch_id, "manifest_version": entry.version}
            said |= {"dataset": entry.dataset, "file_month": f"{entry.file_month}"}
            month = f"service_type = '{entry.dataset}' and file_month = date'{entry.file_month}'"
            writer = rows.where(month).write.format("delta").mode("overwrite").option("replaceWhere", month)
            writer.option("mergeSchema", "true").option("userMetadata", json.dumps(said)).save(folder)

    return replace


def progress(session: Any, table: str) -> DataFrame:
    """One row a commit of the manifest that was followed, as the table's own history tells."""
    history = session.sql(f"describe history {table}").where(F.col("userMetadata").startswith('{"batch_id"'))
    said = F.from_json("userMetadata", SAID)
    newest = history.groupBy(said.manifest_version).agg(F.max_by(F.struct("*"), "version").alias("h"))
    told = F.from_json("h.userMetadata", SAID)
    return newest.select(
        *(told[name].alias(name) for name in ("batch_id", "manifest_version", "dataset", "file_month")),
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
        # Short work in a JVM of its own: what Java's second compiler gains comes after its end.
        spark_conf={"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"},
    )
    green = dbt.ref("stg_green_trips")
    yellow = dbt.ref("stg_yellow_trips")
    upto = dbt.source("lake", "manifest").agg(F.max("version")).first()[0]
    table = f"{dbt.this.schema}.stream_trips"
    checkpoint = f"{session.conf.get('spark.sql.warehouse.dir')}/_checkpoints/{table}"
    log = f"{dbt.lake}/manifest/log"
    if not dbt.reads_all or upto is None or not is_there(session, log):
        dbt.log("a sample of the rows, or no lake: the stream stays where it is")
        return session.createDataFrame([], SCHEMA)
    fresh(session, table, green, checkpoint, anew=not dbt.is_incremental)
    folder = session.sql(f"describe detail {table}").first()["location"]
    entries = session.readStream.schema(ENTRY).option("multiLine", True).option("maxFilesPerTrigger", 1)
    # Commits are told by their version: one with an older clock is no less a commit.
    commits = entries.option("maxFileAge", "36500d").json(log)
    replace = replacer(folder, {"green": green, "yellow": yellow}, upto)
    query = commits.writeStream.foreachBatch(replace).option("checkpointLocation", checkpoint)
    try:
        query.trigger(availableNow=True).start().awaitTermination()
    except StreamingQueryException as error:
        if NotYet.__name__ not in str(error):
            raise
        dbt.log(f"the lake has commits after {upto}, which landed while this run was under way: the next one follows")
    return progress(session, table)
