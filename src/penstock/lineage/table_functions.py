"""The columns that table functions, PIVOT and UNPIVOT return, and the expressions that compute each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from penstock.lineage.origins import Kind

# https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select-lateral-view.html
FUNCTIONS = {
    *("explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer"),
    *("stack", "json_tuple", "parse_url_tuple", "variant_explode", "variant_explode_outer"),
}


@dataclass(frozen=True)
class Part:
    """An expression that contributes to a column.

    Attributes:
        node: the expression.
        kind: how the column uses the expression's value.
        path: the fields of the expression's value that are read, from the outside to the inside.
    """

    node: exp.Expr
    kind: Kind = Kind.TRANSFORMED
    path: tuple[str, ...] = ()


def function_name(node: exp.Expr | None) -> str:
    """Return the lower-case name of a function call, or an empty string for another expression."""
    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    return str(node.sql_name()).lower() if isinstance(node, exp.Func) else ""


def is_table_function(node: exp.Expr | None) -> bool:
    """Return whether an expression is a call of a function that returns rows and columns."""
    return isinstance(node, (exp.Explode, exp.Posexplode, exp.Inline)) or function_name(node) in FUNCTIONS


def column_names(node: exp.Expr) -> list[str]:
    """Return the names of the columns that a table function returns if the query doesn't name them."""
    name = function_name(node).removesuffix("_outer")
    arguments = _arguments(node)
    if name == "inline" and arguments:
        return _field_names(arguments[0])
    if name == "stack":
        return [f"col{index}" for index in range(_stack_width(arguments))]
    if name == "json_tuple":
        return [f"c{index}" for index in range(len(arguments) - 1)]
    if name == "variant_explode":
        return ["pos", "key", "value"]
    values = ["key", "value"] if arguments and isinstance(arguments[0], (exp.Map, exp.VarMap)) else ["col"]
    return ["pos", *values] if name == "posexplode" else values


def column_parts(node: exp.Expr, index: int, path: tuple[str, ...] = (), name: str = "") -> list[Part]:
    """Return the expressions from which a column of a table function is computed.

    Args:
        node: the call.
        index: the column's position in the function's result.
        path: the fields that are read from the column.
        name: the column's own name, if the query doesn't name the columns.
    """
    function = function_name(node).removesuffix("_outer")
    arguments = _arguments(node)
    if function == "stack":
        width = _stack_width(arguments)
        return [Part(item, path=path) for item in arguments[1:][index::width]]
    if function == "inline" and arguments:
        return [Part(arguments[0], path=(f"#{index}" if index >= 0 else name, *path))]
    if function in ("explode", "posexplode") and arguments:
        entries = _map_entries(arguments[0], index - (function == "posexplode"))
        return [Part(item, path=path) for item in entries or arguments[:1]]
    return [Part(item) for item in arguments[:1]] if is_table_function(node) and arguments else [Part(node)]


def pivot_parts(pivots: Sequence[exp.Pivot], name: str) -> list[Part] | None:
    """Return the expressions that compute a column of a (un)pivoted table; None if the column passes unchanged."""
    for pivot in reversed(pivots):
        parts = _unpivot_parts(pivot, name) if pivot.unpivot else _pivot_parts(pivot, name)
        if parts is not None:
            return parts
    return None


def _pivot_parts(pivot: exp.Pivot, name: str) -> list[Part] | None:
    names = [column.name.lower() for column in pivot.args.get("columns") or ()]
    if name not in names:
        return None
    aggregate = pivot.expressions[names.index(name) % len(pivot.expressions)]
    keys = [field.this for field in pivot.fields if isinstance(field, exp.In)]
    return [Part(aggregate, Kind.AGGREGATED), *(Part(key) for key in keys)]


def _unpivot_parts(pivot: exp.Pivot, name: str) -> list[Part] | None:
    values = [item.name.lower() for node in pivot.expressions for item in node.find_all(exp.Identifier)]
    for field in pivot.fields:
        if not isinstance(field, exp.In):
            continue
        entries = [list(entry.find_all(exp.Column)) for entry in field.expressions]
        if name in values:
            index = values.index(name)
            return [Part(columns[index], Kind.DIRECT) for columns in entries if index < len(columns)]
        if name == field.this.name.lower():
            return [Part(exp.Literal.string("_".join(column.name for column in columns))) for columns in entries]
    return None


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    first = node.args.get("this")
    listed = [first] if isinstance(first, exp.Expr) and not isinstance(node, exp.Anonymous) else []
    return listed + list(node.expressions)


def _stack_width(arguments: Sequence[exp.Expr]) -> int:
    rows = int(arguments[0].name) if arguments and arguments[0].is_int else 1
    return max(1, -(-(len(arguments) - 1) // max(1, rows)))


def _field_names(node: exp.Expr) -> list[str]:
    """Return the field names of the first literal struct in an array; empty if the array has no literal struct."""
    struct = node.find(exp.Struct)
    return [field.alias_or_name.lower() for field in struct.expressions] if struct is not None else []


def _map_entries(node: exp.Expr, index: int) -> list[exp.Expr]:
    """Return the keys (index 0) or values (index 1) of a literal map; empty for another expression."""
    if not isinstance(node, (exp.Map, exp.VarMap)):
        return []
    entries = node.args.get(("keys", "values")[index]) if index in (0, 1) else None
    return list(entries.expressions) if isinstance(entries, exp.Array) else []
