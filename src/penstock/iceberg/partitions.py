"""Check that an Iceberg table's partitions allow the replacement of whole intervals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.errors import PenstockError
from penstock.sql.names import unquote_identifier

# Iceberg's transforms whose partitions lie within one interval, by grain.
TRANSFORMS = {"day": ("days", "day", "hours", "hour"), "month": ("months", "month", "days", "day", "hours", "hour")}
_TRANSFORM = re.compile(r"\s*(?P<name>\w+)\s*\(\s*(?P<column>[^()]+?)\s*\)\s*")


def require(partition_by: Sequence[str], column: str, grain: str, model: str) -> None:
    """Check that each partition of a table has rows of one interval only.

    Args:
        partition_by: the partition columns and transforms.
        column: the column that determines the interval of a row.
        grain: `month` or `day`.
        model: the model's name.

    Raises:
        PenstockError: a partition can have rows of several intervals.
    """
    if any(_within_interval(item, column, grain) for item in partition_by):
        return
    raise PenstockError(
        f"partition_by of {model} (strategy interval on Iceberg) with partitions of one {grain}, because Iceberg "
        "replaces whole files",
        ", ".join(partition_by) or "none",
        f"add {grain}s({column}) to partition_by",
    )


def _within_interval(item: str, column: str, grain: str) -> bool:
    transform = _TRANSFORM.fullmatch(item)
    name = transform["column"] if transform else item.strip()
    if unquote_identifier(name).casefold() != unquote_identifier(column.strip()).casefold():
        return False
    return transform is None or transform["name"].casefold() in TRANSFORMS[grain]
