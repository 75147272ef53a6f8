"""How a query's rows are put in order on their way into a table's files; the SQL models' too."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.sql.names import column, plain

# Tasks that a rebalance begins with; adaptive execution then merges small ones and splits large ones.
# Two partitions of a table that fall into one of them share its files, so there are many; beyond 2000
# Spark keeps only an average of the sizes (spark.shuffle.minNumPartitionsToHighlyCompress).
TASKS = 2000


def arranged(select: str, partitions: Sequence[str], rebalanced: bool, sort: Sequence[str]) -> str:
    """A query that gives the rows of another one, ready to be written.

    Args:
        select: the query.
        partitions: the table's partition columns.
        rebalanced: whether each partition's rows come together in tasks of an even size, which
            spark.sql.adaptive.advisoryPartitionSizeInBytes sets.
        sort: columns to sort the rows of each file by; within each partition, since a task writes
            several of them.
    """
    own = {plain(name).casefold() for name in partitions}
    order = [name for name in sort if plain(name).casefold() not in own]
    if not rebalanced and not order:
        return select
    given = ", ".join([str(TASKS), *map(column, partitions)])
    hint = f"/*+ rebalance({given}) */ " if rebalanced else ""
    by = f"\nsort by {', '.join(map(column, [*partitions, *order]))}" if order else ""
    return f"select {hint}* from (\n{select}\n) as DBT_INTERNAL_ARRANGED{by}"
