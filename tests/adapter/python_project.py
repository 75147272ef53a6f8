"""A small dbt project of Python models for every return type, strategy and failure."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.projects import Project, small_project

MODELS = {
    # What they read.
    "events_at": """
        {{ config(materialized='table', event_time='at') }}
        select id, to_timestamp(day) as at from values
        (1, '2024-01-01 00:00:00'), (2, '2024-01-01 23:59:59'), (3, '2024-01-02 00:00:00'), (4, '2024-01-03 12:00:00')
        as t(id, day)
    """,
    "events_ntz": """
        {{ config(materialized='table', event_time='at') }}
        select id, cast(at as timestamp_ntz) as at from {{ ref('events_at') }}
    """,
    "events_date": """
        {{ config(materialized='table', event_time='day') }}
        select id, to_date(at) as day from {{ ref('events_at') }}
    """,
    # What a model may return.
    "r_spark": """
        from dataclasses import dataclass
        from pyspark.sql import functions as F

        @dataclass
        class Suffix:
            text: "str" = "!"

        @F.udf("string")
        def shout(word):
            print("in a worker")
            return word.upper() + Suffix().text

        def model(dbt, session):
            dbt.config(materialized="table", clustered_by=["id"], tblproperties={"my.owner": "it's me"},
                       spark_conf={"spark.sql.shuffle.partitions": 3}, packages=["pandas>=2"], timeout=300)
            print("partitions", session.conf.get("spark.sql.shuffle.partitions"), dbt.batch, dbt.this)
            print("meta", dbt.config.meta_get("level"), dbt.config.get("meta"))
            return session.range(4).select("id", shout(F.lit("a")).alias("word"))
    """,
    "r_pandas": """
        import pandas as pd
        def model(dbt, session):
            dbt.config(materialized="table", partition_by="k")
            return pd.DataFrame({"k": ["a", "b"], "v": [1, 2]})
    """,
    "r_on_spark": """
        import pyspark.pandas as ps
        def model(dbt, session):
            dbt.config(materialized="table")
            return ps.DataFrame({"k": ["a", "a", "b"], "v": [1, 2, 3]}).groupby("k").v.sum().reset_index()
    """,
    "r_arrow": """
        import pyarrow as pa
        def model(dbt, session):
            dbt.config(materialized="table", file_format="parquet", clustered_by="a", buckets=2, partition_by="p",
                       location_root=LOCATION)
            return pa.table({"p": [7, 7], "a": [1, 2]})
    """,
    "r_rdd": """
        import os
        def model(dbt, session):
            dbt.config(materialized="table", submission_method="spark_submit", master="local[1]",
                       spark_conf={"spark.driver.memory": "900m"})
            events = dbt.ref("events_at")
            if os.environ.get("FAIL"):
                session.sparkContext.parallelize(range(2)).map(lambda x: 1 // x).collect()
            context = session.sparkContext
            print("application", context.appName, context.master, context.getConf().get("spark.driver.memory"))
            print("described", context.getLocalProperty("spark.job.description"))
            print("archive", "/cds/spark-" in open(f"/proc/{os.getppid()}/maps").read())
            total = context.parallelize(range(10), 2).map(lambda x: x * 2).sum()
            java = context._jvm.java.lang.Math.max(3, 4)
            return session.createDataFrame([(total, java, events.count())], "total int, java int, n long")
    """,
    "enforced": """
        def model(dbt, session):
            dbt.config(materialized="table")
            return session.range(2).selectExpr("id", "cast(id as decimal(9,2)) as price", "1 as anything")
    """,
    # How rows are written.
    "i_append": """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns")
            return session.range(2) if not dbt.is_incremental else session.range(2, 4).selectExpr("id", "'n' as added")
    """,
    "i_merge": """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="merge", unique_key="id")
            return session.range(1 if dbt.is_incremental else 0, 3).selectExpr("id", f"{dbt.is_incremental} as later")
    """,
    "i_overwrite": """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="insert_overwrite", partition_by="p")
            return session.sql("select 10 as v, 'b' as p" if dbt.is_incremental else
                               "select 1 as v, 'a' as p union all select 2, 'b'")
    """,
    "i_overwrite_parquet": """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="insert_overwrite", file_format="parquet",
                       partition_by="p")
            return session.sql("select 10 as v, 'b' as p" if dbt.is_incremental else
                               "select 1 as v, 'a' as p union all select 2, 'b'")
    """,
    "i_sync": """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="sync_all_columns")
            return session.sql("select cast(5 as bigint) as id, 'n' as fresh" if dbt.is_incremental else
                               "select 1 as id, 'o' as stale")
    """,
    "i_fail": """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="fail")
            return session.range(1) if not dbt.is_incremental else session.range(1).selectExpr("1 as fresh")
    """,
    "batched": """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="microbatch", event_time="at",
                       batch_size="day", begin="2024-01-01")
            ntz, date = dbt.ref("events_ntz").count(), dbt.ref("events_date").count()
            began = f"timestamp'{dbt.batch.start.isoformat()}' as began"
            return dbt.ref("events_at").selectExpr("id", "at", began, f"{ntz} as ntz", f"{date} as date")
    """,
    # Tables that a later failure must leave as they were.
    "h_delta": """
        import os
        from pyspark.sql import functions as F

        @F.udf("long")
        def checked(x):
            if x > 50:
                raise ValueError("no such fare")
            return x

        def model(dbt, session):
            dbt.config(materialized="table")
            return session.range(0, 100 if os.environ.get("FAIL") else 3, 1, 4).select(checked("id").alias("id"))
    """,
    "h_parquet": """
        import os
        def model(dbt, session):
            dbt.config(materialized="table", file_format="parquet")
            if os.environ.get("FAIL"):
                return session.range(0, 100, 1, 4).selectExpr("1 / (id - 50) as x")
            return session.range(3)
    """,
    # What can't be.
    "f_line": """
        def model(dbt, session):
            dbt.config(materialized="table", tags="wrong")
            print("rows", dbt.ref("events_at").limit(3).count())
            if dbt.this:
                raise KeyError("fare")
            return session.range(1)
    """,
    "f_kind": """
        def model(dbt, session):
            dbt.config(materialized="table", tags="wrong")
            return [1, 2]
    """,
    "f_packages": """
        def model(dbt, session):
            dbt.config(materialized="table", tags="wrong", packages=["no-such-package-here>=2", "pandas"])
            return session.range(1)
    """,
    "f_conf": """
        def model(dbt, session):
            dbt.config(materialized="table", tags="wrong", spark_conf={"spark.executor.memory": "2g"})
            return session.range(1)
    """,
    "f_timeout": """
        def model(dbt, session):
            dbt.config(materialized="table", tags="wrong", timeout=2)
            while True:
                try:
                    sum(range(1000))
                except Exception:
                    pass
            return session.range(1)
    """,
    "f_columns": """
        def model(dbt, session):
            dbt.config(materialized="table", tags="wrong")
            return session.range(1).selectExpr("cast(id as int) as id", "1 as extra")
    """,
    # What Ctrl-C ends.
    "slow_connect": """
        import time
        from pyspark.sql import functions as F

        @F.udf("long")
        def wait(x):
            time.sleep(1)
            return x

        def model(dbt, session):
            dbt.config(materialized="table", file_format="parquet", tags="slow")
            return session.range(0, 600, 1, 2).select(wait("id").alias("id"))
    """,
    "slow_submit": """
        import time
        def model(dbt, session):
            dbt.config(materialized="table", tags="slow", submission_method="spark_submit", master="local[1]")
            print("it waits")
            time.sleep(600)
            return session.range(1)
    """,
}
PROPERTIES = {
    "version": 2,
    "models": [
        {"name": "r_spark", "config": {"meta": {"level": 3}}},
        {
            "name": "enforced",
            "config": {"enforce_columns": True},
            "columns": [
                {"name": "ID", "data_type": "long"},
                {"name": "price", "data_type": "numeric(9, 2)"},
                {"name": "anything"},
            ],
        },
        {
            "name": "f_columns",
            "config": {"enforce_columns": True},
            "columns": [{"name": "id", "data_type": "bigint"}, {"name": "lost", "data_type": "string"}],
        },
    ],
}


def unindented(text: str) -> str:
    """Return a model's text without the indentation of its first line."""
    lines = text.strip("\n").rstrip().split("\n")
    width = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[width:] for line in lines) + "\n"


def make(root: Path, host: Project) -> Project:
    """Make the project on another project's server."""
    files = {"models/properties.yml": yaml.safe_dump(PROPERTIES)}
    for name, text in MODELS.items():
        code = unindented(text).replace("LOCATION", repr(f"file:{root}/elsewhere"))
        files[f"models/{name}.{'py' if 'def model(' in code else 'sql'}"] = code
    return small_project(root, files, {"schema": "w", "threads": 3}, host=host)
