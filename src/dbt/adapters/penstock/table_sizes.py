"""How large a table or view is before it is read, as far as Delta, the catalog or the optimizer know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt.adapters.base import BaseRelation
from dbt_common.exceptions import DbtRuntimeError

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

# Of an operator in EXPLAIN COST: its depth is where its name begins, behind `+- ` and `:  `.
OPERATOR = re.compile(r"^(?P<indent>[ :+\-]*)\S.*?Statistics\(sizeInBytes=(?P<number>[\d.E+]+) (?P<unit>[KMGTPE]i)?B")
OPTIMIZED = re.compile(r"== Optimized Logical Plan ==\n(.*?)\n\n", re.DOTALL)
STATISTICS = re.compile(r"(\d+) bytes")
UNITS: dict[str | None, int] = {None: 1, **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)}}
# What Spark says when it doesn't know, so that such a side is never broadcast: Long.MaxValue, in EiB.
UNKNOWN = 8 * 1024**6


def read_by(cost: str) -> int | None:
    """The bytes that a query reads, by its EXPLAIN COST: the leaves of the optimized plan.

    An operator's own estimate is of what it gives; a join's is the product of its sides', which says
    nothing. None when a leaf's size isn't known.
    """
    if not (plan := OPTIMIZED.search(cost)):
        return None
    found = [match for line in plan.group(1).splitlines() if (match := OPERATOR.match(line))]
    depths = [*(len(match["indent"]) for match in found), -1]
    leaves = [
        float(match["number"]) * UNITS[match["unit"]]
        for match, own, following in zip(found, depths, depths[1:], strict=False)
        if following <= own
    ]
    return int(sum(leaves)) if leaves and max(leaves) < UNKNOWN else None


def table_bytes(adapter: PenstockAdapter, relation: BaseRelation) -> int | None:
    """Return the bytes of a table's live files, or of those that a view reads.

    They are compressed: the same rows take several times as much in memory.

    Returns:
        Delta's own figure, else the catalog's statistics, else what the optimizer found in the
        folder; None when none of them knows, or nothing of that name is there.
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
            said = [STATISTICS.match(str(row[1])) for row in rows if row[0] == "Statistics"]
            if said and said[0]:
                return int(said[0][1])
        _, cost = adapter.execute(f"explain cost select * from {name}", fetch=True)
    except DbtRuntimeError:
        # A view of a table that is gone, a folder that can't be listed: the model's own query says so.
        return None
    return read_by(str(cost.rows[0][0]))
