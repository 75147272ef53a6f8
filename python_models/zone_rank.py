"""Rank zones by the trips that lead to them, with PageRank: once with GraphX, and once with DataFrames.

GraphX's PageRank has no edge weights. Each edge is therefore repeated in proportion to its share of the trips from its
zone: once per thousandth, rounded up so that no edge is lost. The model also returns the number
of triangles and the connected component of each zone.
"""

from __future__ import annotations

import uuid
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ITERATIONS = 20
RESET = 0.15
PER_MILLE = 1000
# The plan of an iteration contains all earlier iterations. A checkpoint after this many iterations cuts it.
CHECKPOINT_INTERVAL = 5
SCHEMA = "zone_id int, page_rank double, rank_by_frames double, triangles int, component int"


def edges(trips: DataFrame) -> DataFrame:
    """Return one row per pair of zones: `src`, `dst`, `trips`, and `weight`, how many times GraphX gets the edge."""
    ends = (F.col("pickup_zone_id").alias("src"), F.col("dropoff_zone_id").alias("dst"))
    known = trips.where(F.col("pickup_zone_id").isNotNull() & F.col("dropoff_zone_id").isNotNull())
    pairs = known.groupBy(*ends).agg(F.sum("trips").alias("trips"))
    departing = pairs.groupBy("src").agg(F.sum("trips").alias("departing"))
    share = F.col("trips") * PER_MILLE / F.col("departing")
    return pairs.join(departing, "src").select("src", "dst", "trips", F.ceil(share).cast("int").alias("weight"))


def by_graphx(session: Any, graph_edges: DataFrame) -> DataFrame:
    """Return `zone_id`, `page_rank`, `triangles` and `component`. The ranks sum to the number of zones."""
    context = session.sparkContext
    folder = f"{session.conf.get('spark.sql.warehouse.dir')}/zone_rank-{uuid.uuid4().hex}"
    repeated = graph_edges.select(F.explode(F.array_repeat(F.concat_ws(" ", "src", "dst"), F.col("weight"))))
    path = context._jvm.org.apache.hadoop.fs.Path(folder)
    try:
        repeated.write.text(folder)
        jvm = context._jvm
        level = jvm.org.apache.spark.storage.StorageLevel.MEMORY_AND_DISK()
        graph = jvm.org.apache.spark.graphx.GraphLoader.edgeListFile(context._jsc.sc(), folder, False, -1, level, level)
        graphx = jvm.org.apache.spark.graphx.Graph
        integers = getattr(jvm.scala.reflect, "ClassTag$").__getattr__("MODULE$").Int()
        operations = graphx.graphToGraphOps(graph, integers, integers)
        by_zone: dict[int, list[Any]] = {}
        for result in (
            operations.staticPageRank(ITERATIONS, RESET),
            operations.triangleCount(),
            operations.connectedComponents(),
        ):
            for vertex in result.vertices().collect():
                by_zone.setdefault(int(vertex._1()), []).append(vertex._2())
    finally:
        path.getFileSystem(context._jsc.hadoopConfiguration()).delete(path, True)
    rows = [
        (zone, float(rank), int(triangles), int(component)) for zone, (rank, triangles, component) in by_zone.items()
    ]
    return session.createDataFrame(rows, "zone_id int, page_rank double, triangles int, component int")


def by_frames(graph_edges: DataFrame) -> DataFrame:
    """Return the same ranks, computed with DataFrames: `zone_id`, `rank_by_frames`."""
    ends = [graph_edges.select(F.col(name).alias("zone_id")) for name in ("src", "dst")]
    zones = ends[0].union(ends[1]).distinct().cache()
    outgoing = graph_edges.groupBy("src").agg(F.sum("weight").alias("outgoing"))
    share = (F.col("weight") / F.col("outgoing")).alias("share")
    shares = graph_edges.join(outgoing, "src").select("src", "dst", share).cache()
    ranks = zones.withColumn("rank", F.lit(1.0))
    for iteration in range(1, ITERATIONS + 1):
        sent = shares.join(F.broadcast(ranks), shares.src == ranks.zone_id)
        total = F.sum(F.col("rank") * F.col("share")).alias("received")
        received = sent.groupBy(F.col("dst").alias("zone_id")).agg(total)
        new = RESET + (1 - RESET) * F.coalesce("received", F.lit(0.0))
        ranks = zones.join(F.broadcast(received), "zone_id", "left").select("zone_id", new.alias("rank"))
        if iteration % CHECKPOINT_INTERVAL == 0:
            ranks = ranks.localCheckpoint()
    scale = ranks.agg(F.count("*") / F.sum("rank")).first()[0]
    return ranks.select("zone_id", (F.col("rank") * scale).alias("rank_by_frames"))


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(
        materialized="table",
        submission_method="spark_submit",
        # A few hundred zones mean many small jobs, for which adaptive execution only adds planning time.
        # The driver ends before the C2 compiler would pay off.
        spark_conf={
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.shuffle.partitions": "4",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        },
    )
    graph_edges = edges(dbt.ref("zone_pair_monthly")).cache()
    if not graph_edges.head(1):
        return session.createDataFrame([], SCHEMA)
    ranks = by_graphx(session, graph_edges)
    return ranks.join(by_frames(graph_edges), "zone_id").select(
        "zone_id", "page_rank", "rank_by_frames", "triangles", "component"
    )
