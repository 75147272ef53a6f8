"""The fields of the structs in a query, which name the columns of `struct.*` and of `inline`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope

from penstock.lineage import query_scope, table_functions

Types = Mapping[str, Mapping[str, str]]
# The fields of a struct by name, each with its own fields. An array has the fields of its elements. Any other value has
# no fields.
Fields = dict[str, "Fields"]


def star_names(star: exp.Expr, scope: Scope, types: Types) -> list[str]:
    """Return the names of the columns of a `*` that sqlglot doesn't expand; empty if they are unknown.

    Args:
        star: the `*`, as in `struct.*`.
        scope: the scope of the SELECT.
        types: for each relation, its columns with their types.
    """
    prefix = query_scope.star_prefix(star)
    if not prefix:
        return []
    first, *path = prefix
    if path and first in scope.sources:
        return list(_descend(_column_fields(scope, first, path[0], types), path[1:]))
    source = scope.sources.get(first)
    if isinstance(source, Scope) and isinstance(source.expression, exp.Lateral):
        return list(_fields(source.expression.this, source, types))
    candidates = (_column_fields(scope, alias, first, types) for alias in scope.selected_sources)
    return list(_descend(next(filter(None, candidates), {}), path))


def _descend(fields: Fields, path: Sequence[str]) -> Fields:
    for name in path:
        fields = fields.get(name, {})
    return fields


def _column_fields(scope: Scope, alias: str, name: str, types: Types) -> Fields:
    source = scope.sources.get(alias)
    if isinstance(source, exp.Table):
        return _type_fields(types.get(query_scope.table_key(source), {}).get(name, ""))
    while isinstance(source, Scope) and isinstance(source.expression, exp.SetOperation):
        source = next(iter(query_scope.branches(source)), None)
    if isinstance(source, Scope) and isinstance(source.expression, exp.Select):
        nodes = [node for key, node, _ in query_scope.outputs(source) if key == name]
        return _fields(nodes[0], source, types) if nodes else {}
    if isinstance(source, Scope) and isinstance(source.expression, exp.Lateral):
        return _lateral_fields(source, source.expression, name, types)
    return {}


def _lateral_fields(scope: Scope, lateral: exp.Lateral, name: str, types: Types) -> Fields:
    """Return the fields of a column of a lateral view."""
    fields = _fields(lateral.this, scope, types)
    if not table_functions.function_name(lateral.this).startswith("inline"):
        return fields
    aliases = [alias.lower() for alias in lateral.alias_column_names]
    return dict(zip(aliases, fields.values(), strict=False)).get(name, {}) if aliases else fields.get(name, {})


def _fields(node: exp.Expr, scope: Scope, types: Types) -> Fields:
    """Return the fields of the only struct in an expression, as in `max(struct(a, b))` or `explode(structs)`."""
    if isinstance(node, exp.Dot):
        return _fields(node.this, scope, types).get(node.expression.name.lower(), {})
    struct = node.find(exp.Struct)
    if struct is not None:
        return {
            field.alias_or_name.lower(): _fields(field.expression, scope, types)
            for field in struct.expressions
            if isinstance(field, exp.PropertyEQ)
        }
    columns = list(node.find_all(exp.Column))
    return _column_fields(scope, columns[0].table, columns[0].name.lower(), types) if len(columns) == 1 else {}


def _type_fields(text: str) -> Fields:
    try:
        return _of_type(exp.DataType.build(text, dialect=query_scope.DIALECT)) if text else {}
    except SqlglotError:
        return {}


def _of_type(data_type: exp.Expr | None) -> Fields:
    if not isinstance(data_type, exp.DataType):
        return {}
    if data_type.is_type("array") and data_type.expressions:
        return _of_type(data_type.expressions[0])
    fields = [item for item in data_type.expressions if isinstance(item, exp.ColumnDef)]
    return {field.name.lower(): _of_type(field.kind) for field in fields}
