"""dbt-spark's adapter, extended by Python models on Spark Connect, interval models and tests of physical plans."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from multiprocessing.context import SpawnContext
from typing import Any

from dbt.adapters.base import BaseRelation, PythonJobHelper
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.exceptions import FailedToConnectError

from dbt.adapters.penstock import (
    artifact_copies,
    cancellation,
    capabilities,
    layout,
    microbatches,
    relation,
    source_freshness,
)
from dbt.adapters.penstock.catalog_checks import CatalogChecks
from dbt.adapters.penstock.columns import ColumnReader, PenstockColumn
from dbt.adapters.penstock.connections import PenstockConnectionManager, managed_server
from dbt.adapters.penstock.docs_catalog import DocsCatalog
from dbt.adapters.penstock.interval_models.runner import IntervalRunner
from dbt.adapters.penstock.node_config import PenstockConfig
from dbt.adapters.penstock.physical_plans.capture import PlanCapture
from dbt.adapters.penstock.physical_plans.plan_tests import PhysicalTests
from dbt.adapters.penstock.python_submissions import executions
from dbt.adapters.penstock.python_submissions.connect import ConnectPythonJobHelper
from dbt.adapters.penstock.python_submissions.spark_submit import SparkSubmitPythonJobHelper
from dbt.adapters.penstock.query_checks import QueryChecks
from dbt.adapters.penstock.relation_lookup import RelationLookup
from dbt.adapters.penstock.relation_methods import RelationMethods
from dbt.adapters.penstock.reused_tests import ReusedTests
from dbt.adapters.penstock.run_records import command_events
from dbt.adapters.penstock.table_writes import TableWriter

# Commands that always run SQL. For these commands the server starts while dbt still parses the project.
SQL_COMMANDS = {"build", "run", "test", "seed", "snapshot", "retry", "freshness", "clone", "show"}


class PenstockAdapter(RelationMethods):
    """Runs SQL over Thrift and Python over Spark Connect, on one server.

    This class overrides dbt's methods for nodes. RelationMethods overrides dbt's methods for relations, and
    MacroMethods has the methods that macros call. The methods of all three classes call the objects that `__init__`
    creates.
    """

    Relation = relation.PenstockRelation
    Column = PenstockColumn
    ConnectionManager = PenstockConnectionManager
    AdapterSpecificConfigs = PenstockConfig
    CONSTRAINT_SUPPORT = capabilities.CONSTRAINTS
    _capabilities = capabilities.ADAPTER

    def __init__(self, config: Any, mp_context: SpawnContext) -> None:
        super().__init__(config, mp_context)
        self.catalogs = CatalogChecks(self)
        self.lookup = RelationLookup(self, self.catalogs)
        self.docs_catalog = DocsCatalog(self, self.lookup)
        self.columns = ColumnReader(self)
        self.query_checks = QueryChecks(self, self.columns)
        self.writer = TableWriter(self)
        self.plans = PlanCapture(self)
        self.physical_tests = PhysicalTests(self, self.plans)
        self.intervals = IntervalRunner(self)
        self.reused_tests = ReusedTests(self, self.lookup, self.intervals)
        credentials = config.credentials
        object.__setattr__(credentials, "project_root", getattr(config, "project_root", "."))
        object.__setattr__(credentials, "target_name", getattr(config, "target_name", None))
        artifact_copies.write_after_command(config)
        command_events.follow(self, config)
        command = getattr(getattr(config, "args", None), "which", None)
        if credentials.managed and command in SQL_COMMANDS:
            threading.Thread(target=self._start_early, args=(credentials,), daemon=True).start()

    @staticmethod
    def _start_early(credentials: Any) -> None:
        # The first statement will raise the same error.
        with contextlib.suppress(FailedToConnectError):
            managed_server(credentials)

    # Nodes

    @contextlib.contextmanager
    def connection_named(
        self, name: str, query_header_context: Any = None, should_release_connection: bool = True
    ) -> Iterator[None]:
        """Give a node, or one batch of a microbatch model, its own connection while a `with` block runs."""
        with (
            relation.compiling(query_header_context),
            super().connection_named(name, query_header_context, should_release_connection),
            microbatches.log_errors(self, name, query_header_context),
        ):
            yield

    def pre_model_hook(self, config: Any) -> None:
        """Check a node, and choose the session settings for the node's SQL. A Python model has its own session."""
        self.catalogs.check_node(config.model, self.get_macro_resolver())
        if getattr(config.model, "language", "sql") == "python":
            return
        self.plans.check_hints(config.model)
        default = self.writer.default_format(config.model.database)
        self.connections.use_conf(layout.session_settings(config.model.config, default, config.model.unique_id))

    def post_model_hook(self, config: Any, context: Any) -> None:
        """Reset the thread's session settings after a node, record a failed commit, and store the node's plan."""
        self.connections.use_conf({})
        # For a model, `config` has the attribute `model`. For a test, dbt passes a dictionary without that attribute.
        if node := getattr(config, "model", None):
            self.intervals.record_failed(node.unique_id)
            self.plans.finish_node(node.unique_id)

    def execute(self, sql: str, *arguments: Any, **options: Any) -> Any:
        """Send a statement. If the statement is auxiliary, first add the comment that marks auxiliary statements."""
        return super().execute(self.plans.mark(sql), *arguments, **options)

    def cancel_open_connections(self) -> list[str]:
        """Cancel the running statements and Python models. dbt calls this method on Ctrl-C."""
        # Log the running commits first. After a commit's statement is cancelled, the commit no longer counts as
        # running.
        self.intervals.log_interrupted()
        names = super().cancel_open_connections() or []
        executions.stop_all()
        return names

    def cleanup_connections(self) -> None:
        """Close the sessions, and save which tests passed.

        After a failure, first stop the running Python models. After a success, wait at the end until the executed plans
        of all nodes are fetched.
        """
        failed = sys.exc_info()[0] is not None
        if failed:
            cancellation.end_node_threads(cancellation.ENDED)
            executions.end_all()
        super().cleanup_connections()
        self.reused_tests.save()
        if not failed:
            self.plans.wait()

    # Python models

    @property
    def default_python_submission_method(self) -> str:
        return "connect"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        return {"connect": ConnectPythonJobHelper, "spark_submit": SparkSubmitPythonJobHelper}

    def submit_python_job(self, parsed_model: dict[str, Any], compiled_code: str) -> AdapterResponse:
        """Run a Python model. The model may change any relation, so all cached descriptions are dropped."""
        default = {"file_format": self.writer.default_format(parsed_model.get("database"))}
        config = {**default, **{key: value for key, value in parsed_model["config"].items() if value is not None}}
        with self.connections.descriptions.changing(None):
            return super().submit_python_job({**parsed_model, "config": config}, compiled_code)

    def generate_python_submission_response(self, submission_result: Any) -> AdapterResponse:
        return AdapterResponse(_message="OK")

    # Snapshots, strategies and sources

    @available.parse_none
    def assert_valid_snapshot_target_given_strategy(
        self, relation: BaseRelation, column_names: dict[str, str], strategy: Any
    ) -> None:
        """Check that a table is a snapshot of this strategy.

        dbt reads the table's column names in lower case, so the expected names must be in lower case too.
        """
        lower_case = {key: name and name.lower() for key, name in column_names.items()}
        super().assert_valid_snapshot_target_given_strategy(relation, lower_case, strategy)

    def valid_incremental_strategies(self) -> list[str]:
        """Return the incremental strategies. A table format may support fewer (`TableFormat.strategies`)."""
        return ["append", "merge", "insert_overwrite", "microbatch", "interval"]

    def _create_freshness_response(self, last_modified: Any, snapshotted_at: Any) -> Any:
        return super()._create_freshness_response(source_freshness.loaded_at(last_modified), snapshotted_at)

    def calculate_freshness(self, source: BaseRelation, loaded_at_field: str, *arguments: Any, **options: Any) -> Any:
        """Return a source's freshness, computed from `loaded_at_field`.

        Raises:
            AdapterError: the source's catalog cannot be used, or the column is neither a date nor a timestamp.
        """
        if source.database:
            self.catalogs.check(source.database, f"the freshness of {source}")
        advice = f"set loaded_at_field to an expression that is one, such as cast({loaded_at_field} as timestamp)"
        with source_freshness.checked_time(source, f"loaded_at_field {loaded_at_field}", advice):
            return super().calculate_freshness(source, loaded_at_field, *arguments, **options)

    def calculate_freshness_from_custom_sql(
        self, source: BaseRelation, sql: str, *arguments: Any, **options: Any
    ) -> Any:
        """Return a source's freshness, computed with `loaded_at_query`.

        Raises:
            AdapterError: the query returns neither a date nor a timestamp.
        """
        with source_freshness.checked_time(source, "loaded_at_query", "cast its column to timestamp"):
            return super().calculate_freshness_from_custom_sql(source, sql, *arguments, **options)
