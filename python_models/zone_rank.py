"""Which zones trips lead to: PageRank of the zone-to-zone graph by GraphX, and the same by data frames.

GraphX knows no weights, so an edge stands there as often as its share of the trips from its zone, in
per mille, and once where that is less, so that no edge is lost. Beside the rank: the triangles a zone
is part of and the component it belongs to.
"""

from __future__ import annotations

import uuid
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ITERATIONS = 20
RESET = 0.15
PER_MILLE = 1000
# Each iteration's plan holds all before it; it is cut after so many.
CUT_AFTER = 5
SCHEMA = "zone_id int, page_rank double, rank_by_frames double, triangles int, component int"


def edges(trips: DataFrame) -> DataFrame:
    """One row a pair of zones: `src`, `dst`, `trips`, and how often the edge stands in the graph, `weight`."""
    ends = (F.col("pickup_zone_id").alias("src"), F.col("dropoff_zone_id").alias("dst"))
    known = trips.where(F.col("pickup_zone_id").isNotNull() & F.col("dropoff_zone_id").isNotNull())
    pairs = known.groupBy(*ends).agg(F.sum("trips").alias("trips"))
    departing = pairs.groupBy("src").agg(F.sum("trips").alias("departing"))
    share = F.col("trips") * PER_MILLE / F.col("departing")
    return pairs.join(departing, "src").select("src", "dst", "trips", F.ceil(share).cast("int").alias("weight"))


def by_graphx(session: Any, graph_edges: DataFrame) -> DataFrame:
    """One row a zone: `zone_id`, `page_rank`, `triangles`, `component`. Ranks sum to the number of zones."""
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
        found: dict[int, list[Any]] = {}
        for result in (
            operations.staticPageRank(ITERATIONS, RESET),
            operations.triangleCount(),
            operations.connectedComponents(),
        ):
            for vertex in result.vertices().collect():
                found.setdefault(int(vertex._1()), []).append(vertex._2())
    finally:
        path.getFileSystem(context._jsc.hadoopConfiguration()).delete(path, True)
    rows = [(zone, float(rank), int(triangles), int(part)) for zone, (rank, triangles, part) in found.items()]
    return session.createDataFrame(rows, "zone_id int, page_rank double, triangles int, component int")


def by_frames(graph_edges: DataFrame) -> DataFrame:
    """The same ranks: `zone_id`, `rank_by_frames`."""
    ends = [graph_edges.select(F.col(name).alias("zone_id")) for name in ("src", "dst")]
    zones = ends[0].union(ends[1]).distinct().cache()
    outgoing = graph_edges.groupBy("src").agg(F.sum("weight").alias("outgoing"))
    share = (F.col("weight") / F.col("outgoing")).alias("share")
    shares = graph_edges.join(outgoing, "src").select("src", "dst", share).cache()
    ranks = zones.withColumn("rank", F.lit(1.0))
    for turn in range(1, ITERATIONS + 1):
        given = shares.join(F.broadcast(ranks), shares.src == ranks.zone_id)
        got = F.sum(F.col("rank") * F.col("share")).alias("got")
        received = given.groupBy(F.col("dst").alias("zone_id")).agg(got)
        new = RESET + (1 - RESET) * F.coalesce("got", F.lit(0.0))
        ranks = zones.join(F.broadcast(received), "zone_id", "left").select("zone_id", new.alias("rank"))
        if turn % CUT_AFTER == 0:
            ranks = ranks.localCheckpoint()
    total = ranks.agg(F.count("*") / F.sum("rank")).first()[0]
    return ranks.select("zone_id", (F.col("rank") * total).alias("rank_by_frames"))


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(
        materialized="table",
        submission_method="spark_submit",
        # Hundreds of zones: many small steps, which planning again after each stage only makes longer,
        # and over before Java's second compiler has anything to show.
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
