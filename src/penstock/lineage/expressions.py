"""Find the columns that an expression reads, and how it changes their values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from penstock.lineage import query_scope, table_functions
from penstock.lineage.origins import ROWS, Kind, Origin, merged, without_constants
from penstock.lineage.table_functions import Part

# The names of nested struct fields that are read, the outermost first.
Path = tuple[str, ...]
# Window functions that return a row's value or a rank, not a value computed from many rows.
NAVIGATION = (
    *(exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.RowNumber),
    *(exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile),
)
# Aggregate functions that sqlglot doesn't recognize as aggregates.
OTHER_AGGREGATES = {
    *("bitmap_construct_agg", "bitmap_or_agg", "count_min_sketch", "every", "histogram_numeric", "hll_sketch_agg"),
    *("hll_union_agg", "percentile", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2"),
    *("regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "schema_of_json_agg", "some", "try_avg", "try_sum"),
}

# The longest list of constants that an origin shows.
MAX_TEXTS = 5


class Expressions(ABC):
    """Finds the origins of expressions. A subclass follows the columns of a scope to the relations."""

    @abstractmethod
    def output(self, scope: Scope, column: str | int, path: Path = ()) -> tuple[Origin, ...]:
        """Return the origins of one of a scope's columns, given by name or by position."""

    @abstractmethod
    def rows(self, scope: Scope) -> set[str]:
        """Return the relations whose rows a scope reads."""

    @abstractmethod
    def column(self, column: exp.Column, scope: Scope, path: Path) -> Iterator[Origin]:
        """Yield the origins of a reference to a column."""

    @abstractmethod
    def all_columns(self, scope: Scope) -> Iterator[Origin]:
        """Yield the origins of all columns of a scope's sources."""

    def parts(self, parts: Iterable[Part], scope: Scope) -> tuple[Origin, ...]:
        """Return the origins of expressions that determine a column. If they read no column, return their text."""
        listed = list(parts)
        values = [self.value(part.node, scope, part.path) for part in listed]
        pairs = zip(listed, values, strict=True)
        found = merged(origin.lifted(part.kind) for part, origins in pairs for origin in origins)
        if any(part.kind is not Kind.DIRECT for part in listed):
            found = tuple(without_constants(found))
        # Inside a recursive CTE, the columns of an expression may have no origins yet.
        if found or any(part.node.find(exp.Column) for part in listed):
            return found
        return (_without_inputs([part.node for part in listed]),)

    def value(self, node: exp.Expr | None, scope: Scope, path: Path = ()) -> tuple[Origin, ...]:
        """Return the origins of an expression. An expression without input columns has no origins.

        Args:
            node: the expression, with qualified columns.
            scope: the scope that contains the expression.
            path: the fields of the expression's value that are read.
        """
        return merged(self._value(node, scope, path)) if node is not None else ()

    def _value(self, node: exp.Expr, scope: Scope, path: Path) -> Iterator[Origin]:
        if isinstance(node, (exp.Alias, exp.Paren)):
            yield from self._value(node.this, scope, path)
        elif isinstance(node, exp.Column) and not node.is_star:
            yield from self.column(node, scope, path)
        elif isinstance(node, (exp.Star, exp.Column)):
            yield from self.all_columns(scope)
        elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
            yield from self._value(node.this, scope, (node.expression.name.lower(), *path))
        elif isinstance(node, exp.Struct) and path and (fields := _fields(node, path[0])):
            yield from self._value(fields[0], scope, path[1:])
        elif isinstance(node, exp.Coalesce) and len(arguments := query_scope.joined_key(node, scope)) == 1:
            yield from self._value(arguments[0], scope, path)
        elif isinstance(node, exp.Query) or (isinstance(node, exp.Exists) and isinstance(node.this, exp.Query)):
            yield from self._subquery(node, scope, path)
        elif isinstance(node, exp.Window):
            yield from self._window(node, scope, path)
        elif isinstance(node, exp.Filter):
            yield from self._lifted([node.this, node.expression], scope, path, Kind.AGGREGATED)
        elif isinstance(node, exp.AggFunc) or table_functions.function_name(node) in OTHER_AGGREGATES:
            yield from self._aggregate(node, scope, path)
        else:
            yield from self._lifted(node.iter_expressions(), scope, path, Kind.TRANSFORMED)

    def _lifted(self, nodes: Iterable[exp.Expr], scope: Scope, path: Path, kind: Kind) -> Iterator[Origin]:
        found = [origin for node in nodes for origin in self._value(node, scope, path)]
        return (origin.lifted(kind) for origin in without_constants(found))

    def _aggregate(self, node: exp.Expr, scope: Scope, path: Path) -> Iterator[Origin]:
        counts_rows = isinstance(node, exp.Count) and isinstance(node.this, exp.Star)
        found = [] if counts_rows else list(self._lifted(node.iter_expressions(), scope, path, Kind.AGGREGATED))
        if all(origin.kind is Kind.CONSTANT for origin in found):
            found = [Origin(relation, ROWS, Kind.AGGREGATED) for relation in sorted(self.rows(scope))]
        yield from found

    def _window(self, node: exp.Window, scope: Scope, path: Path) -> Iterator[Origin]:
        function = node.this.this if isinstance(node.this, (exp.IgnoreNulls, exp.RespectNulls)) else node.this
        if isinstance(function, NAVIGATION):
            yield from self._lifted(function.iter_expressions(), scope, path, Kind.TRANSFORMED)
        else:
            yield from self._value(function, scope, path)
        named = [item for item in scope.expression.args.get("windows") or () if item.name == node.alias]
        for window in [node, *named] if node.alias else [node]:
            keys = [*(window.args.get("partition_by") or ()), *filter(None, [window.args.get("order")])]
            yield from self._lifted(keys, scope, (), Kind.TRANSFORMED)

    def _subquery(self, node: exp.Expr, scope: Scope, path: Path) -> Iterator[Origin]:
        query = node.this if isinstance(node, exp.Exists) else node
        while isinstance(query, exp.Subquery):
            query = query.this
        child = next((item for item in scope.subquery_scopes if item.expression is query), None)
        if child is None:
            yield Origin("", f"the subquery {_text(node)} can't be followed", Kind.UNRESOLVED)
        elif isinstance(node, exp.Exists):
            yield from (Origin(relation, ROWS, Kind.TRANSFORMED) for relation in sorted(self.rows(child)))
        else:
            yield from self.output(child, 0, path)


def _fields(node: exp.Struct, name: str) -> Sequence[exp.Expr]:
    """Return a list of the expression of a field, given by name or as `#POSITION`; empty without such a field."""
    fields = [(field.alias_or_name.lower(), field) for field in node.expressions]
    named = [field for position, (key, field) in enumerate(fields) if name in (key, f"#{position}")]
    return [field.expression if isinstance(field, exp.PropertyEQ) else field for field in named[:1]]


def _text(node: exp.Expr) -> str:
    text = " ".join(node.sql(query_scope.DIALECT, comments=False).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _without_inputs(nodes: Sequence[exp.Expr]) -> Origin:
    """Return the origin of a column that is computed from no other column."""
    literal = (exp.Cast, exp.Array, exp.Map, exp.VarMap, exp.Struct, exp.Connector)
    calls = [item for node in nodes for item in node.find_all(exp.Func, exp.Window) if not isinstance(item, literal)]
    texts = list(dict.fromkeys(_text(node) for node in nodes))
    shown = ", ".join(texts[:MAX_TEXTS]) + (", ..." if len(texts) > MAX_TEXTS else "")
    return Origin("", shown, Kind.GENERATED if calls else Kind.CONSTANT)
