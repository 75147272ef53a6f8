"""Follow the columns of a query through CTEs, subqueries and table functions to the relations that it reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from penstock.lineage import query_scope, struct_fields, table_functions
from penstock.lineage.expressions import Expressions, Path
from penstock.lineage.origins import Kind, Origin, merged
from penstock.lineage.table_functions import Part

# (Python's id of a scope, column, fields of the column that are read).
Key = tuple[int, str | int, Path]

# https://spark.apache.org/docs/latest/sql-data-sources-generic-options.html
FILE_METADATA = "_metadata"


class Resolver(Expressions):
    """Finds the origins of the columns and expressions of one query.

    Args:
        columns: for each relation, its columns; `*` among them represents columns that are not known.
        types: for each relation whose columns are all known, the types of its columns.
    """

    def __init__(self, columns: Mapping[str, Iterable[str]], types: struct_fields.Types) -> None:
        self._types = types
        self._columns = {relation: set(names) for relation, names in columns.items()}
        self._known: dict[Key, tuple[Origin, ...]] = {}
        self._active: set[Key] = set()
        self._assumed: dict[Key, tuple[Origin, ...]] = {}
        self._is_recursive = False

    def output(self, scope: Scope, column: str | int, path: Path = ()) -> tuple[Origin, ...]:
        """Return the origins of one of a scope's columns, given by name or by position.

        Args:
            scope: the scope of a query or of a table function.
            column: the column's name in lower case, or its position.
            path: the fields that are read, if the column is a struct.
        """
        key = (id(scope), column, path)
        if key in self._known:
            return self._known[key]
        if key in self._active:  # A recursive CTE reads itself.
            self._is_recursive = True
            return self._assumed.get(key, ())
        self._active.add(key)
        found = self._fixpoint(key, scope, column, path)
        self._active.discard(key)
        if not self._is_recursive or not self._active:  # Inside a recursion, the origins may be incomplete.
            self._known[key] = found
            self._is_recursive = False
        return found

    def _fixpoint(self, key: Key, scope: Scope, column: str | int, path: Path) -> tuple[Origin, ...]:
        """Return the origins of a column. If the column reads itself, repeat until no origin is added."""
        while True:
            found = merged(self._output(scope, column, path))
            if not self._is_recursive or found == self._assumed.get(key):
                return found
            self._assumed[key] = found

    def _output(self, scope: Scope, column: str | int, path: Path) -> Iterator[Origin]:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            yield from self._set_operation(scope, column, path)
        elif isinstance(expression, exp.Select):
            yield from self._select(scope, column, path)
        elif isinstance(expression, exp.UDTF):
            yield from self._table_function(scope, expression, column, path)
        elif (nested := query_scope.inner(scope)) is not None:
            yield from self.output(nested, column, path)

    def _set_operation(self, scope: Scope, column: str | int, path: Path) -> Iterator[Origin]:
        """Yield the origins of a column. Branches are read by position, or by name if a `*` is not expanded."""
        names = query_scope.names(scope)
        name = names[column] if isinstance(column, int) and column < len(names) else column
        for branch in query_scope.branches(scope):
            is_open = "*" in names or "*" in query_scope.names(branch)
            position = names.index(str(name)) if name in names else column
            yield from self.output(branch, name if is_open else position, path)

    def _select(self, scope: Scope, column: str | int, path: Path) -> Iterator[Origin]:
        outputs = query_scope.outputs(scope)
        if isinstance(column, int):
            found = outputs[column] if column < len(outputs) else None
        else:
            found = next((item for item in outputs if item[0] == column), None)
        if found is None or found[0] == "*":
            yield from self._starred(scope, str(column), path)
            return
        _, node, index = found
        parts = [Part(node, Kind.DIRECT, path)]
        if index is not None and table_functions.is_table_function(node):
            parts = table_functions.column_parts(node, index, path, found[0])
        yield from self.parts(parts, scope)

    def _starred(self, scope: Scope, name: str, path: Path) -> Iterator[Origin]:
        """Yield the origins of a column that only a `*` can contain."""
        stars = [node for _, node, _ in query_scope.outputs(scope) if node.is_star]
        if not stars:
            yield Origin("", f"the query has no column {name}", Kind.UNRESOLVED)
            return
        if name == "*":
            yield Origin("", f"the columns of {self._label(scope)} are unknown", Kind.UNRESOLVED)
            return
        prefixes = [query_scope.star_prefix(star) for star in stars]
        of_sources = [prefix for prefix in prefixes if not prefix or (len(prefix) == 1 and prefix[0] in scope.sources)]
        of_structs = [prefix for prefix in prefixes if prefix not in of_sources]
        named = [query_scope.star_prefix(star) for star in stars if name in self._star_names(star, scope)]
        aliases = [alias for prefix in of_sources for alias in prefix or scope.selected_sources]
        if named and named[0] in of_structs:
            yield from self._struct_column(scope, named[0], name, path)
        elif aliases and (not of_structs or any(name in self._source_names(scope, alias) for alias in aliases)):
            yield from self._named(scope, name, path, aliases)
        else:
            yield from self._struct_column(scope, (named or of_structs)[0], name, path)

    def _star_names(self, star: exp.Expr, scope: Scope) -> list[str]:
        return struct_fields.star_names(star, scope, self._types)

    def _struct_column(self, scope: Scope, prefix: list[str], name: str, path: Path) -> Iterator[Origin]:
        """Yield the origins of a field that `struct.*` returns, or of a column that `source.*` returns."""
        names = [*prefix, name]
        if names[0] in scope.sources:
            yield from self._source_column(scope, names[0], names[1], (*names[2:], *path))
        else:
            yield from self._named(scope, names[0], (*names[1:], *path))

    def _table_function(self, scope: Scope, expression: exp.UDTF, column: str | int, path: Path) -> Iterator[Origin]:
        names, nested = query_scope.names(scope), query_scope.inner(scope)
        index = column if isinstance(column, int) else names.index(column) if column in names else -1
        if nested is not None:
            yield from self.output(nested, index if index >= 0 else column, path)
        elif isinstance(expression, exp.Values):
            parts = [Part(node, Kind.DIRECT, path) for node in query_scope.value_column(expression, index)]
            yield from self.parts(parts, scope)
        else:
            node = expression.this
            yield from self.parts(table_functions.column_parts(node, index, path, str(column)), scope)

    def column(self, column: exp.Column, scope: Scope, path: Path) -> Iterator[Origin]:
        """Yield the origins of a reference to a column. The name before a dot may be a source or a struct column."""
        if not column.table:
            yield from self._named(scope, column.name.lower(), path)
            return
        owner: Scope | None = scope
        while owner is not None:
            if column.table in owner.sources or _pivoted(owner, column.table) is not None:
                yield from self._source_column(owner, column.table, column.name.lower(), path)
                return
            owner = owner.parent
        first, *fields = [part.name.lower() for part in column.parts]  # `struct.field`
        yield from self._named(scope, first, (*fields, *path))

    def _source_column(self, scope: Scope, alias: str, name: str, path: Path) -> Iterator[Origin]:
        table = _pivoted(scope, alias)
        pivots = table.args.get("pivots") if table is not None else None
        parts = table_functions.pivot_parts(pivots, name) if pivots else None
        if parts is not None:
            yield from self.parts(parts, scope)
            return
        source = scope.sources.get(alias) or (scope.sources.get(table.alias_or_name) if table is not None else None)
        if isinstance(source, exp.Table) and not source.db and source.name in scope.cte_sources:
            source = scope.cte_sources[source.name]  # A CTE with PIVOT.
        if isinstance(source, Scope):
            yield from self.output(_whole_recursion(source, scope), name, path)
        elif isinstance(source, exp.Table) and isinstance(source.this, exp.Func):
            names = [item.lower() for item in source.alias_column_names] or table_functions.column_names(source.this)
            index = names.index(name) if name in names else -1
            yield from self.parts(table_functions.column_parts(source.this, index, path, name), scope)
        elif isinstance(source, exp.Table):
            key = query_scope.table_key(source)
            yield Origin(key, name, Kind.TRANSFORMED if path else Kind.DIRECT)

    def _named(self, scope: Scope, name: str, path: Path, aliases: Collection[str] = ()) -> Iterator[Origin]:
        """Yield the origins of a column that the query doesn't qualify, from the only source that can have it."""
        listed = list(aliases or scope.selected_sources)
        known = {alias: self._source_names(scope, alias) for alias in listed}
        having = [alias for alias, names in known.items() if name in names]
        candidates = having[:1] or [alias for alias, names in known.items() if "*" in names]
        if len(candidates) == 1:
            yield from self._source_column(scope, candidates[0], name, path)
        elif scope.parent is not None and scope.is_correlated_subquery:
            yield from self._named(scope.parent, name, path)
        elif name == FILE_METADATA:
            yield Origin("", f"{FILE_METADATA}, which Spark adds to the rows of files", Kind.GENERATED)
        elif candidates:
            unknown = self._label(scope, *candidates)
            yield Origin("", f"{name} may be a column of any of {unknown}, whose columns are unknown", Kind.UNRESOLVED)
        else:
            yield Origin("", f"no column {name} in {self._label(scope, *listed)}", Kind.UNRESOLVED)

    def _source_names(self, scope: Scope, alias: str) -> set[str]:
        source = scope.sources.get(alias)
        if isinstance(source, Scope):
            return set(query_scope.names(source))
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Func):
            return {"*"}
        key = query_scope.table_key(source) if isinstance(source, exp.Table) else ""
        return self._columns.get(key) or {"*"}

    def _label(self, scope: Scope, *aliases: str) -> str:
        """Return the names of the given sources of a scope, or of all its sources, for the text of a reason."""
        sources = {alias: scope.sources.get(alias) for alias in aliases or scope.selected_sources}
        names = [query_scope.table_key(s) if isinstance(s, exp.Table) else alias for alias, s in sources.items()]
        return ", ".join(names) or "no relation"

    def all_columns(self, scope: Scope) -> Iterator[Origin]:
        """Yield the origins of all columns of a scope's sources."""
        for alias in scope.selected_sources:
            for name in sorted(self._source_names(scope, alias)):
                if name == "*":
                    reason = f"the columns of {self._label(scope, alias)} are unknown"
                    yield Origin("", reason, Kind.UNRESOLVED)
                else:
                    yield from self._source_column(scope, alias, name, ())

    def rows(self, scope: Scope, seen: frozenset[int] = frozenset()) -> set[str]:
        """Return the relations whose rows a scope reads."""
        if id(scope) in seen:
            return set()
        seen |= {id(scope)}
        nested = [*query_scope.branches(scope), *filter(None, [query_scope.inner(scope)])]
        found = {relation for child in nested for relation in self.rows(child, seen)}
        for _, source in scope.selected_sources.values() if not nested else ():
            if isinstance(source, Scope):
                found |= self.rows(source, seen)
            elif not isinstance(source.this, exp.Func):
                found.add(query_scope.table_key(source))
        return found


def _whole_recursion(source: Scope, reader: Scope) -> Scope:
    """Return the source, or the scope of a recursive CTE if the source is the CTE's reference to itself.

    For such a reference, sqlglot's scope has only the CTE's first SELECT, without its sources.
    """
    scope: Scope | None = reader
    while scope is not None:
        if isinstance(scope.expression, exp.SetOperation) and scope.expression.this is source.expression:
            return scope
        scope = scope.parent
    return source


def _pivoted(scope: Scope, alias: str) -> exp.Expr | None:
    """Return the table or subquery whose (un)pivoted rows have an alias, or None if there is none."""
    for pivot in scope.pivots:
        parent = pivot.parent
        if parent is not None and alias in (parent.alias_or_name, pivot.alias):
            return parent
    return None
