"""Read joins and hints from the text of a query: the aliases of join sides, their tables, and their hints.

A physical plan has no aliases, and Spark silently ignores a hint for an alias that its query does not
have. sqlglot parses the text. Importing sqlglot takes a tenth of the processor time of a dbt command, so
`query_parser` imports it, and this module imports `query_parser` only when a query must be parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Spark's join hints and their synonyms:
# https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select-hints.html
JOIN_HINTS = {
    **dict.fromkeys(("broadcast", "broadcastjoin", "mapjoin"), "broadcast"),
    **dict.fromkeys(("merge", "shuffle_merge", "mergejoin"), "merge"),
    "shuffle_hash": "shuffle_hash",
    "shuffle_replicate_nl": "shuffle_replicate_nl",
}
PARTITION_HINTS = ("coalesce", "repartition", "repartition_by_range", "rebalance")


@dataclass(frozen=True)
class JoinSide:
    """One side of a join.

    Attributes:
        alias: the side's name in the query.
        tables: the stored tables that the side reads, directly or through views, as `schema.table` in lower case.
        clause: `from` for the first side of a FROM clause, `join` for the others.
        hint: the side's join hint; empty without a hint.
        keys: the side's columns in the equalities of its ON clause, in lower case; empty for a `from` side.
    """

    alias: str
    tables: frozenset[str]
    clause: str
    hint: str = ""
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hint:
    """A hint of a query.

    Attributes:
        name: the hint's name in lower case.
        names: the names that the hint lists.
        aliases: the aliases in the FROM clause of the hint's query.
    """

    name: str
    names: tuple[str, ...]
    aliases: tuple[str, ...]

    @property
    def dangling(self) -> list[str]:
        """Return the names in a join hint that aren't aliases of the hint's query."""
        if self.name not in JOIN_HINTS:
            return []
        known = {name.casefold() for name in self.aliases}
        return [name for name in self.names if name.casefold() not in known]


class QueryParseError(ValueError):
    """sqlglot cannot parse the query. Spark may be able to parse it."""


def hints(sql: str) -> list[Hint]:
    """Return every hint of a query.

    Raises:
        QueryParseError: the query cannot be parsed.
    """
    from penstock.plans import query_parser

    return query_parser.parse_hints(sql)


def join_sides(sql: str, views: Mapping[str, frozenset[str]]) -> list[JoinSide]:
    """Return the sides of every join of a query, the innermost query first.

    Args:
        sql: the query.
        views: the stored tables behind each view, both as `schema.name` in lower case.

    Raises:
        QueryParseError: the query cannot be parsed.
    """
    from penstock.plans import query_parser

    return query_parser.parse_join_sides(sql, views)
