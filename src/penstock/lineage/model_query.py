"""The column lineage of one query: the compiled code of a SQL model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from penstock.lineage import query_scope, struct_fields
from penstock.lineage.origins import ROWS, Kind, Origin, Use, merged
from penstock.lineage.resolver import Resolver


@dataclass(frozen=True)
class QueryLineage:
    """Where the columns of a query come from.

    Attributes:
        columns: the origins of each column, in the order of the query.
        uses: the input columns that affect the rows of the query, as (relation, column, use).
        is_complete: whether all columns of the query are known.
    """

    columns: dict[str, tuple[Origin, ...]]
    uses: tuple[tuple[str, str, Use], ...] = field(default=())
    is_complete: bool = True


def read(
    sql: str,
    types: Mapping[str, Mapping[str, str]],
    ephemeral: Collection[str] = (),
    documented: Iterable[str] = (),
    partial: Mapping[str, Iterable[str]] | None = None,
) -> QueryLineage:
    """Return the lineage of a query's columns.

    Args:
        sql: the compiled code.
        types: for each relation whose columns are all known, its columns with their types.
        ephemeral: the names of dbt's CTEs of ephemeral models. These CTEs are read as if they were tables.
        documented: the documented columns of the model. If the columns of a `*` are unknown, these names are used.
        partial: for each other relation, the columns that are known.

    Raises:
        UnreadableQuery: sqlglot can't parse or qualify the query.
    """
    scope = query_scope.read(sql, types, ephemeral)
    known = {relation: [*names, "*"] for relation, names in (partial or {}).items()}
    resolver = Resolver({**known, **types}, types)
    names = list(_names(scope, types))
    is_complete = "*" not in names
    if not is_complete:
        names = [name for name in names if name != "*"]
        names += [name for name in documented if name not in names] or ["*"]
    columns = {name: resolver.output(scope, name) for name in dict.fromkeys(names)}
    return QueryLineage(columns, tuple(dict.fromkeys(_uses(scope, resolver))), is_complete)


def _names(scope: Scope, types: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield the names of a query's columns. For `struct.*`, yield its fields; for unknown columns, yield `*`."""
    nested = query_scope.inner(scope) or next(iter(query_scope.branches(scope)), None)
    if nested is not None:
        yield from _names(nested, types)
    elif isinstance(scope.expression, exp.Select):
        for name, node, _ in query_scope.outputs(scope):
            yield from (struct_fields.star_names(node, scope, types) or [name]) if name == "*" else [name]


def _uses(root: Scope, resolver: Resolver) -> Iterator[tuple[str, str, Use]]:
    for scope in root.traverse():
        for node, use in _row_clauses(scope.expression):
            for origin in merged(resolver.value(node, scope)):
                if origin.relation and origin.column != ROWS:
                    yield origin.relation, origin.column, use


def _row_clauses(expression: exp.Expr) -> Iterator[tuple[exp.Expr, Use]]:
    """Yield the expressions of a SELECT that determine its rows, but not its values."""
    if not isinstance(expression, exp.Select):
        return
    clauses = {"where": Use.FILTER, "having": Use.FILTER, "qualify": Use.FILTER, "order": Use.SORT, "sort": Use.SORT}
    for name, use in clauses.items():
        if (clause := expression.args.get(name)) is not None:
            yield clause.this if isinstance(clause, (exp.Where, exp.Having)) else clause, use
    for join in expression.args.get("joins") or ():
        if (condition := join.args.get("on")) is not None:
            yield condition, Use.JOIN
    if (group := expression.args.get("group")) is not None:
        yield group, Use.GROUP_BY
        if group.args.get("all"):
            projections = [select.unalias() for select in expression.selects]
            yield from ((node, Use.GROUP_BY) for node in projections if not node.find(exp.AggFunc))


def unreadable(reason: str, names: Iterable[str]) -> QueryLineage:
    """Return the lineage of a query that can't be read: each of its documented columns is unresolved.

    Args:
        reason: why the query can't be read.
        names: the documented columns.
    """
    origin = (Origin("", reason, Kind.UNRESOLVED),)
    return QueryLineage({name: origin for name in names} or {"*": origin}, is_complete=False)
