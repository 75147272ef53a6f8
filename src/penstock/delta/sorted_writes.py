"""Repartition and sort a query's rows before they are written. SQL models and Python models share this module."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.sql.names import column_expression, unquote_identifier

# A rebalance begins with this number of shuffle partitions. Adaptive execution then merges small partitions and splits
# large ones. The number is high, so that the rows of two table partitions seldom fall into one shuffle partition. The
# number is not higher, because above 2000 partitions Spark only knows their average size
# (spark.shuffle.minNumPartitionsToHighlyCompress).
REBALANCE_PARTITIONS = 2000


def sorted_query(select: str, partitions: Sequence[str], rebalanced: bool, sort: Sequence[str]) -> str:
    """Return a query that repartitions and sorts the rows of another query for a write.

    Args:
        select: the query.
        partitions: the table's partition columns.
        rebalanced: whether to collect the rows of each partition in tasks of similar size. The setting
            spark.sql.adaptive.advisoryPartitionSizeInBytes determines the size.
        sort: the columns by which the rows of each file are sorted. The query sorts by the partition columns first,
            because a task may write several partitions. The sort leaves out transforms such as `days(ts)`, because a
            query can't call them as functions. In this case, Iceberg's writer keeps a file open for each partition.
    """
    partition_names = {unquote_identifier(name).casefold() for name in partitions}
    order = [name for name in sort if unquote_identifier(name).casefold() not in partition_names]
    if not rebalanced and not order:
        return select
    arguments = ", ".join([str(REBALANCE_PARTITIONS), *map(column_expression, partitions)])
    hint = f"/*+ rebalance({arguments}) */ " if rebalanced else ""
    plain = [name for name in partitions if "(" not in name]
    sort_by = f"\nsort by {', '.join(map(column_expression, [*plain, *order]))}" if order else ""
    return f"select {hint}* from (\n{select}\n) as DBT_INTERNAL_ARRANGED{sort_by}"
