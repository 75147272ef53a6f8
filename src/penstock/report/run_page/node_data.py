"""The part of the page's data about one node."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.explain import picture
from penstock.explain.builder import build_explanation
from penstock.explain.server_facts import ServerFacts
from penstock.plans.plan_parser import NotAPlan, parse
from penstock.plans.plan_store import CapturedPlan
from penstock.report.run_page import operator_changes, written_files
from penstock.report.run_page.node_history import NodeHistory
from penstock.report.run_page.node_metrics import NodeMetrics, belongs_to, measure
from penstock.report.run_page.run_graph import RunGraph
from penstock.report.run_page.times import parse as parse_time
from penstock.report.run_page.times import seconds_between
from penstock.report.run_page.written_files import WrittenFiles
from penstock.runs import run_store
from penstock.runs.run_record import NodeRun, RunRecord

# Differences of less than this share and this many seconds are noise.
NOISE_SHARE, NOISE_SECONDS = 0.1, 0.5


class NodeData:
    """Collects the data of the nodes of one command.

    Args:
        settings: the settings of the target.
        target: dbt's target folder.
        record: the command.
        graph: the order of its nodes.
        history: the earlier runs.
    """

    def __init__(
        self, settings: Settings, target: Path, record: RunRecord, graph: RunGraph, history: NodeHistory
    ) -> None:
        self._settings, self._target, self._record = settings, target, record
        self._graph, self._history = graph, history
        self._origin = parse_time(record.started)

    def collect(self, unique_id: str) -> dict[str, Any]:
        """Return what the page shows about a node, without what it lacks."""
        node = self._record.nodes[unique_id]
        captured = self._captured_plan(node)
        metrics = measure(node, captured)
        written = written_files.read(written_files.log_folder(self._settings, node.relation), node)
        rows_out = _rows_out(node, written, metrics)
        figures = {
            **{name: value for name, value in asdict(metrics).items() if name != "rows_out"},
            "rows_out": rows_out,
            "files": written.files if written else None,
            "commits": written.commits if written else None,
        }
        data = {
            "id": unique_id,
            "name": node.name,
            "type": node.resource_type,
            "status": node.status,
            "materialized": node.materialized,
            "language": node.language,
            "relation": node.relation,
            "thread": node.thread,
            "message": "" if node.message in ("OK", "SUCCESS") else node.message,
            "failures": node.failures,
            **self._times(node, metrics, unique_id),
            **figures,
            "history": [asdict(item) for item in self._history.runs(unique_id)],
            "before": self._before(node, captured, rows_out),
            "plan": self._plan(node, captured),
        }
        return {name: value for name, value in data.items() if value not in (None, "", [], {})}

    def _captured_plan(self, node: NodeRun) -> CapturedPlan | None:
        """Return a node's plan. While the command runs, it is still among the plans of the nodes' last runs."""
        if self._record.is_running:
            return run_store.captured_plan(self._target, node)
        return run_store.plan(self._target, self._record.run_id, node.unique_id)

    def _offset(self, time: datetime | None) -> float | None:
        return round((time - self._origin) / timedelta(seconds=1), 3) if time else None

    def _times(self, node: NodeRun, metrics: NodeMetrics, unique_id: str) -> dict[str, Any]:
        execution = seconds_between(node.execute_started, node.execute_ended)
        waiting = None
        if execution is not None and metrics.spark_seconds is not None:
            waiting = round(max(0.0, execution - metrics.spark_seconds), 3)
        return {
            "start": self._offset(node.started),
            "end": self._offset(node.ended),
            "seconds": round(node.seconds, 3) if node.ended else None,
            "queue": self._graph.queue_seconds(unique_id),
            "compile": seconds_between(node.compile_started, node.compile_ended),
            "execution": execution,
            "waiting": waiting,
        }

    def _before(self, node: NodeRun, captured: CapturedPlan | None, rows: int | None) -> dict[str, Any] | None:
        """Return how a node's run differs from the run before, or None if no earlier run is kept."""
        record = self._run_before(node, captured)
        if record is None:
            return None
        past = record.nodes[node.unique_id]
        past_plan = run_store.plan(self._target, record.run_id, node.unique_id)
        written = written_files.read(written_files.log_folder(self._settings, past.relation), past)
        past_rows = _rows_out(past, written, measure(past, past_plan))
        change = node.seconds - past.seconds
        return {
            "run": record.run_id,
            "started": record.started,
            "status": past.status,
            "seconds": round(past.seconds, 3),
            "rows_out": past_rows,
            "slower": bool(node.ended) and abs(change) > max(NOISE_SECONDS, NOISE_SHARE * past.seconds),
            "code_changed": bool(node.code and past.code and node.code != past.code),
            "rows_changed": rows is not None and past_rows is not None and rows != past_rows,
            "plan": _operator_changes(past_plan, captured),
        }

    def _run_before(self, node: NodeRun, captured: CapturedPlan | None) -> RunRecord | None:
        """Return the command to compare a node's run with.

        An interval model whose intervals are all up to date has no plan. Such a run can't be compared with one that
        built intervals.
        """
        earlier = self._history.earlier(node.unique_id)
        with_plan = (item for item in earlier if run_store.plan(self._target, item.run_id, node.unique_id))
        found = next(with_plan, None) if captured else None
        return found or next(iter(earlier), None)

    def _plan(self, node: NodeRun, captured: CapturedPlan | None) -> dict[str, Any] | None:
        """Return the picture of a node's plan, its text and its expensive parts."""
        executed = captured.executed if captured else None
        if captured is None or not (executed or captured.explained):
            return None
        heading = f"the plan that ran in {executed.seconds:.1f} s" if executed else "the plan before the run"
        if executed and not belongs_to(node, executed):
            heading = "the plan of an earlier run; this run had nothing to build"
        try:
            explanation = build_explanation(captured, node.materialized, ServerFacts(None, {}), heading, (), False)
        except NotAPlan:
            return None
        text = executed.plan if executed else captured.explained
        return {"heading": heading, "svg": picture.svg(explanation), "text": text, "warnings": explanation.warnings}


def _rows_out(node: NodeRun, written: WrittenFiles | None, metrics: NodeMetrics) -> int | None:
    """Return the rows that a node wrote: by its record, else by the log of its table, else by its plan."""
    counts = (node.rows, written.rows if written else None, metrics.rows_out)
    return next((rows for rows in counts if rows is not None), None)


def _operator_changes(before: CapturedPlan | None, after: CapturedPlan | None) -> list[str]:
    """Return how a plan changed, if both commands captured the same kind of plan."""
    if before is None or after is None:
        return []
    if before.executed and after.executed:
        texts = before.executed.plan, after.executed.plan
    else:
        texts = before.explained, after.explained
    try:
        return operator_changes.describe(parse(texts[0]), parse(texts[1])) if all(texts) else []
    except NotAPlan:
        return []
