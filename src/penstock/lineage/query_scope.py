"""A query in which sqlglot has qualified all columns, expanded `*` and found the scopes of CTEs and subqueries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from penstock.lineage import table_functions

DIALECT = "spark"
# sqlglot needs table names of equal depth, so shorter names get Spark's default catalog and schema.
CATALOG, SCHEMA = "spark_catalog", "default"
# The prefix that dbt puts before an ephemeral model's name to get the name of the model's CTE.
EPHEMERAL = "__dbt__cte__"
# The key in sqlglot's `meta` of a join with USING. Its value is the side of the join.
USING = "penstock_using"


class UnreadableQuery(Exception):
    """A query that sqlglot can't parse or qualify. The message is the reason."""


def relation_key(*parts: str) -> str:
    """Return a relation's name in lower case, without the default catalog and schema."""
    named = [part.lower() for part in parts if part]
    if len(named) > 2 and named[0] == CATALOG:
        named = named[1:]
    return ".".join(named[1:] if len(named) == 2 and named[0] == SCHEMA else named)


def table_key(table: exp.Table) -> str:
    """Return the name of a table in a query, as `relation_key` does."""
    return relation_key(table.catalog, table.db, table.name)


def read(sql: str, columns: Mapping[str, Mapping[str, str]], ephemeral: Collection[str] = ()) -> Scope:
    """Return the scope of a query whose columns are qualified.

    Args:
        sql: one query in Spark's SQL.
        columns: for each relation (`relation_key`), its columns in lower case with their types, which may be empty.
        ephemeral: the names of dbt's CTEs of ephemeral models. These CTEs are read as if they were tables.

    Raises:
        UnreadableQuery: sqlglot can't parse or qualify the query.
    """
    # sqlglot refuses a column that may belong to a relation with unknown columns or to an outer query. If sqlglot
    # refuses a query, try again with options that allow such a column.
    attempts: tuple[dict[str, bool], ...] = ({}, {"inner_first": True}, {"qualify_columns": False})
    failures: list[Exception] = []
    for options in attempts:
        try:
            return _qualified(sql, columns, ephemeral, **options)
        except OptimizeError as error:
            failures.append(error)
        except (SqlglotError, RecursionError) as error:
            failures.insert(0, error)
            break
    message = str(failures[0]) or type(failures[0]).__name__
    raise UnreadableQuery(message.splitlines()[0]) from failures[0]


def _qualified(
    sql: str,
    columns: Mapping[str, Mapping[str, str]],
    ephemeral: Collection[str],
    inner_first: bool = False,
    qualify_columns: bool = True,
) -> Scope:
    tree = _without_ctes(_query(sql), ephemeral)
    _mark_using(tree)
    if inner_first:
        _qualify_single_sources(tree)
    qualified = qualify(
        tree,
        dialect=DIALECT,
        catalog=CATALOG,
        db=SCHEMA,
        schema=_nested(columns),
        qualify_columns=qualify_columns,
        validate_qualify_columns=False,
        allow_partial_qualification=True,
        quote_identifiers=False,
    )
    scope = build_scope(qualified) if isinstance(qualified, exp.Query) else None
    if scope is None:
        raise UnreadableQuery(f"a statement of type {type(qualified).__name__} is not a query")
    return scope


def _qualify_single_sources(tree: exp.Expr) -> None:
    """Qualify the columns of each SELECT that reads only one table, with this table."""
    for select in tree.find_all(exp.Select):
        source = select.args.get("from_")
        if source is None or not isinstance(source.this, exp.Table):
            continue
        if any(select.args.get(name) for name in ("joins", "laterals")) or source.this.args.get("pivots"):
            continue
        for column in select.find_all(exp.Column):
            if not column.table and not column.is_star and column.find_ancestor(exp.Select) is select:
                column.set("table", exp.to_identifier(source.this.alias_or_name))


def _query(sql: str) -> exp.Expr:
    statements = [tree for tree in sqlglot.parse(sql, dialect=DIALECT) if tree is not None]
    if not statements:
        raise UnreadableQuery("the compiled code is empty")
    tree = statements[-1]
    # VALUES alone is a query in Spark, but only a table in sqlglot.
    return exp.select("*").from_(tree) if isinstance(tree, exp.Values) else tree


def _without_ctes(tree: exp.Expr, names: Collection[str]) -> exp.Expr:
    """Return the query without some of its CTEs. References to them are then references to tables."""
    with_ = tree.args.get("with_")
    if with_ is None or not names:
        return tree
    kept = [cte for cte in with_.expressions if cte.alias.lower() not in names]
    with_.set("expressions", kept)
    if not kept:
        tree.set("with_", None)
    return tree


def _mark_using(tree: exp.Expr) -> None:
    """Mark joins with USING, so that `joined_key` recognizes them after sqlglot has rewritten the query.

    sqlglot turns a join with USING into a join with ON, and each read of its key into COALESCE.
    """
    for join in tree.find_all(exp.Join):
        if join.args.get("using") or join.method == "NATURAL":
            join.meta[USING] = join.side or join.kind or "INNER"


