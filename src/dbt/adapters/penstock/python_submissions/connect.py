"""`submission_method: connect`: run `model(dbt, session)` in dbt's process and the model's Spark jobs on the server.

Each model has its own session, so its settings and views never affect another model. The same session writes the
result.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import cancellation
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.errors import with_help
from dbt.adapters.penstock.physical_plans import pending_plans
from dbt.adapters.penstock.physical_plans.pending_plans import PendingPlan
from dbt.adapters.penstock.python_submissions import connect_session, executions, jobs, packages
from dbt.adapters.penstock.python_submissions.config import PythonConfig
from penstock.python_runtime import table_replacement
from penstock.python_runtime.model_errors import ModelError
from penstock.python_runtime.runner import run

logger = AdapterLogger("penstock")
# Seconds to wait until a session is closed or a temporary table is dropped. After this time, the run goes on.
CLEANUP_SECONDS = 60


class ModelSession:
    """A model's session. Other threads may interrupt and close the session, even while the model opens it.

    Args:
        opener: opens the session on the calling thread.
    """

    def __init__(self, opener: Callable[[], Any]) -> None:
        # Import here, not on the model's thread. If that thread were stopped during an import, it would leave a
        # half-loaded module.
        import_module("pyspark.sql.connect.session")
        self._opener = opener
        self._lock = threading.Lock()
        self._over = False
        self.session: Any = None

    def open(self) -> Any:
        """Open the session and return it.

        Raises:
            DbtRuntimeError: the model was cancelled while the session opened.
        """
        opened = self._opener()
        with self._lock:
            self.session = opened
            over = self._over
        if over:
            self.close()
            raise DbtRuntimeError(cancellation.CANCELLED)
        return opened

    def interrupt(self) -> None:
        """Cancel the session's jobs. A session that is still being opened is closed as soon as it is open."""
        with self._lock:
            self._over = True
        if self.session is not None:
            self.session.interruptAll()

    def close(self) -> None:
        """Close the session. If the close takes too long, go on without it."""
        with self._lock:
            self._over, opened = True, self.session
        if opened is not None:
            executions.run_at_most(CLEANUP_SECONDS, opened.stop)


class ConnectPythonJobHelper(PythonJobHelper):
    """Runs one model over Spark Connect."""

    def __init__(self, parsed_model: dict[str, Any], credential: PenstockCredentials) -> None:
        self.node = parsed_model
        self.credentials = credential

    def url(self) -> str:
        """Return the server's Spark Connect address (see `connect_session.url`)."""
        return connect_session.url(self.credentials, self.node["name"])

    def submit(self, compiled_code: str) -> Any:
        """Run the model and write the rows that it returns.

        Args:
            compiled_code: the output of the macro `penstock_python_job`.

        Raises:
            DbtRuntimeError: the model's code failed, its configuration is not valid, a package is not installed, or the
                model was stopped by its timeout or cancelled. If the code failed, the error has the user's file, line
                and message.
        """
        name = self.node["name"]
        config = PythonConfig.parse(self.node, self.credentials.file_format)
        packages.require(config.packages, name)
        job = jobs.build(self.node, compiled_code, config, self.credentials)
        address, keep = self.url(), self.credentials.keep_plans
        own = ModelSession(lambda: connect_session.open_session(self.credentials, address, job.node))

        def add_plan(explained: str) -> None:
            session_id = f'session_id: "{own.session.session_id}"'

            def matches(description: str) -> bool:
                return description.startswith("Spark Connect") and session_id in description

            pending_plans.add(job.node, PendingPlan(explained, matches))

        def work() -> None:
            # The session is opened on the model's thread, since pandas-on-Spark uses the thread's active session.
            spark = own.open()
            connect_session.configure(spark, {**self.credentials.server_side_parameters, **config.spark_conf}, name)
            run(job, spark, lambda line: logger.info(f"{name}: {line}"), add_plan if keep else None)

        try:
            alone = job.write.target if job.write.alone else None
            executions.run(name, work, own.interrupt, config.timeout, alone, own.close)
        except DbtRuntimeError:
            drop_temporary_table(self.credentials, job, address)
            raise
        except Exception as error:
            drop_temporary_table(self.credentials, job, address)
            message = str(error) if isinstance(error, ModelError) else f"{name}: {type(error).__name__}: {error}"
            message = connect_session.without_token(message, address)
            raise DbtRuntimeError(with_help(message, message)) from None
        return None


def drop_temporary_table(credentials: PenstockCredentials, job: Any, address: str) -> None:
    """Drop the temporary table of a failed or stopped write.

    If the write has already dropped the old target, keep the temporary table, since then no other table has the rows.
    """
    if job.write.mode != "replace" or (job.layout.atomic and not job.write.exists):
        return

    def drop() -> None:
        other = connect_session.open_session(credentials, address, job.node)
        try:
            if not job.write.exists or other.catalog.tableExists(job.write.target.replace("`", "")):
                other.sql(f"drop table if exists {table_replacement.temporary_name(job.write.target)}")
        finally:
            other.stop()

    executions.run_at_most(CLEANUP_SECONDS, drop)
