"""The size of a table or view, as reported by Delta, the catalog or the optimizer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt.adapters.base import BaseRelation
from dbt_common.exceptions import DbtRuntimeError

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

# A line of EXPLAIN COST. The length of the line's indent (`+- ` and `:  `) is the operator's depth.
OPERATOR = re.compile(r"^(?P<indent>[ :+\-]*)\S.*?Statistics\(sizeInBytes=(?P<number>[\d.E+]+) (?P<unit>[KMGTPE]i)?B")
OPTIMIZED = re.compile(r"== Optimized Logical Plan ==\n(.*?)\n\n", re.DOTALL)
STATISTICS = re.compile(r"(\d+) bytes")
UNITS: dict[str | None, int] = {None: 1, **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)}}
# If Spark does not know a table's size, it estimates Long.MaxValue (8 EiB), so that it never broadcasts the table.
UNKNOWN = 8 * 1024**6


def bytes_read(cost: str) -> int | None:
    """Return the number of bytes that a query reads, according to EXPLAIN COST.

    The result is the sum of the sizes of the optimized plan's leaves. The sizes of all other operators are left out,
    because they are estimates of the operators' output. For example, the estimate for a join is only the product of the
    sizes of its two sides.

    Args:
        cost: the output of EXPLAIN COST.

    Returns:
        The number of bytes, or None if the size of a leaf is not known.
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
    """Return the number of bytes in a table's current files, or in the files that a view reads.

    The files are compressed. In memory, the same rows take several times as many bytes.

    Returns:
        For a Delta table, the size that Delta reports. For any other table, the size in the catalog's statistics. For a
        view, and for a table without statistics, the optimizer's estimate. None if the size is not known or the
        relation does not exist.
    """
    known = adapter.get_relation(relation.database, str(relation.schema), str(relation.identifier))
    if known is None:
        return None
    name = known.render()
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
        # For example, a view's table was dropped, or a folder cannot be listed. The model's query will raise the same
        # error.
        return None
    return bytes_read(str(cost.rows[0][0]))
