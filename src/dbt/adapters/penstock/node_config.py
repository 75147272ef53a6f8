"""The node configuration keys that the adapter adds to those of dbt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dbt.adapters.spark.impl import SparkConfig
from dbt_common.contracts.config.base import MergeBehavior


@dataclass
class PenstockConfig(SparkConfig):
    """dbt-spark's node configuration with Delta as the default file format."""

    file_format: str = "delta"
    tblproperties: dict[str, str] | None = None
    # Validated by layout.py when the node runs.
    target_file_size_mb: Any = None
    sorted_within: Any = None
    # Validated by penstock.intervals.model_config.
    intervals_per_commit: Any = None
    on_code_change: Any = None
    quarantine_when: Any = None
    reads_before: Any = None
    # dbt merges the settings of the folders and of the model. The most specific value wins.
    spark_conf: dict[str, Any] = field(default_factory=dict, metadata=MergeBehavior.Update.meta())
