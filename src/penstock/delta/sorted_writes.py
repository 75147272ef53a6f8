"""Repartition and sort a query's rows before they are written. SQL models and Python models share this module."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.sql.names import column_expression, unquote_identifier

# Number of partitions that a rebalance begins with; adaptive execution then merges small ones and splits large
# ones. Table partitions whose rows fall into the same shuffle partition share files, so the number is high.
# Above 2000 Spark keeps only average partition sizes (spark.shuffle.minNumPartitionsToHighlyCompress).
REBALANCE_PARTITIONS = 2000


def sorted_query(select: str, partitions: Sequence[str], rebalanced: bool, sort: Sequence[str]) -> str:
    """Return a query that selects the rows of another query in the order in which to write them.

    Args:
        select: the query.
        partitions: the table's partition columns.
        rebalanced: whether to bring the rows of each partition together in tasks of an even size, which
            spark.sql.adaptive.advisoryPartitionSizeInBytes sets.
        sort: columns to sort the rows of each file by. Partition columns come first in the sort order, since
            a task may write several partitions.
    """
    partition_names = {unquote_identifier(name).casefold() for name in partitions}
    order = [name for name in sort if unquote_identifier(name).casefold() not in partition_names]
    if not rebalanced and not order:
        return select
    arguments = ", ".join([str(REBALANCE_PARTITIONS), *map(column_expression, partitions)])
    hint = f"/*+ rebalance({arguments}) */ " if rebalanced else ""
    sort_by = f"\nsort by {', '.join(map(column_expression, [*partitions, *order]))}" if order else ""
    return f"select {hint}* from (\n{select}\n) as DBT_INTERNAL_ARRANGED{sort_by}"
