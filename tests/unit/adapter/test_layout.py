"""The layout of a node's table: invalid values, session settings, and the wrapped query."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import layout, table_sizes
from dbt.adapters.penstock.layout import FileLayout
from penstock.delta.sorted_writes import REBALANCE_PARTITIONS

TARGET = {"target_file_size_mb": 128}
OPTIMIZED = "spark.databricks.delta.optimizeWrite.enabled"
COMPACTED = "spark.databricks.delta.autoCompact.enabled"
ADVISORY = "spark.sql.adaptive.advisoryPartitionSizeInBytes"


def of(**config: Any) -> FileLayout:
    return FileLayout.parse(config, "delta", "model.p.m")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"target_file_size_mb": 0},
            "a whole number of MB, at least 1, as target_file_size_mb of model.p.m. found: 0.",
        ),
        ({"target_file_size_mb": -1}, "found: -1."),
        ({"target_file_size_mb": "128"}, "found: '128'."),
        ({"target_file_size_mb": True}, "found: True."),
        ({"target_file_size_mb": 1.5}, "found: 1.5."),
        ({"sorted_within": {"a": "b"}}, "a column or a list of columns as sorted_within of model.p.m."),
        ({"sorted_within": ["a", 1]}, "found: ['a', 1]."),
        ({"sorted_within": ["a", "A"]}, "each column once (A, a) as sorted_within"),
        ({"clustered_by": 3}, "a column or a list of columns as clustered_by of model.p.m. found: 3."),
        ({"partition_by": [""]}, "a column or a list of columns as partition_by of model.p.m. found: ['']."),
        ({"partition_by": "m", "clustered_by": ["z", "M"]}, "found: M in both. do: leave it out of clustered_by"),
        ({"file_format": "iceberg", **TARGET}, "for target_file_size_mb of model.p.m. found: iceberg, which arranges"),
        ({"file_format": "hudi", "sorted_within": "a"}, "for sorted_within of model.p.m. found: hudi"),
        ({"file_format": "unheard"}, "needed: a file_format. found: unheard."),
    ],
)
def test_an_invalid_value_is_refused_by_its_key(config: dict[str, Any], message: str) -> None:
    with pytest.raises(DbtRuntimeError) as caught:
        of(**config)
    assert message in str(caught.value)
    assert ". do: " in str(caught.value)


def test_an_iceberg_table_is_sorted_by_its_query() -> None:
    """Its properties keep Iceberg from sorting the rows again."""
    found = of(file_format="iceberg", partition_by="months(at)", sorted_within=["zone"])
    assert found.properties() == {"write.distribution-mode": "none", "write.spark.fanout.enabled": "true"}
    assert found.arranged("x").endswith("\nsort by `zone`")
    assert of(file_format="iceberg").properties() == of(sorted_within="a").properties() == {}


def test_without_a_layout_nothing_is_set() -> None:
    assert of(partition_by="m", clustered_by=["z"]).session_settings() == {}
    assert of(partition_by="m").arranged("select 1") == "select 1"


def test_a_partitioned_delta_table_has_optimized_writes() -> None:
    """Auto-compaction merges the files that are still too small."""
    found = of(partition_by="m", **TARGET)
    settings = found.session_settings()
    assert settings[OPTIMIZED] == "true" and settings[COMPACTED] == "true"
    assert settings["spark.databricks.delta.optimizeWrite.binSize"] == "256m", "shuffled bytes, not a file's"
    assert settings["spark.databricks.delta.autoCompact.maxFileSize"] == str(128 * layout.MB)
    assert settings["spark.databricks.delta.autoCompact.minFileSize"] == str(32 * layout.MB)
    assert settings["spark.databricks.delta.optimize.maxFileSize"] == str(128 * layout.MB)
    assert ADVISORY not in settings
    assert found.arranged("select 1") == "select 1"


def test_an_unpartitioned_delta_table_is_rebalanced() -> None:
    """Optimized writes would send its rows to one task; auto-compaction stays on."""
    settings = of(**TARGET).session_settings()
    assert settings[OPTIMIZED] == "false" and settings[COMPACTED] == "true"
    assert settings[ADVISORY] == "256m"
    assert of(**TARGET).arranged("select 1") == (
        f"select /*+ rebalance({REBALANCE_PARTITIONS}) */ * from (\nselect 1\n) as DBT_INTERNAL_ARRANGED"
    )


def test_sorted_rows_are_not_moved() -> None:
    found = of(partition_by=["m"], sorted_within=["M", "a b"], **TARGET)
    assert found.session_settings()[OPTIMIZED] == "false" and found.session_settings()[COMPACTED] == "false"
    assert found.arranged("select 1") == (
        f"select /*+ rebalance({REBALANCE_PARTITIONS}, `m`) */ * from (\nselect 1\n) as DBT_INTERNAL_ARRANGED\n"
        "sort by `m`, `a b`"
    )
    assert of(sorted_within="a").session_settings() == {OPTIMIZED: "false", COMPACTED: "false"}
    assert of(sorted_within="a").arranged("x") == "select * from (\nx\n) as DBT_INTERNAL_ARRANGED\nsort by `a`"


def test_other_formats_are_rebalanced() -> None:
    found = of(file_format="parquet", partition_by="m", **TARGET)
    assert set(found.session_settings()) == {
        ADVISORY,
        "spark.sql.adaptive.coalescePartitions.parallelismFirst",
        "spark.sql.adaptive.rebalancePartitionsSmallPartitionFactor",
    }
    assert f"rebalance({REBALANCE_PARTITIONS}, `m`)" in found.arranged("select 1")


def test_spark_conf_overrides_the_layout() -> None:
    config = {"materialized": "table", "spark_conf": {COMPACTED: False, "x": 1}, **TARGET}
    settings = layout.session_settings(config, "delta", "m")
    assert settings[COMPACTED] == "false" and settings["x"] == "1" and settings[OPTIMIZED] == "false"
    assert layout.session_settings({**config, "materialized": "view"}, "delta", "m") == {COMPACTED: "false", "x": "1"}
    unit = layout.session_settings({**config, "materialized": "unit"}, "delta", "m")
    assert unit["spark.sql.codegen.factoryMode"] == "NO_CODEGEN"
    assert unit["x"] == "1"


COST = """== Optimized Logical Plan ==
Join Inner, (id#1 = id#2), Statistics(sizeInBytes=9.1 GiB)
:- Filter isnotnull(id#1), Statistics(sizeInBytes=2.0 KiB)
:  +- Relation spark_catalog.w.q[id#1,p#2] parquet, Statistics(sizeInBytes=2.0 KiB)
+- Project [id#2], Statistics(sizeInBytes={0}, rowCount=3)
   +- Relation spark_catalog.w.d[id#2] parquet, Statistics(sizeInBytes={0}, rowCount=3)

== Physical Plan ==
FileScan, Statistics(sizeInBytes=1.0 GiB)
"""


def test_the_size_of_a_view_is_that_of_its_inputs() -> None:
    assert table_sizes.bytes_read(COST.format("1.5 MiB")) == 2048 + 3 * 1024 * 512
    assert table_sizes.bytes_read(COST.format("10.0 B")) == 2058


def test_an_unknown_size_is_none() -> None:
    assert table_sizes.bytes_read(COST.format("8.0 EiB")) is None
    assert table_sizes.bytes_read("Error occurred during query planning") is None
