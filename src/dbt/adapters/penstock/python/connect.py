"""`submission_method: connect`: run `model(dbt, session)` here, its work on the server.

Each model has a session of its own, so that one model's settings and views never reach another,
and the write is done in it.
"""

from __future__ import annotations

from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.plans import noting
from dbt.adapters.penstock.plans.noting import Noted
from dbt.adapters.penstock.python import jobs, packages, running, session
from dbt.adapters.penstock.python.config import PythonConfig
from penstock.pymodel import replace
from penstock.pymodel.failure import ModelError
from penstock.pymodel.run import run

logger = AdapterLogger("penstock")
# Seconds after which a session that can't be closed, or a table that can't be dropped, is left behind.
TIDYING = 60


class ConnectPythonJobHelper(PythonJobHelper):
    """Runs one model over Spark Connect."""

    def __init__(self, parsed_model: dict[str, Any], credential: PenstockCredentials) -> None:
        self.node = parsed_model
        self.credentials = credential

    def url(self) -> str:
        """The server's Spark Connect address; see `session.url`."""
        return session.url(self.credentials, self.node["name"])

    def submit(self, compiled_code: str) -> Any:
        """Run the model and write what it returns.

        Args:
            compiled_code: what the macro `penstock_python_job` rendered.

        Raises:
            DbtRuntimeError: with the user's file, line and message when their code failed; or a
                configuration, package, timeout or cancellation in words.
        """
        name = self.node["name"]
        config = PythonConfig.of(self.node, self.credentials.file_format)
        packages.require(config.packages, name)
        job = jobs.build(self.node, compiled_code, config, self.credentials)
        address = self.url()
        opened: list[Any] = []

        def plan(text: str) -> None:
            mark = f'session_id: "{opened[0].session_id}"'
            noting.note(job.node, Noted(text, lambda said: said.startswith("Spark Connect") and mark in said))

        def work() -> None:
            # Opened on the model's thread: pandas-on-Spark takes the thread's active session.
            own = session.open_session(self.credentials, address, job.node)
            opened.append(own)
            session.configure(own, {**self.credentials.server_side_parameters, **config.spark_conf}, name)
            run(job, own, lambda line: logger.info(f"{name}: {line}"), plan if self.credentials.keep_plans else None)

        def cancel() -> None:
            for own in opened:
                own.interruptAll()

        try:
            running.run(name, work, cancel, config.timeout, job.write.target if job.write.alone else None)
        except DbtRuntimeError:
            clear_aside(self.credentials, job, address)
            raise
        except Exception as error:
            clear_aside(self.credentials, job, address)
            words = str(error) if isinstance(error, ModelError) else f"{name}: {type(error).__name__}: {error}"
            raise DbtRuntimeError(session.without_token(words, address)) from None
        finally:
            for own in opened:
                running.at_most(TIDYING, own.stop)
        return None


def clear_aside(credentials: PenstockCredentials, job: Any, address: str) -> None:
    """Drop what a stopped write left beside its target, unless the target is gone already."""
    if job.write.mode != "replace" or (job.layout.atomic and not job.write.exists):
        return

    def clear() -> None:
        other = session.open_session(credentials, address, job.node)
        try:
            if not job.write.exists or other.catalog.tableExists(job.write.target.replace("`", "")):
                other.sql(f"drop table if exists {replace.aside_of(job.write.target)}")
        finally:
            other.stop()

    running.at_most(TIDYING, clear)
