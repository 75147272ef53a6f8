"""What a query's text says of its joins: the sides' aliases, the tables behind them, its hints.

A physical plan has no aliases, and Spark passes over a hint whose alias isn't in its query without
a word: both are looked up in the text, which sqlglot reads.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

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


def _scopes(sql: str) -> list[Scope]:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        return list(traverse_scope(sqlglot.parse_one(sql, dialect="spark")))
    except (SqlglotError, RecursionError) as error:
        raise Unreadable(str(error).splitlines()[0]) from None


def hints(sql: str) -> list[Hint]:
    """Every hint of a query, with the aliases that its FROM clause has.

    Raises:
        Unreadable: the text can't be parsed.
    """
    return [item for scope in _scopes(sql) for item in _hints_of(scope)]


def _hints_of(scope: Scope) -> Iterator[Hint]:
    found = scope.expression.args.get("hint")
    present = tuple(_present(scope))
    for item in found.expressions if found else ():
        name = item.this if isinstance(item, exp.JoinHint | exp.Anonymous | exp.Var) else item.key
        names = tuple(
            ".".join(part.name for part in part_list)
            for argument in (item.expressions if not isinstance(item, exp.Var) else ())
            if (part_list := getattr(argument, "parts", None))
        )
        yield Hint(str(name).lower(), names, present)


def _sources(scope: Scope) -> Iterator[tuple[str, exp.Selectable, exp.Table | Scope]]:
    """What a FROM clause names: alias, place in the text, table or query.

    sqlglot's own `selected_sources` leaves out the right side of a semi or anti join, and refuses
    one name for the tables of two schemas.
    """
    for alias, node in scope.references:
        if alias in scope.sources:
            yield alias, node, node if isinstance(node, exp.Table) and node.db else scope.sources[alias]


def _present(scope: Scope) -> Iterator[str]:
    for alias, node, _ in _sources(scope):
        yield alias
        yield from (pivot.alias for pivot in node.args.get("pivots") or () if pivot.alias)
        if isinstance(node, exp.Table) and not node.alias:
            parts = [part.name for part in node.parts]
            yield from (".".join(parts[start:]) for start in range(len(parts) - 1))


def sides(sql: str, views: Mapping[str, frozenset[str]]) -> list[Side]:
    """The sides of every join of a query, the innermost query first.

    Args:
        sql: the query.
        views: for each view, `schema.view` in lower case, the stored tables behind it.

    Raises:
        Unreadable: the text can't be parsed.
    """
    found: list[Side] = []
    for scope in _scopes(sql):
        if not isinstance(scope.expression, exp.Select) or not scope.expression.args.get("joins"):
            continue
        marked = {
            name.casefold(): JOIN_HINTS[h.name] for h in _hints_of(scope) if h.name in JOIN_HINTS for name in h.names
        }
        first = scope.expression.args.get("from_") or scope.expression.args.get("from")
        leading = first.this.alias_or_name if first else ""
        for alias, _, source in _sources(scope):
            place = "from" if alias == leading else "join"
            hint = marked.get(alias.casefold(), "")
            found.append(Side(alias, _tables(source, views), place, hint, _keys(scope.expression, alias)))
    return found


def _keys(select: exp.Select, alias: str) -> frozenset[str]:
    """The columns of a joined side that equal something in its own ON clause."""
    names: set[str] = set()
    for join in select.args.get("joins") or ():
        if join.this.alias_or_name == alias and join.args.get("on") is not None:
            for equality in join.args["on"].find_all(exp.EQ, exp.NullSafeEQ):
                names |= {c.name.lower() for c in equality.find_all(exp.Column) if c.table == alias}
    return frozenset(names)


def _tables(
    source: exp.Table | Scope, views: Mapping[str, frozenset[str]], seen: frozenset[int] = frozenset()
) -> frozenset[str]:
    if isinstance(source, exp.Table):
        name = ".".join(part.name for part in source.parts[-2:]).lower()
        return views.get(name, frozenset((name,)))
    if id(source) in seen:  # a recursive query reads itself
        return frozenset()
    seen |= {id(source)}
    inner = [item for _, _, item in _sources(source)]
    inner += [*source.set_operation_scopes, *source.subquery_scopes]
    return frozenset().union(*(_tables(item, views, seen) for item in inner))
