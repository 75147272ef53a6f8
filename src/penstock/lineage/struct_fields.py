"""The fields of the structs in a query, which name the columns of `struct.*` and of `inline`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope

from penstock.lineage import query_scope

Types = Mapping[str, Mapping[str, str]]


def star_names(star: exp.Expr, scope: Scope, types: Types) -> list[str]:
    """Return the names of the columns of a `*` that sqlglot doesn't expand; empty if they are unknown.

    Args:
        star: the `*`, as in `struct.*`.
        scope: the scope of the SELECT.
        types: for each relation its columns with their types.
    """
    if not isinstance(star, (exp.Column, exp.Dot)):
        return []
    parts = [part.name.lower() for part in star.parts[:-1]]
    source = scope.sources.get(parts[0]) if parts else None
    if len(parts) == 1 and isinstance(source, Scope) and isinstance(source.expression, exp.Lateral):
        return _fields(source.expression.this, source, types)
    if len(parts) > 1:
        return _column_fields(scope, parts[0], parts[1], types)
    aliases = [alias for alias in scope.selected_sources if parts]
    return next((found for alias in aliases if (found := _column_fields(scope, alias, parts[0], types))), [])


def _column_fields(scope: Scope, alias: str, name: str, types: Types) -> list[str]:
    source = scope.sources.get(alias)
    if isinstance(source, exp.Table):
        return _type_fields(types.get(query_scope.table_key(source), {}).get(name, ""))
    while isinstance(source, Scope) and isinstance(source.expression, exp.SetOperation):
        source = next(iter(query_scope.branches(source)), None)
    if isinstance(source, Scope) and isinstance(source.expression, exp.Select):
        nodes = [node for key, node, _ in query_scope.outputs(source) if key == name]
        return _fields(nodes[0], source, types) if nodes else []
    if isinstance(source, Scope) and isinstance(source.expression, exp.Lateral):
        return _fields(source.expression.this, source, types)
    return []


def _fields(node: exp.Expr, scope: Scope, types: Types) -> list[str]:
    """Return the fields of the only struct in an expression, as in `max(struct(a, b))` or `explode(structs)`."""
    struct = node.find(exp.Struct)
    if struct is not None:
        return [field.alias_or_name.lower() for field in struct.expressions]
    columns = list(node.find_all(exp.Column))
    return _column_fields(scope, columns[0].table, columns[0].name.lower(), types) if len(columns) == 1 else []


def _type_fields(text: str) -> list[str]:
    try:
        found = exp.DataType.build(text, dialect=query_scope.DIALECT).find(exp.ColumnDef) if text else None
    except SqlglotError:
        return []
    siblings = found.parent.expressions if found is not None and found.parent is not None else []
    return [field.name.lower() for field in siblings]
