"""The configuration keys of nodes that the adapter adds to dbt's own keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dbt.adapters.spark.impl import SparkConfig
from dbt_common.contracts.config.base import MergeBehavior


@dataclass
class PenstockConfig(SparkConfig):
    """dbt-spark's node configuration, with penstock's keys and with Delta as the default file format."""

    file_format: str = "delta"
    tblproperties: dict[str, str] | None = None
    # layout.py validates the next two keys when the node runs.
    target_file_size_mb: Any = None
    sorted_within: Any = None
    # penstock.intervals.model_config validates the next four keys.
    intervals_per_commit: Any = None
    on_code_change: Any = None
    quarantine_when: Any = None
    reads_before: Any = None
    # dbt merges the `spark_conf` of a model with the `spark_conf` of the model's folders. For each setting, the most
    # specific value wins.
    spark_conf: dict[str, Any] = field(default_factory=dict, metadata=MergeBehavior.Update.meta())
