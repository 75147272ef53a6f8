"""Parse joins and hints with sqlglot. Import `penstock.plans.query_text` instead of this module."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from penstock.plans.query_text import JOIN_HINTS, Hint, JoinSide, QueryParseError


def _scopes(sql: str) -> list[Scope]:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        return list(traverse_scope(sqlglot.parse_one(sql, dialect="spark")))
    except (SqlglotError, RecursionError) as error:
        raise QueryParseError(str(error).splitlines()[0]) from None


def parse_hints(sql: str) -> list[Hint]:
    """Return every hint of a query. See `penstock.plans.query_text.hints`."""
    return [hint for scope in _scopes(sql) for hint in _hints(scope)]


def _hints(scope: Scope) -> Iterator[Hint]:
    comment = scope.expression.args.get("hint")
    aliases = tuple(_aliases(scope))
    for item in comment.expressions if comment else ():
        name = item.this if isinstance(item, exp.JoinHint | exp.Anonymous | exp.Var) else item.key
        names = tuple(
            ".".join(part.name for part in parts)
            for argument in (item.expressions if not isinstance(item, exp.Var) else ())
            if (parts := getattr(argument, "parts", None))
        )
        yield Hint(str(name).lower(), names, aliases)


def _sources(scope: Scope) -> Iterator[tuple[str, exp.Selectable, exp.Table | Scope]]:
    """Yield the alias, the node, and the table or subquery of each item of a FROM clause.

    sqlglot's `selected_sources` omits the right side of a semi or anti join, and rejects tables of the
    same name from two schemas.
    """
    for alias, node in scope.references:
        if alias in scope.sources:
            yield alias, node, node if isinstance(node, exp.Table) and node.db else scope.sources[alias]


def _aliases(scope: Scope) -> Iterator[str]:
    for alias, node, _ in _sources(scope):
        yield alias
        yield from (pivot.alias for pivot in node.args.get("pivots") or () if pivot.alias)
        if isinstance(node, exp.Table) and not node.alias:
            parts = [part.name for part in node.parts]
            yield from (".".join(parts[start:]) for start in range(len(parts) - 1))


def parse_join_sides(sql: str, views: Mapping[str, frozenset[str]]) -> list[JoinSide]:
    """Return the sides of every join of a query. See `penstock.plans.query_text.join_sides`."""
    sides: list[JoinSide] = []
    for scope in _scopes(sql):
        if not isinstance(scope.expression, exp.Select) or not scope.expression.args.get("joins"):
            continue
        hinted = {
            name.casefold(): JOIN_HINTS[hint.name]
            for hint in _hints(scope)
            if hint.name in JOIN_HINTS
            for name in hint.names
        }
        from_clause = scope.expression.args.get("from_") or scope.expression.args.get("from")
        first_alias = from_clause.this.alias_or_name if from_clause else ""
        for alias, _, source in _sources(scope):
            clause = "from" if alias == first_alias else "join"
            hint = hinted.get(alias.casefold(), "")
            sides.append(JoinSide(alias, _tables(source, views), clause, hint, _keys(scope.expression, alias)))
    return sides


def _keys(select: exp.Select, alias: str) -> frozenset[str]:
    """Return the columns of a join side that occur in the equalities of its ON clause."""
    names: set[str] = set()
    for join in select.args.get("joins") or ():
        if join.this.alias_or_name == alias and join.args.get("on") is not None:
            for equality in join.args["on"].find_all(exp.EQ, exp.NullSafeEQ):
                names |= {column.name.lower() for column in equality.find_all(exp.Column) if column.table == alias}
    return frozenset(names)


def _tables(
    source: exp.Table | Scope, views: Mapping[str, frozenset[str]], seen: frozenset[int] = frozenset()
) -> frozenset[str]:
    if isinstance(source, exp.Table):
        name = ".".join(part.name for part in source.parts[-2:]).lower()
        return views.get(name, frozenset((name,)))
    if id(source) in seen:  # A recursive query reads itself, so stop here.
        return frozenset()
    seen |= {id(source)}
    inner = [item for _, _, item in _sources(source)]
    inner += [*source.set_operation_scopes, *source.subquery_scopes]
    return frozenset().union(*(_tables(item, views, seen) for item in inner))