def joined_key(node: exp.Coalesce, scope: Scope) -> list[exp.Expr]:
    """Return the columns from which the key of a join with USING comes. For another COALESCE, return its arguments.

    The key comes from both sides of a FULL join, from the right side of a RIGHT join, and from the left side of any
    other join.
    """
    arguments = [node.this, *node.expressions]
    joins = {join.alias_or_name: join.meta.get(USING) for join in scope.expression.args.get("joins") or ()}
    if not all(isinstance(item, exp.Column) and item.name == node.this.name for item in arguments):
        return arguments
    kept = arguments[:1]
    for item in arguments[1:]:
        side = joins.get(item.table)
        kept = [item] if side == "RIGHT" else [*kept, item] if side in (None, "FULL") else kept
    return kept


def _nested(columns: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, types in columns.items():
        parts = key.split(".")
        if not types or len(parts) > 3:
            continue
        catalog, schema, table = [CATALOG, SCHEMA][: 3 - len(parts)] + parts
        typed = {name: text if text.startswith("struct") else "unknown" for name, text in types.items()}
        nested.setdefault(catalog, {}).setdefault(schema, {})[table] = typed
    return nested


def branches(scope: Scope) -> list[Scope]:
    """Return the scopes whose rows a set operation returns; none if the scope is not a set operation.

    A union returns the rows of both sides. Any other set operation returns rows of the left side.
    """
    if not isinstance(scope.expression, exp.SetOperation):
        return []
    scopes = list(scope.set_operation_scopes)
    return scopes if isinstance(scope.expression, exp.Union) else scopes[:1]


def inner(scope: Scope) -> Scope | None:
    """Return the scope of the query in parentheses, or of a LATERAL subquery; None if the scope is neither."""
    if isinstance(scope.expression, exp.Subquery) or (
        isinstance(scope.expression, exp.Lateral) and isinstance(scope.expression.this, exp.Subquery)
    ):
        return next(iter(scope.subquery_scopes), None) or next(iter(scope.derived_table_scopes), None)
    return None


def outputs(scope: Scope) -> list[tuple[str, exp.Expr, int | None]]:
    """Return the columns of a SELECT, each as (name, expression, position).

    The position is the column's position in the result of a table function; None for any other expression. The name of
    a `*` that sqlglot could not expand is `*`.
    """
    found: list[tuple[str, exp.Expr, int | None]] = []
    for select in cast(exp.Select, scope.expression).selects:
        if isinstance(select, exp.QueryTransform):
            schema = select.args.get("schema")
            found += [(column.name.lower(), select, None) for column in (schema.expressions if schema else ())]
        elif isinstance(select, exp.Aliases):
            found += [(name.name.lower(), select.this, index) for index, name in enumerate(select.aliases)]
        elif select.is_star:
            found.append(("*", select, None))
        elif table_functions.is_table_function(select.unalias()) and _is_generated_name(select.alias):
            names = table_functions.column_names(select.unalias())
            found += [(name, select.unalias(), index) for index, name in enumerate(names)]
        else:
            node = select.unalias()
            found.append((select.alias_or_name.lower(), node, 0 if table_functions.is_table_function(node) else None))
    return found


def names(scope: Scope) -> list[str]:
    """Return the names of a scope's columns. A `*` among them stands for columns that are not known."""
    expression = scope.expression
    if isinstance(expression, exp.Select):
        return [name for name, _, _ in outputs(scope)]
    if isinstance(expression, exp.SetOperation):
        return names(scope.set_operation_scopes[0]) if scope.set_operation_scopes else ["*"]
    nested = inner(scope)
    if isinstance(expression, exp.UDTF):
        aliases = [name.lower() for name in expression.alias_column_names]
        if aliases or nested is None:
            return aliases or _default_names(expression)
    return names(nested) if nested is not None else ["*"]


def star_prefix(star: exp.Expr) -> list[str]:
    """Return the names in front of a `*`, as in `source.*` or `source.struct.*`, in lower case."""
    return [part.name.lower() for part in star.parts[:-1]] if isinstance(star, (exp.Column, exp.Dot)) else []


def _default_names(expression: exp.UDTF) -> list[str]:
    if isinstance(expression, exp.Values) and expression.expressions:
        return [f"col{index + 1}" for index in range(len(_row(expression.expressions[0])))]
    node = expression.this
    if not table_functions.is_table_function(node):
        return ["*"]
    listed = table_functions.column_names(node) or ["*"]
    # `explode` returns `col` for an array, and `key` and `value` for a map. The argument's type is not known here.
    return [*listed, "key", "value"] if listed[-1:] == ["col"] else listed


def _row(node: exp.Expr) -> Sequence[exp.Expr]:
    return node.expressions if isinstance(node, exp.Tuple) else [node]


def value_column(expression: exp.Values, index: int) -> list[exp.Expr]:
    """Return the expressions of one column of VALUES."""
    return [row[index] for row in map(_row, expression.expressions) if index < len(row)]


def _is_generated_name(name: str) -> bool:
    """Return whether sqlglot made up a column's name, because the query doesn't give one."""
    return name.startswith("_col_") or not name
