"""The size of a table or view by Delta, the catalog or the optimizer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt.adapters.base import BaseRelation
from dbt_common.exceptions import DbtRuntimeError

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

# A line of EXPLAIN COST: the operator's depth is the length of its indent of `+- ` and `:  `.
OPERATOR = re.compile(r"^(?P<indent>[ :+\-]*)\S.*?Statistics\(sizeInBytes=(?P<number>[\d.E+]+) (?P<unit>[KMGTPE]i)?B")
OPTIMIZED = re.compile(r"== Optimized Logical Plan ==\n(.*?)\n\n", re.DOTALL)
STATISTICS = re.compile(r"(\d+) bytes")
UNITS: dict[str | None, int] = {None: 1, **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)}}
# Spark's estimate of an unknown size, so that it never broadcasts the side: Long.MaxValue, in EiB.
UNKNOWN = 8 * 1024**6


def bytes_read(cost: str) -> int | None:
    """Return the bytes that a query reads by its EXPLAIN COST: the sum of the leaves of the optimized plan.

    The estimates of other operators are of their output; that of a join is only the product of its sides.

    Returns:
        None when the size of a leaf is not known.
    """
    if not (plan := OPTIMIZED.search(cost)):
        return None
    operators = [match for line in plan.group(1).splitlines() if (match := OPERATOR.match(line))]
    depths = [*(len(match["indent"]) for match in operators), -1]
    leaves = [
        float(match["number"]) * UNITS[match["unit"]]
        for match, own, following in zip(operators, depths, depths[1:], strict=False)
        if following <= own
    ]
    return int(sum(leaves)) if leaves and max(leaves) < UNKNOWN else None


def table_bytes(adapter: PenstockAdapter, relation: BaseRelation) -> int | None:
    """Return the bytes of a table's current files, or of the files that a view reads.

    The files are compressed: the same rows take several times as many bytes in memory.

    Returns:
        Delta's figure, else the catalog's statistics, else the optimizer's estimate of the folder; None when the size
        is not known or there is no such relation.
    """
    known = adapter.get_relation(None, str(relation.schema), str(relation.identifier))
    if known is None:
        return None
    name = known.include(database=False).render()
    try:
        if known.is_table and getattr(known, "is_delta", False):
            _, detail = adapter.execute(f"describe detail {name}", fetch=True)
            return int(detail.rows[0]["sizeInBytes"])
        if known.is_table:
            rows = adapter.describe_extended(known).rows
            statistics = [STATISTICS.match(str(row[1])) for row in rows if row[0] == "Statistics"]
            if statistics and statistics[0]:
                return int(statistics[0][1])
        _, cost = adapter.execute(f"explain cost select * from {name}", fetch=True)
    except DbtRuntimeError:
        # The view's table was dropped, or the folder cannot be listed: the model's own query raises that error.
        return None
    return bytes_read(str(cost.rows[0][0]))
