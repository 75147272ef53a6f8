"""A model's query before it is written: its columns, its contract, and what a table can hold of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt_common.exceptions import CompilationError

from dbt.adapters.penstock.columns import ColumnReader, PenstockColumn
from dbt.adapters.penstock.errors import AdapterCompilationError
from penstock.errors import render
from penstock.python_runtime import contract
from penstock.sql.data_types import parse

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

HEADER = (
    "This model has an enforced contract that failed.\n"
    "Please ensure the name, data_type, and number of columns in your contract match the columns in your "
    "model's definition.\n\n"
)


@dataclass(frozen=True)
class Query:
    """A query whose rows a table can hold.

    Attributes:
        sql: the query.
        columns: its columns.
    """

    sql: str
    columns: list[PenstockColumn]


def _mismatches(declared: Mapping[str, str | None], found: Mapping[str, str]) -> str:
    """dbt's table of a contract's mismatches, with whole types."""
    have = {name.lower(): (name, words) for name, words in found.items()}
    want = {name.lower(): (name, words or "") for name, words in declared.items()}
    rows: list[tuple[str, ...]] = [("column_name", "definition_type", "contract_type", "mismatch_reason")]
    for key in sorted({*have, *want}):
        returned, named = have.get(key), want.get(key)
        if returned and named and (not named[1] or parse(named[1]).takes(parse(returned[1]))):
            continue
        reason = "missing in definition" if not returned else "missing in contract" if not named else ""
        types = [words[1].upper() if words else "" for words in (returned, named)]
        rows.append(((returned or named or ("",))[0], *types, reason or "data type mismatch"))
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


class QueryChecks:
    """Checks of a model's query before anything is written.

    Args:
        adapter: sends the statements.
        columns: reads a query's columns.
    """

    def __init__(self, adapter: PenstockAdapter, columns: ColumnReader) -> None:
        self._adapter, self._columns = adapter, columns

    def checked_query(self, sql: str, node: Mapping[str, Any]) -> Query:
        """Check a model's query against its contract, and make it one whose rows a table can hold.

        Args:
            sql: the query.
            node: the model; its contract counts when it is enforced.

        Raises:
            CompilationError: the query doesn't keep the contract; each difference is named.
        """
        declared: dict[str, str] = {}
        if (node["config"].get("contract") or {}).get("enforced"):
            declared, columns = self._contracted(sql, node)
        else:
            columns = self._columns.query_columns(sql)
        listed = contract.storable({column.name: column.dtype for column in columns}, declared)
        if not listed:
            return Query(sql, columns)
        wanted = {name.lower(): words for name, words in declared.items()}
        for column in columns:
            if (kind := parse(column.dtype)).has_void:
                column.dtype = wanted.get(column.name.lower(), kind.stored.sql)
        query = sql.rstrip().rstrip(";")
        return Query(f"select {', '.join(listed)} from (\n{query}\n) as DBT_INTERNAL_STORED", columns)

    def check_contract(self, sql: str, node: Mapping[str, Any]) -> None:
        """Compare a query's columns with a model's contract: names, and whole types in Spark's own spelling.

        Raises:
            CompilationError: they differ; every difference is named.
        """
        self._contracted(sql, node)

    def _contracted(self, sql: str, node: Mapping[str, Any]) -> tuple[dict[str, str], list[PenstockColumn]]:
        """The declared types and the query's columns, once they agree."""
        written = {column["name"]: column.get("data_type") for column in node["columns"].values()}
        try:
            declared = contract.declared_types(self._exact_types, written)
        except contract.UnknownType as error:
            raise AdapterCompilationError(*error.parts(node["name"])) from None
        columns = self._columns.query_columns(sql)
        types = [parse(column.dtype).sql for column in columns]
        if any("char(" in (words or "") for words in declared.values()):
            types = self._exact_types(sql)
        found = {column.name: words for column, words in zip(columns, types, strict=True)}
        if different := contract.differences(declared, found):
            words = render(*contract.parts(node["name"], different))
            raise CompilationError(f"{HEADER}{_mismatches(declared, found)}\n\n{words}")
        order = [name.lower() for name in declared]
        columns.sort(key=lambda column: order.index(column.name.lower()))
        return {name: words for name, words in declared.items() if words}, columns

    def _exact_types(self, sql: str) -> list[str]:
        """The types of a query's columns with the lengths of VARCHAR and CHAR, which Spark drops otherwise."""
        self._adapter.execute(f"set {contract.KEEP_LENGTHS}=true")
        try:
            return [parse(column.dtype).sql for column in self._columns.query_columns(sql)]
        finally:
            self._adapter.execute(f"reset {contract.KEEP_LENGTHS}")
