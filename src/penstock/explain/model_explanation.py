"""Explain a model by the plan of its last run, or by the plan with which Spark would start a run now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from penstock.config.profiles import typed_command
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.explain.builder import build_explanation
from penstock.explain.dbt_model import Model
from penstock.explain.explanation import Explanation
from penstock.explain.server_facts import Rows, RunQuery, ServerFacts
from penstock.plans.plan_parser import NotAPlan, parse
from penstock.plans.plan_store import CapturedPlan
from penstock.spark.server import control

EXPLAIN = "explain formatted\n"
CODE_CHANGED = "its code changed since: `--live` explains it as it is now, `dbt run --select {name}` runs it"


def explain_model(settings: Settings, model: Model, live: bool) -> tuple[Explanation, CapturedPlan]:
    """Return the explanation of a model, and the explained plan.

    Args:
        settings: the settings of the target.
        model: the model.
        live: whether to explain the current code, even if the model has run.

    Raises:
        PenstockError: there is no captured plan, and Spark cannot explain the model now.
    """
    captured = None if live else model.captured_plan()
    if captured is not None and captured.plan is None:
        captured = None
    server_runs = _server_runs(settings, model)
    if captured is None:
        if model.is_python:
            do = f"run it first: `dbt run --select {model.name}`"
            raise PenstockError("the plan of a run: a Python model has none before", f"none of {model.name}", do)
        if not server_runs:
            needed = f"a running server, to explain {model.name}"
            raise PenstockError(needed, "none is up, and no plan was captured", f"type `{typed_command('up')}`")
        return _explain_current_code(settings, model, live)
    heading, notes = _describe_run(model, captured)
    if not server_runs:
        no_facts = ServerFacts(None, {})
        no_server = f"no server is up, so the current contents of the tables are unknown (`{typed_command('up')}`)"
        return build_explanation(captured, model.kind, no_facts, heading, (*notes, no_server), False), captured
    with _session(model) as run_query:
        server = ServerFacts(run_query, model.spark_conf)
        return build_explanation(captured, model.kind, server, heading, notes, model.is_stored), captured


def _explain_current_code(settings: Settings, model: Model, live: bool) -> tuple[Explanation, CapturedPlan]:
    compiled = model.compile(settings)
    reason = "as --live asks" if live else "it has not run" if model.is_stored else "a view runs with its readers"
    heading = f"the plan that Spark would begin with now: {reason}"
    with _session(model) as run_query:
        captured = explain_query(compiled, model.with_write_order(compiled.sql), run_query)
        server = ServerFacts(run_query, model.spark_conf)
        return build_explanation(captured, model.kind, server, heading, (), model.is_stored), captured


@contextmanager
def _session(model: Model) -> Iterator[RunQuery]:
    """Yield a function that returns the rows of a statement, in a session with the model's Spark settings."""
    from dbt_common.exceptions import DbtRuntimeError

    def run_query(sql: str) -> Rows:
        try:
            _, cursor = model.adapter.connections.add_query(sql)
            names = [column[0].rsplit(".", 1)[-1] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except PenstockError:
            raise
        except DbtRuntimeError as error:
            message = next((line for line in str(error.msg).splitlines() if line.strip()), "an error")
            do = f"see `dbt compile -s {model.name}`"
            raise PenstockError("an answer to a statement", message.strip(), do) from None

    with model.adapter.connection_named("explain"):
        model.adapter.connections.use_conf(model.spark_conf)
        try:
            yield run_query
        finally:
            model.adapter.connections.use_conf({})
    model.adapter.cleanup_connections()


def _server_runs(settings: Settings, model: Model) -> bool:
    """Return whether a server runs. A server that penstock doesn't manage counts as running."""
    return not model.adapter.config.credentials.managed or control.current(settings) is not None


def _describe_run(model: Model, captured: CapturedPlan) -> tuple[str, tuple[str, ...]]:
    """Return a description of a run's captured plan, and a note if the code has changed since the run."""
    notes = (CODE_CHANGED.format(name=model.name),) if model.has_changed_since(captured) else ()
    executed = captured.executed
    if executed is None:
        return "the plan before its last run: the plan that ran is unknown", notes
    at = f" at {executed.started[:19].replace('T', ' ')} UTC" if executed.started else ""
    return f"the plan that ran{at}: execution {executed.execution} in Spark's UI, {executed.seconds:.1f} s", notes


def explain_query(compiled: CapturedPlan, select: str, run_query: RunQuery) -> CapturedPlan:
    """Return a compiled query together with the plan with which Spark would start the query now.

    Args:
        compiled: the compiled query.
        select: the query in the form that the model's main statement has.
        run_query: returns the rows of a statement.

    Raises:
        PenstockError: Spark can't explain the query.
    """
    rows = run_query(EXPLAIN + select)
    text = "\n".join(str(value) for row in rows for value in row.values())
    try:
        parse(text)
    except NotAPlan:
        # Spark returns an error as several rows: a title, the message, and the query's tree.
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        raise PenstockError(
            f"a plan of {compiled.name}",
            " ".join(lines[1:2] or lines) or "none",
            "correct the model, or build what it reads first",
        ) from None
    return replace(compiled, explained=text)
