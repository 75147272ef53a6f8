"""Checks of a model's query before the model is written.

The query must match the model's contract. A table cannot store some types of query columns, such as the type of a NULL
literal. Columns of these types get a type that a table can store.
"""

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
    """A query whose rows a table can store.

    Attributes:
        sql: the query.
        columns: the query's columns.
    """

    sql: str
    columns: list[PenstockColumn]


def _mismatches(declared: Mapping[str, str | None], found: Mapping[str, str]) -> str:
    """Return the differences between a contract and a query as a text table like dbt's, but with complete types."""
    in_query = {name.lower(): (name, data_type) for name, data_type in found.items()}
    in_contract = {name.lower(): (name, data_type or "") for name, data_type in declared.items()}
    rows: list[tuple[str, ...]] = [("column_name", "definition_type", "contract_type", "mismatch_reason")]
    for key in sorted({*in_query, *in_contract}):
        returned, named = in_query.get(key), in_contract.get(key)
        if returned and named and (not named[1] or parse(named[1]).accepts(parse(returned[1]))):
            continue
        reason = "missing in definition" if not returned else "missing in contract" if not named else ""
        types = [column[1].upper() if column else "" for column in (returned, named)]
        rows.append(((returned or named or ("",))[0], *types, reason or "data type mismatch"))
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


class QueryChecks:
    """Checks of a model's query before the model is written.

    Args:
        adapter: sends the statements.
        columns: reads a query's columns.
    """

    def __init__(self, adapter: PenstockAdapter, columns: ColumnReader) -> None:
        self._adapter, self._columns = adapter, columns

    def checked_query(self, sql: str, node: Mapping[str, Any]) -> Query:
        """Check a model's query against the model's contract, and return a query whose rows a table can store.

        Args:
            sql: the query.
            node: the model. If its contract is enforced, the query must match the contract.

        Raises:
            CompilationError: the query does not match the contract. The error names each difference.
        """
        declared: dict[str, str] = {}
        if (node["config"].get("contract") or {}).get("enforced"):
            declared, columns = self._check_contract(sql, node)
        else:
            columns = self._columns.query_columns(sql)
        self._columns.built[node["unique_id"]] = columns
        listed = contract.storable_select({column.name: column.dtype for column in columns}, declared)
        if not listed:
            return Query(sql, columns)
        types = {name.lower(): data_type for name, data_type in declared.items()}
        for column in columns:
            if (kind := parse(column.dtype)).has_void:
                column.dtype = types.get(column.name.lower(), kind.storable.sql)
        query = sql.rstrip().rstrip(";")
        return Query(f"select {', '.join(listed)} from (\n{query}\n) as DBT_INTERNAL_STORED", columns)

    def check_contract(self, sql: str, node: Mapping[str, Any]) -> None:
        """Check the names and types of a query's columns against a model's contract.

        Raises:
            CompilationError: the query does not match the contract. The error names each difference.
        """
        self._check_contract(sql, node)

    def _check_contract(self, sql: str, node: Mapping[str, Any]) -> tuple[dict[str, str], list[PenstockColumn]]:
        """Return the contract's types and the query's columns, if the query matches the contract."""
        written = {column["name"]: column.get("data_type") for column in node["columns"].values()}
        try:
            declared = contract.declared_types(self._exact_types, written)
        except contract.UnknownType as error:
            raise AdapterCompilationError(*error.parts(node["name"])) from None
        columns = self._columns.query_columns(sql)
        types = [parse(column.dtype).sql for column in columns]
        if any("char(" in (data_type or "") for data_type in declared.values()):
            types = self._exact_types(sql)
        found = {column.name: data_type for column, data_type in zip(columns, types, strict=True)}
        if different := contract.differences(declared, found):
            message = render(*contract.mismatch_parts(node["name"], different))
            raise CompilationError(f"{HEADER}{_mismatches(declared, found)}\n\n{message}")
        order = [name.lower() for name in declared]
        columns.sort(key=lambda column: order.index(column.name.lower()))
        return {name: data_type for name, data_type in declared.items() if data_type}, columns

    def _exact_types(self, sql: str) -> list[str]:
        """Return the types of a query's columns, including the lengths of VARCHAR and CHAR that Spark usually drops."""
        self._adapter.execute(f"set {contract.KEEP_LENGTHS}=true")
        try:
            return [parse(column.dtype).sql for column in self._columns.query_columns(sql)]
        finally:
            self._adapter.execute(f"reset {contract.KEEP_LENGTHS}")
