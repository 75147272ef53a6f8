"""What a query's text says of its joins: the sides' aliases, the tables behind them, its hints.

A physical plan has no aliases, and Spark passes over a hint whose alias isn't in its query without
a word: both are looked up in the text, which sqlglot reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Names of Spark's hints and what they are also called:
# https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select-hints.html
JOIN_HINTS = {
    **dict.fromkeys(("broadcast", "broadcastjoin", "mapjoin"), "broadcast"),
    **dict.fromkeys(("merge", "shuffle_merge", "mergejoin"), "merge"),
    "shuffle_hash": "shuffle_hash",
    "shuffle_replicate_nl": "shuffle_replicate_nl",
}
PARTITION_HINTS = ("coalesce", "repartition", "repartition_by_range", "rebalance")


@dataclass(frozen=True)
class Side:
    """One side of a join.

    Attributes:
        alias: its name in the query.
        tables: the stored tables it reads, `schema.table` in lower case; views are followed to theirs.
        place: `from` for the first of a FROM clause, `join` for any other.
        hint: the join hint on it; empty without one.
        keys: its columns in the join's equalities, in lower case; none for the first of a FROM clause.
    """

    alias: str
    tables: frozenset[str]
    place: str
    hint: str = ""
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hint:
    """A hint of a query: its name, the aliases it names, and those that are there."""

    name: str
    names: tuple[str, ...]
    present: tuple[str, ...]

    @property
    def dangling(self) -> list[str]:
        """The names that no side of the query's own FROM clause has; only join hints name sides."""
        if self.name not in JOIN_HINTS:
            return []
        known = {name.casefold() for name in self.present}
        return [name for name in self.names if name.casefold() not in known]


class Unreadable(ValueError):
    """sqlglot can't read the query; Spark may."""


def hints(sql: str) -> list[Hint]:
    """Every hint of a query, with the aliases that its FROM clause has.

    Raises:
        Unreadable: the text can't be parsed.
    """
    from penstock.plans import query_parser

    return query_parser.hints(sql)


def sides(sql: str, views: Mapping[str, frozenset[str]]) -> list[Side]:
    """The sides of every join of a query, the innermost query first.

    Args:
        sql: the query.
        views: for each view, `schema.view` in lower case, the stored tables behind it.

    Raises:
        Unreadable: the text can't be parsed.
    """
    from penstock.plans import query_parser

    return query_parser.sides(sql, views)
