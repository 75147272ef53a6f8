"""The `adapter.…` methods for columns, names and values, which macros call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.meta import available
from dbt.adapters.spark.impl import SparkAdapter

from dbt.adapters.penstock import column_names, column_types, statement_text, unit_test_values
from dbt.adapters.penstock.column_names import Names
from dbt.adapters.penstock.columns import ColumnReader, PenstockColumn
from dbt.adapters.penstock.query_checks import Query, QueryChecks
from penstock.delta import table_features
from penstock.sql import names


class ColumnMethods(SparkAdapter):
    """dbt-spark's adapter with methods for columns, names and values.

    Attributes:
        columns: reads the columns of relations and queries.
        query_checks: checks the query of a model before anything is written.
    """

    columns: ColumnReader
    query_checks: QueryChecks

    # Names and values as SQL

    @classmethod
    def quote(cls, identifier: str) -> str:
        """Return an identifier in backticks. dbt calls this class method to render constraints."""
        return names.quote_identifier(str(identifier))

    @available
    def column_name(self, name: str, columns: list[Any] | None = None) -> str:
        """Return the SQL expression for a column that a configuration names.

        Args:
            name: the name in the configuration.
            columns: the columns of the table or query, if known.
        """
        return names.column_expression(str(name), None if columns is None else [item.name for item in columns])

    @available
    def name_in_catalog(self, relation: BaseRelation) -> str:
        """Return a relation's SQL name without its catalog, as `alter table … rename to` requires for the new name."""
        return names.without_catalog(relation.render())

    @available
    def literal(self, text: Any) -> str:
        """Return text as a SQL literal."""
        return names.string_literal(str(text))

    @available
    def fixture_value(self, value: Any, data_type: str, column: str) -> str:
        """Return a value of a unit test as SQL of the column's type."""
        return unit_test_values.value(value, data_type, column)

    @available
    def without_last_semicolons(self, sql: str) -> str:
        """Return a query without its final semicolons."""
        return statement_text.without_last_semicolons(sql)

    # Columns

    @available
    def describe_extended(self, relation: BaseRelation) -> Any:
        """Return the rows of DESCRIBE TABLE EXTENDED for a relation."""
        return self.columns.describe_extended(relation)

    @available
    def columns_of_query(self, sql: str) -> list[PenstockColumn]:
        """Return the columns of a query without running the query."""
        return self.columns.query_columns(sql)

    @available
    def unit_test_columns(self, sql: str) -> list[PenstockColumn]:
        """Return the columns of a unit test's query."""
        return self.columns.unit_test_columns(sql)

    @available
    def names(self, columns: Iterable[Any]) -> Names:
        """Return the names of columns as a list. The list's `in` operator ignores letter case."""
        return Names(column.name for column in columns)

    @available
    def distinct_names(self, columns: list[Any]) -> list[str]:
        """Return distinct SQL names for a query's columns, or an empty list if the names are already distinct."""
        return column_names.distinct_names(columns)

    @available
    def matched(self, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Return the values of some columns, by column name. Letter case is ignored when names are compared."""
        return column_names.matched(values, names)

    @available
    def columns_without(self, columns: Iterable[Any], others: Iterable[Any]) -> list[Any]:
        """Return the columns whose names are not among the names of `others`."""
        return column_names.without(columns, others)

    @available
    def type_change(self, old: str, new: str) -> column_types.Change:
        """Return how a column of type `old` can store values of type `new`: widens, fits or impossible."""
        return column_types.change(old, new)

    @available.parse(lambda sql, node: Query(sql, []))
    def checked_query(self, sql: str, node: Mapping[str, Any]) -> Query:
        """Check a model's query against the model's contract, and return a query whose rows a table can store."""
        return self.query_checks.checked_query(sql, node)

    @available.parse_none
    def check_contract(self, sql: str, node: Mapping[str, Any]) -> None:
        """Check a query's columns against a model's contract."""
        self.query_checks.check_contract(sql, node)

    @available.parse(lambda *arguments, **options: {})
    def needed_properties(self, columns: Sequence[PenstockColumn], configured: Mapping[str, Any]) -> dict[str, str]:
        """Return the table properties that Delta needs for these columns, except those in `configured`."""
        return table_features.required_properties({column.name: column.dtype for column in columns}, configured)
