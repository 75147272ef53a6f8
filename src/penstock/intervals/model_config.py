"""Parse the configuration of an interval model: an incremental model with the strategy `interval`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH, Grain

STRATEGY = "interval"
# The table property with the table's grain, `month` or `day`.
PROPERTY = "penstock.intervals"
# The property with a unique id of an Iceberg table. Spark shows the id that Delta itself gives a table, but it doesn't
# show the id that Iceberg gives a table.
TABLE_ID = "penstock.table_id"
WARN, REBUILD = "warn", "rebuild"
INTERVALS_PER_COMMIT = 12


def is_interval(node: Any) -> bool:
    """Return whether a node of dbt's manifest is an interval model."""
    config = getattr(node, "config", None)
    return (
        getattr(node, "resource_type", None) == "model"
        and getattr(config, "materialized", None) == "incremental"
        and getattr(config, "incremental_strategy", None) == STRATEGY
    )


def interval_properties(config: Mapping[str, Any], table_format: str) -> dict[str, str]:
    """Return the table properties that mark an interval model's table; an empty dict for other models.

    Args:
        config: the model's dbt configuration.
        table_format: the table's format.
    """
    if config.get("materialized") != "incremental" or config.get("incremental_strategy") != STRATEGY:
        return {}
    size = config.get("batch_size") or MONTH
    own_id = {TABLE_ID: uuid.uuid4().hex} if table_format == "iceberg" else {}
    return {PROPERTY: str(getattr(size, "value", size)), **own_id}


@dataclass(frozen=True)
class IntervalConfig:
    """The interval configuration of a model.

    Attributes:
        column: the table's column that determines the interval of a row (`event_time`).
        grain: the length of an interval (`batch_size`: month or day).
        per_commit: the maximum number of intervals in one commit (`intervals_per_commit`).
        rebuild: whether a change of the model's code makes intervals stale (`on_code_change: rebuild`), or only
            causes a warning (`warn`).
        quarantined: the SQL condition that selects quarantined rows (`quarantine_when`); None without one.
        before: the names of upstream models whose earlier intervals this model reads too (`reads_before`).
    """

    column: str
    grain: Grain
    per_commit: int
    rebuild: bool
    quarantined: str | None
    before: tuple[str, ...] = ()

    @classmethod
    def parse(cls, config: Mapping[str, Any], name: str) -> IntervalConfig:
        """Parse a model's configuration.

        Args:
            config: the model's dbt configuration.
            name: the model's name, for error messages.

        Raises:
            PenstockError: a value is missing or invalid. The error names the key.
        """

        def invalid(key: str, needed: str, value: Any) -> PenstockError:
            return PenstockError(
                f"{needed} as {key} of {name} (strategy interval)", repr(value), f"set {key} in its config"
            )

        column = config.get("event_time")
        if not isinstance(column, str) or not column.strip():
            raise invalid("event_time", "the column that tells a row's interval", column)
        size = config.get("batch_size") or MONTH
        size = getattr(size, "value", size)
        if size not in GRAINS:
            raise invalid("batch_size", "month or day", size)
        per_commit = config.get("intervals_per_commit")
        per_commit = INTERVALS_PER_COMMIT if per_commit is None else per_commit
        if isinstance(per_commit, bool) or not isinstance(per_commit, int) or per_commit < 1:
            raise invalid("intervals_per_commit", "a whole number of at least 1", per_commit)
        change = config.get("on_code_change") or WARN
        if change not in (WARN, REBUILD):
            raise invalid("on_code_change", f"{WARN} or {REBUILD}", change)
        quarantined = config.get("quarantine_when")
        if quarantined is not None and (not isinstance(quarantined, str) or not quarantined.strip()):
            raise invalid("quarantine_when", "a SQL condition over the table's columns", quarantined)
        before = config.get("reads_before") or ()
        if not isinstance(before, (list, tuple)) or not all(isinstance(item, str) and item for item in before):
            raise invalid("reads_before", "a list of names of models", before)
        return cls(column, GRAINS[size], per_commit, change == REBUILD, quarantined, tuple(before))
