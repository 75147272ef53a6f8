"""Reads joins, sides and hints from a query's text with sqlglot.

It is a module of its own because importing sqlglot takes a tenth of a dbt command's processor time:
`penstock.plans.query_text` imports it when a query has to be read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from penstock.plans.query_text import JOIN_HINTS, Hint, Side, Unreadable


def _scopes(sql: str) -> list[Scope]:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        return list(traverse_scope(sqlglot.parse_one(sql, dialect="spark")))
    except (SqlglotError, RecursionError) as error:
        raise Unreadable(str(error).splitlines()[0]) from None


def hints(sql: str) -> list[Hint]:
    """See `penstock.plans.query_text.hints`."""
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
    """See `penstock.plans.query_text.sides`."""
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
