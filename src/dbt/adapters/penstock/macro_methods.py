"""The methods that macros call as `adapter.…`, each passed on to the part of the adapter that does the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.spark.impl import SparkAdapter

from dbt.adapters.penstock import (
    column_names,
    column_types,
    empty_results,
    layout,
    relation_lookup,
    seeds,
    statement_text,
    table_sizes,
    table_writes,
    unit_test_values,
)
from dbt.adapters.penstock.capabilities import TableFormat
from dbt.adapters.penstock.column_names import Names
from dbt.adapters.penstock.columns import ColumnReader, PenstockColumn
from dbt.adapters.penstock.interval_models.runner import IntervalRunner
from dbt.adapters.penstock.layout import FileLayout
from dbt.adapters.penstock.physical_plans.capture import PlanCapture
from dbt.adapters.penstock.physical_plans.plan_tests import PhysicalTests
from dbt.adapters.penstock.query_checks import Query, QueryChecks
from dbt.adapters.penstock.reused_tests import ReusedTests
from dbt.adapters.penstock.table_writes import TableWriter
from penstock.delta import table_features
from penstock.intervals.model_config import interval_properties
from penstock.intervals.planned_commits import IntervalPlan, PlannedCommit
from penstock.sql import names


class MacroMethods(SparkAdapter):
    """dbt-spark's adapter, with the methods of penstock's macros.

    Attributes:
        columns: the columns of relations and queries.
        query_checks: checks of a model's query.
        writer: writes of SQL materializations.
        plans: captured plans.
        physical_tests: tests of plans and files.
        intervals: interval models.
        reused_tests: passed tests that are not repeated.
    """

    columns: ColumnReader
    query_checks: QueryChecks
    writer: TableWriter
    plans: PlanCapture
    physical_tests: PhysicalTests
    intervals: IntervalRunner
    reused_tests: ReusedTests

    # Names and values as SQL

    @classmethod
    def quote(cls, identifier: str) -> str:
        """Return a quoted identifier. A class method, since dbt renders constraints with it."""
        return names.quoted(str(identifier))

    @available
    def column_name(self, name: str, columns: list[Any] | None = None) -> str:
        """Return a column that a configuration names, as SQL; `columns` are those of the table or query."""
        return names.column(str(name), None if columns is None else [item.name for item in columns])

    @available
    def literal(self, text: Any) -> str:
        """Return text as a SQL literal."""
        return names.text(str(text))

    @available
    def fixture_value(self, value: Any, data_type: str, column: str) -> str:
        """Return a unit test's value as SQL."""
        return unit_test_values.value(value, data_type, column)

    @available
    def without_last_semicolons(self, sql: str) -> str:
        """Return a query without the semicolons that end it."""
        return statement_text.without_last_semicolons(sql)

    # Columns

    @available
    def describe_extended(self, relation: BaseRelation) -> Any:
        """Return the rows of DESCRIBE TABLE EXTENDED."""
        return self.columns.describe_extended(relation)

    @available
    def columns_of_query(self, sql: str) -> list[PenstockColumn]:
        """Return a query's columns. The query isn't run."""
        return self.columns.query_columns(sql)

    @available
    def unit_test_columns(self, sql: str) -> list[PenstockColumn]:
        """Return the columns of a unit test's query."""
        return self.columns.unit_test_columns(sql)

    @available
    def names(self, columns: Iterable[Any]) -> Names:
        """Return the names of columns as a list that ignores letter case in `in`."""
        return Names(column.name for column in columns)

    @available
    def distinct_names(self, columns: list[Any]) -> list[str]:
        """Return distinct names for a query's columns, as SQL, when some are the same; else nothing."""
        return column_names.distinct_names(columns)

    @available
    def matched(self, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Return values by the columns' own names."""
        return column_names.matched(values, names)

    @available
    def columns_without(self, columns: Iterable[Any], others: Iterable[Any]) -> list[Any]:
        """Return the columns that are not among the others."""
        return column_names.without(columns, others)

    @available
    def type_change(self, old: str, new: str) -> column_types.Change:
        """Return how a column of type `old` takes rows of type `new`: widens, fits or impossible."""
        return column_types.change(old, new)

    @available.parse(lambda sql, node: Query(sql, []))
    def checked_query(self, sql: str, node: Mapping[str, Any]) -> Query:
        """Return a model's query, checked against its contract, with columns that a table can hold."""
        return self.query_checks.checked_query(sql, node)

    @available.parse_none
    def check_contract(self, sql: str, node: Mapping[str, Any]) -> None:
        """Check a query's columns against a model's contract."""
        self.query_checks.check_contract(sql, node)

    @available.parse(lambda *arguments, **options: {})
    def needed_properties(self, columns: Sequence[PenstockColumn], configured: Mapping[str, Any]) -> dict[str, str]:
        """Return the table properties that Delta needs for some columns."""
        return table_features.properties({column.name: column.dtype for column in columns}, configured)

    # Relations and layout

    @available
    def has_definition(self, relation: BaseRelation, definition: str) -> bool:
        """Return whether a view was created from this definition."""
        return relation_lookup.has_definition(relation, definition)

    @available
    def table_format(self, name: str | None = None) -> TableFormat:
        """Return a node's table format: by its `file_format`, else the profile's."""
        return self.writer.table_format(name)

    @available
    def as_table(self, relation: BaseRelation, file_format: str | None) -> BaseRelation:
        """Return a relation as a table of a format."""
        return self.writer.as_table(relation, file_format)

    @available
    def has_format(self, relation: BaseRelation, table_format: TableFormat) -> bool:
        """Return whether a table is known to be of a format."""
        return table_writes.has_format(relation, table_format)

    @available.parse_none
    def layout_of(self, node: Mapping[str, Any]) -> FileLayout:
        """Return a node's layout."""
        return layout.node_layout(node, self.config.credentials.file_format)

    @available.parse_none
    def arranged(self, select: str, node: Mapping[str, Any]) -> str:
        """Return a query of a node's rows, in the order in which its files hold them."""
        return layout.node_layout(node, self.config.credentials.file_format).arranged(select)

    @available.parse_none
    def table_bytes(self, relation: BaseRelation) -> int | None:
        """Return the size of a table or view in bytes; None when it is not known."""
        return table_sizes.table_bytes(self, relation)  # type: ignore[arg-type]

    # Writes

    @available
    def write_rows(
        self,
        sql: str,
        target: BaseRelation,
        alone: bool,
        source: str | None = None,
        keys: list[str] | None = None,
        named: list[str] | None = None,
    ) -> AdapterResponse:
        """Send a statement that writes to a table."""
        return self.writer.write_rows(sql, target, alone, source, keys, named)

    @available
    def fill_aside(self, sql: str, aside: BaseRelation) -> AdapterResponse:
        """Send a statement that fills a temporary table."""
        return self.writer.fill_temporary(sql, aside)

    @available
    def writes_alone(self, node: dict[str, Any]) -> bool:
        """Return whether a microbatch's writes must take turns."""
        return self.writer.writes_alone(node)

    @available
    def read_seed(self, node: dict[str, Any], empty: bool) -> seeds.Seed:
        """Return a seed's rows, ready for SQL."""
        return self.writer.read_seed(node, empty)

    @available
    def seed_properties(self, node: dict[str, Any], empty: bool) -> dict[str, str]:
        """Return the table properties that record what a seed's table was loaded from."""
        return table_writes.seed_properties(node, empty)

    @available
    def seed_is_unchanged(self, relation: BaseRelation, node: dict[str, Any], empty: bool) -> bool:
        """Return whether a seed's table need not be loaded again."""
        return table_writes.seed_is_unchanged(relation, node, empty)

    # Interval models

    @available
    def sync_lake(self) -> str:
        """Bring Spark's tables of the lake up to date with its manifest, and return a message for the log."""
        return self.intervals.register_sources()

    @available.parse(lambda *arguments, **options: {})
    def interval_properties(self, node: dict[str, Any]) -> dict[str, str]:
        """Return the table property of an interval model."""
        return interval_properties(node["config"])

    @available
    def interval_plan(self, node: dict[str, Any], existing: BaseRelation | None, full_refresh: bool) -> IntervalPlan:
        """Return which intervals of a model this run builds, and in which commits."""
        return self.intervals.plan(node, existing, full_refresh)

    @available
    def create_interval_table(self, relation: BaseRelation, columns: list[Any], clauses: str) -> None:
        """Create an empty table unless it exists."""
        self.intervals.create_table(relation, columns, clauses)

    @available
    def interval_begin(self, node: dict[str, Any], planned: PlannedCommit) -> PlannedCommit:
        """Begin a commit."""
        return self.intervals.begin(node, planned)

    @available
    def write_interval(self, sql: str, planned: PlannedCommit) -> AdapterResponse:
        """Send the statement that replaces a commit's intervals."""
        return self.intervals.write(sql, planned)

    @available
    def interval_done(self, node: dict[str, Any], planned: PlannedCommit) -> str:
        """Record a commit that ended well."""
        return self.intervals.done(node, planned)

    @available
    def interval_response(self, message: str) -> AdapterResponse:
        """Return the response that dbt shows at the end of a node's line."""
        return AdapterResponse(_message=message)

    # Plans and tests

    @available
    def keep_plan(self, node: dict[str, Any], select: str, runs: bool = True) -> str:
        """Explain a model's main statement and capture its plan."""
        return self.plans.keep_plan(node, select, runs)

    @available
    def has_plan(self, node: dict[str, Any]) -> bool:
        """Return whether the plan of a model's current code is captured."""
        return self.plans.has_plan(node)

    @available
    def work_is_done(self) -> str:
        """Mark what this thread's node sends from now on as not its own work."""
        return self.plans.work_is_done()

    @available
    def physical_failures(self, relation: Any, test: str, arguments: dict[str, Any]) -> list[str]:
        """Return the failures of a plan or file test."""
        return self.physical_tests.failures(relation, test, arguments)

    @available
    def finds_nothing(self, sql: str) -> bool:
        """Return whether a test's query surely has no rows, so that it need not be sent."""
        return statement_text.finds_nothing(sql)

    @available
    def no_failures(self) -> tuple[AdapterResponse, Any]:
        """Return the response and the rows of a data test that finds nothing."""
        return empty_results.no_failures()

    @available
    def no_differences(self) -> tuple[AdapterResponse, Any]:
        """Return the response and the rows of a unit test whose expected and actual rows are none."""
        return empty_results.no_differences()

    @available
    def test_key(self, node: dict[str, Any], sql: str, expected: Any = None) -> str:
        """Return a key of a test's SQL and data; empty when they can't be seen."""
        return self.reused_tests.key(node, sql, expected)

    @available
    def test_has_passed(self, node: dict[str, Any], key: str) -> bool:
        """Return whether a test passed with this key before."""
        return self.reused_tests.has_passed(node, key)

    @available
    def test_ran(self, node: dict[str, Any], key: str, table: Any) -> str:
        """Record a test that ran."""
        return self.reused_tests.record(node, key, table)
