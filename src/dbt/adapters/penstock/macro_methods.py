"""The `adapter.…` methods that macros call. Each method only calls the module or object that does the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import AdapterResponse

from dbt.adapters.penstock import (
    capabilities,
    empty_results,
    layout,
    relation_lookup,
    seeds,
    statement_text,
    table_sizes,
    table_writes,
)
from dbt.adapters.penstock.capabilities import TableFormat
from dbt.adapters.penstock.column_methods import ColumnMethods
from dbt.adapters.penstock.interval_models.runner import IntervalRunner
from dbt.adapters.penstock.layout import FileLayout
from dbt.adapters.penstock.physical_plans.capture import PlanCapture
from dbt.adapters.penstock.physical_plans.plan_tests import PhysicalTests
from dbt.adapters.penstock.reused_tests import ReusedTests
from dbt.adapters.penstock.table_writes import TableWriter
from penstock.intervals.model_config import interval_properties
from penstock.intervals.planned_commits import IntervalPlan, PlannedCommit


class MacroMethods(ColumnMethods):
    """dbt-spark's adapter with the methods of penstock's macros.

    Attributes:
        writer: performs the writes of SQL materializations.
        plans: captures the plans of models.
        physical_tests: runs the tests of plans and files.
        intervals: runs interval models.
        reused_tests: finds the passed tests that need not run again.
    """

    writer: TableWriter
    plans: PlanCapture
    physical_tests: PhysicalTests
    intervals: IntervalRunner
    reused_tests: ReusedTests

    # Relations and layout

    @available
    def has_definition(self, relation: BaseRelation, definition: str) -> bool:
        """Return whether a view was created from the definition with this hash."""
        return relation_lookup.has_definition(relation, definition)

    # While dbt parses, no catalog can answer. Then the format is the one that is named, or that of Spark's own catalog.
    @available.parse(lambda name=None, database=None: capabilities.table_format(name or "delta"))
    def table_format(self, name: str | None = None, database: str | None = None) -> TableFormat:
        """Return the table format with this name. If the name is None, return the default format of the database."""
        return self.writer.table_format(name, database)

    @available.parse(lambda relation, file_format: relation)
    def as_table(self, relation: BaseRelation, file_format: str | None) -> BaseRelation:
        """Return a relation as a table in this file format."""
        return self.writer.as_table(relation, file_format)

    @available
    def has_format(self, relation: BaseRelation, table_format: TableFormat) -> bool:
        """Return whether a table has this format. Only Delta, Hudi and Iceberg are recognized."""
        return table_writes.has_format(relation, table_format)

    @available.parse_none
    def layout_of(self, node: Mapping[str, Any]) -> FileLayout:
        """Return the layout of a node's table."""
        return layout.node_layout(node, self.writer.default_format(node.get("database")))

    @available.parse_none
    def arranged(self, select: str, node: Mapping[str, Any]) -> str:
        """Return a query that repartitions and sorts the rows of another query for a node's layout."""
        return layout.node_layout(node, self.writer.default_format(node.get("database"))).arranged(select)

    @available.parse_none
    def table_bytes(self, relation: BaseRelation) -> int | None:
        """Return the size of a table or view in bytes, or None if the size is unknown."""
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
        """Send a statement that writes to a table, and repeat the statement after a conflict."""
        return self.writer.write_rows(sql, target, alone, source, keys, named)

    @available
    def fill_aside(self, sql: str, aside: BaseRelation) -> AdapterResponse:
        """Send a statement that fills a temporary table."""
        return self.writer.fill_temporary(sql, aside)

    @available
    def writes_alone(self, node: dict[str, Any]) -> bool:
        """Return whether the batches of a microbatch model must write one after the other."""
        return self.writer.writes_alone(node)

    @available
    def read_seed(self, node: dict[str, Any], empty: bool) -> seeds.Seed:
        """Read the file of a seed, and return the seed's rows as SQL."""
        seed = self.writer.read_seed(node, empty)
        self.columns.built[node["unique_id"]] = seed.columns
        return seed

    @available
    def seed_properties(self, node: dict[str, Any], empty: bool) -> dict[str, str]:
        """Return the table properties that identify the file and configuration of a seed."""
        return table_writes.seed_properties(node, empty)

    @available
    def seed_is_unchanged(self, relation: BaseRelation, node: dict[str, Any], empty: bool) -> bool:
        """Return whether a seed's table was built from the seed's current file and current configuration."""
        return table_writes.seed_is_unchanged(relation, node, empty)

    # Interval models

    @available
    def sync_lake(self) -> str:
        """Register the tables of the interval sources, such as the lake, with Spark. Return a message for the log."""
        return self.intervals.register_sources()

    @available.parse(lambda *arguments, **options: {})
    def interval_properties(self, node: dict[str, Any]) -> dict[str, str]:
        """Return the table properties that mark the table of an interval model."""
        table_format = self.writer.table_format(node["config"].get("file_format"), node.get("database"))
        return interval_properties(node["config"], table_format.name)

    @available
    def interval_plan(self, node: dict[str, Any], existing: BaseRelation | None, full_refresh: bool) -> IntervalPlan:
        """Return the plan of an interval model: the commits of this run, and the intervals of each commit."""
        return self.intervals.plan(node, existing, full_refresh)

    @available
    def create_interval_table(self, relation: BaseRelation, columns: list[Any], clauses: str) -> None:
        """Create the empty table of an interval model, unless the table exists."""
        self.intervals.create_table(relation, columns, clauses)

    @available
    def interval_begin(self, node: dict[str, Any], planned: PlannedCommit) -> PlannedCommit:
        """Begin a commit of an interval model."""
        return self.intervals.begin(node, planned)

    @available
    def write_interval(self, sql: str, planned: PlannedCommit) -> AdapterResponse:
        """Send the statement that replaces a commit's intervals."""
        return self.intervals.write(sql, planned)

    @available
    def interval_done(self, node: dict[str, Any], planned: PlannedCommit) -> str:
        """Record a successful commit, and return a message if another run's commit made the commit unnecessary."""
        return self.intervals.done(node, planned)

    @available
    def interval_response(self, message: str) -> AdapterResponse:
        """Return a response with this message. dbt prints the message at the end of the node's log line."""
        return AdapterResponse(_message=message)

    # Plans and tests

    @available
    def keep_plan(self, node: dict[str, Any], select: str, runs: bool = True) -> str:
        """Capture the plan of a model's main statement."""
        return self.plans.keep_plan(node, select, runs)

    @available
    def has_plan(self, node: dict[str, Any]) -> bool:
        """Return whether a plan of the model's current code was captured."""
        return self.plans.has_plan(node)

    @available
    def work_is_done(self) -> str:
        """Mark all later statements of this thread's node as auxiliary."""
        return self.plans.work_is_done()

    @available
    def physical_failures(self, relation: Any, test: str, arguments: dict[str, Any]) -> list[str]:
        """Run a plan test or file test, and return a message for each failure."""
        return self.physical_tests.failures(relation, test, arguments)

    @available
    def finds_nothing(self, sql: str) -> bool:
        """Return whether a test's query certainly returns no rows. Such a query need not be sent."""
        return statement_text.finds_nothing(sql)

    @available
    def no_failures(self) -> tuple[AdapterResponse, Any]:
        """Return the response and the rows of a data test without failures."""
        return empty_results.no_failures()

    @available
    def no_differences(self) -> tuple[AdapterResponse, Any]:
        """Return the response and the rows of a unit test without differences."""
        return empty_results.no_differences()

    @available
    def test_key(self, node: dict[str, Any], sql: str, expected: Any = None) -> str:
        """Return a key of a test's SQL and data. It is empty if the adapter can't detect changes of the inputs."""
        return self.reused_tests.key(node, sql, expected)

    @available
    def test_has_passed(self, node: dict[str, Any], key: str) -> bool:
        """Return whether the test has passed with this key before."""
        return self.reused_tests.has_passed(node, key)

    @available
    def test_ran(self, node: dict[str, Any], key: str, table: Any) -> str:
        """Record a test with its key after the test ran, but only if the test passed."""
        return self.reused_tests.record(node, key, table)
