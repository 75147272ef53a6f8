"""The adapter: dbt-spark's, with Python models on Spark Connect and the lake brought up to date."""

from __future__ import annotations

import contextlib
import sys
import threading
from dataclasses import dataclass, field
from multiprocessing.context import SpawnContext
from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.exceptions import FailedToConnectError
from dbt.adapters.spark.impl import SparkConfig
from dbt_common.contracts.config.base import MergeBehavior
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import cancellation, capabilities, databases, layout
from dbt.adapters.penstock.column_names import NamedColumns
from dbt.adapters.penstock.connections import PenstockConnectionManager, managed_server
from dbt.adapters.penstock.interval_models.input_filter import PenstockRelation
from dbt.adapters.penstock.layout import ArrangedWrites
from dbt.adapters.penstock.microbatches import Microbatches
from dbt.adapters.penstock.passed_tests import ReusedTests
from dbt.adapters.penstock.physical_plans.plan_tests import PhysicalTests
from dbt.adapters.penstock.python_submissions import executions
from dbt.adapters.penstock.python_submissions.connect import ConnectPythonJobHelper
from dbt.adapters.penstock.python_submissions.spark_submit import SparkSubmitPythonJobHelper
from dbt.adapters.penstock.query_checks import CheckedQueries
from dbt.adapters.penstock.relation_lookup import RelationLookup
from dbt.adapters.penstock.source_freshness import SourceFreshness
from dbt.adapters.penstock.table_sizes import TableSizes
from dbt.adapters.penstock.table_writes import TableWriting
from penstock.errors import PenstockError
from penstock.lake import catalog as lake_catalog
from penstock.lake import registration

# Commands that are sure to run SQL: the server starts while dbt still parses.
EARLY = {"build", "run", "test", "seed", "snapshot", "retry", "freshness", "clone", "show"}


@dataclass
class PenstockConfig(SparkConfig):
    """Model configuration: dbt-spark's, with Delta as the default file format."""

    file_format: str = "delta"
    tblproperties: dict[str, str] | None = None
    # Checked by layout.py, in words, when the node runs.
    target_file_size_mb: Any = None
    sorted_within: Any = None
    # Checked by intervals/config.py.
    intervals_per_commit: Any = None
    on_code_change: Any = None
    quarantine_when: Any = None
    reads_before: Any = None
    # Those of the folders and of the model are put together, the nearest one's value winning.
    spark_conf: dict[str, Any] = field(default_factory=dict, metadata=MergeBehavior.Update.meta())


class PenstockAdapter(
    RelationLookup,
    TableWriting,
    ArrangedWrites,
    TableSizes,
    PhysicalTests,
    Microbatches,
    ReusedTests,
    CheckedQueries,
    NamedColumns,
    SourceFreshness,
):
    """Runs SQL over Thrift and Python over Connect, on one server."""

    Relation = PenstockRelation
    ConnectionManager = PenstockConnectionManager
    AdapterSpecificConfigs = PenstockConfig
    CONSTRAINT_SUPPORT = capabilities.CONSTRAINTS
    _capabilities = capabilities.ADAPTER

    def __init__(self, config: Any, mp_context: SpawnContext) -> None:
        super().__init__(config, mp_context)
        credentials = config.credentials
        object.__setattr__(credentials, "project_root", getattr(config, "project_root", "."))
        object.__setattr__(credentials, "target_name", getattr(config, "target_name", None))
        command = getattr(getattr(config, "args", None), "which", None)
        if credentials.managed and command in EARLY:
            threading.Thread(target=self._start_early, args=(credentials,), daemon=True).start()

    @staticmethod
    def _start_early(credentials: Any) -> None:
        # The first statement meets the same error and reports it.
        with contextlib.suppress(FailedToConnectError):
            managed_server(credentials)

    def pre_model_hook(self, config: Any) -> None:
        """Have the node's statements run in a session with its settings; a Python model has its own session."""
        if config.model.resource_type not in ("test", "unit_test"):
            databases.check(config.model)
        if getattr(config.model, "language", "sql") == "python":
            return
        self.check_hints(config.model)
        default = self.config.credentials.file_format
        self.connections.use_conf(layout.session_of(config.model.config, default, config.model.unique_id))

    def post_model_hook(self, config: Any, context: Any) -> None:
        """The node is done, well or not: its thread's next statement has the server's settings again."""
        self.connections.use_conf({})
        # dbt hands a test's whole context over, a model's config.
        if node := getattr(config, "model", None):
            self.interval_failed(node.unique_id)
            self.keep_executed(node.unique_id)

    @property
    def default_python_submission_method(self) -> str:
        return "connect"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        return {"connect": ConnectPythonJobHelper, "spark_submit": SparkSubmitPythonJobHelper}

    def cancel_open_connections(self) -> list[str]:
        """Cancel the statements and the Python models that run: dbt asks for it on Ctrl-C."""
        # First: a commit whose statement is cancelled is no longer under way.
        self.interval_interrupted()
        names = super().cancel_open_connections() or []
        executions.stop_all()
        return names

    def cleanup_connections(self) -> None:
        """End what a command that failed left running, its Python models too; then close the sessions."""
        if sys.exc_info()[0] is not None:
            cancellation.end_node_threads(cancellation.ENDED)
            executions.end_all()
        super().cleanup_connections()

    def submit_python_job(self, parsed_model: dict[str, Any], compiled_code: str) -> AdapterResponse:
        """Run a Python model. It may write any relation, so no cached description outlives it."""
        with self.connections.descriptions.changing(None):
            response: AdapterResponse = super().submit_python_job(parsed_model, compiled_code)
        return response

    def generate_python_submission_response(self, submission_result: Any) -> AdapterResponse:
        return AdapterResponse(_message="OK")

    @available
    def sync_lake(self) -> str:
        """Bring Spark's external tables up to date with the lake's manifest.

        One statement when nothing changed. Called at the start of a run, so that months landed
        since the last one are seen. A project without lake.yml has no lake to publish.

        Returns:
            What was done, in words for the log.
        """
        settings = self.config.credentials.settings
        path = settings.root / "lake.yml"
        if not path.exists():
            return "no lake.yml: nothing to publish"

        def run(sql: str) -> list[tuple[Any, ...]]:
            _, table = self.execute(sql, fetch=True)
            return [tuple(row) for row in table.rows]

        try:
            count = registration.register_tables(
                run, lake_catalog.load(settings.root), settings.lake_dir, settings.lake_uri
            )
        except PenstockError as error:
            raise DbtRuntimeError(str(error)) from None
        return f"{count} statements brought the lake's tables up to date" if count > 1 else "the lake is unchanged"
