"""Convert dbt's events, results and manifest entries to the nodes of a run record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timezone
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from dbt.adapters.penstock import databases, node_fingerprint
from penstock import clock
from penstock.runs.run_record import NodeRun

# Nodes that build a relation. Only these nodes have code that can be compared between runs.
BUILDING = ("model", "seed", "snapshot")
TESTS = ("test", "unit_test")
# Names of dbt's artifacts with results. `dbt source freshness` writes the second one.
RESULTS = ("run_results.json", "sources.json")
FRESHNESS_KEYS = ("max_loaded_at", "snapshotted_at", "max_loaded_at_time_ago_in_s")
UNFINISHED = "dbt ended before this node"


def find(manifest: Any, unique_id: str) -> Any:
    """Return a node, unit test or source of dbt's manifest, or None if the manifest has no such entry."""
    for entries in ("nodes", "sources", "unit_tests"):
        if (found := getattr(manifest, entries, {}).get(unique_id)) is not None:
            return found
    return None


def node_run(manifest: Any, unique_id: str) -> NodeRun | None:
    """Return a node that has not run yet, as the manifest describes it, or None if the manifest lacks the node."""
    node = find(manifest, unique_id)
    if node is None:
        return None
    kind = str(node.resource_type)
    return NodeRun(
        unique_id=unique_id,
        name=node.name,
        resource_type=kind,
        materialized=str(node.config.materialized or "") if kind in BUILDING else "",
        language=str(getattr(node, "language", None) or "sql"),
        relation=relation(node) if kind in (*BUILDING, "source") else "",
        code=node_fingerprint.fingerprint(manifest, unique_id) if kind in BUILDING else "",
        depends_on=parents(node),
        tested=_tested(node) if kind in TESTS else [],
    )


def relation(node: Any) -> str:
    """Return the relation of a node or source as `schema.table`.

    Outside of the default catalog, the catalog's name comes first.
    """
    name = node_fingerprint.relation_name(node)
    catalog = databases.other_catalog(node.database, node.schema)
    return f"{catalog.lower()}.{name}" if catalog else name


def parents(node: Any) -> list[str]:
    """Return the unique ids of a node's parents. Seeds and sources have none."""
    return list(getattr(getattr(node, "depends_on", None), "nodes", []))


def _tested(node: Any) -> list[str]:
    attached = getattr(node, "attached_node", None) or getattr(node, "tested_node_unique_id", None)
    return [attached] if attached else parents(node)


def finished(run: NodeRun, result: Any, info: Any, time: str) -> NodeRun:
    """Return a node that has ended.

    Args:
        run: the running node.
        result: the `run_result` of dbt's event.
        info: the `node_info` of dbt's event.
        time: the time of the event.
    """
    times = {
        timing.name: (_timestamp(timing.started_at), _timestamp(timing.completed_at)) for timing in result.timing_info
    }
    return replace(
        _with_times(run, times, utc(info.node_finished_at) or time),
        status=result.status,
        thread=result.thread or run.thread,
        message=result.message,
        failures=result.num_failures if run.resource_type in TESTS else None,
        response=_whole_numbers(MessageToDict(result.adapter_response)),
    )


def hook_finished(run: NodeRun, status: str, info: Any, time: str) -> NodeRun:
    """Return an on-run-start or on-run-end hook that has ended."""
    end = utc(info.node_finished_at) or time
    return replace(_with_times(run, {"execute": (run.compile_started, end)}, end), status=status)


def _with_times(run: NodeRun, times: Mapping[str, tuple[str, str]], end: str) -> NodeRun:
    """Return a node with dbt's times. If the node was skipped or failed to compile, it has no times of execution."""
    compiled, executed = times.get("compile", ("", "")), times.get("execute", ("", ""))
    return replace(
        run,
        compile_started=compiled[0] or run.compile_started,
        compile_ended=compiled[1] or executed[0] or end,
        execute_started=executed[0],
        execute_ended=executed[1],
    )


def utc(text: str) -> str:
    """Return a time of dbt with its time zone.

    All times of dbt are UTC, but in some of them the text lacks the time zone. An empty text stays empty.
    """
    return f"{text}+00:00" if text and not text.endswith("Z") and "+" not in text else text


def _timestamp(value: Any) -> str:
    """Return a protobuf timestamp as ISO 8601. If the timestamp isn't set, the result is empty."""
    return value.ToDatetime(timezone.utc).isoformat() if value.seconds else ""


def _whole_numbers(value: Any) -> Any:
    """Return JSON values of an event, with integers in place of whole floats. In an event, each number is a float."""
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def results(target: Path, run_id: str) -> list[dict[str, Any]]:
    """Return the results in a dbt command's artifacts. The list is empty if another command wrote the artifacts."""
    found: list[dict[str, Any]] = []
    for name in RESULTS:
        try:
            artifact = json.loads((target / name).read_text())
            if artifact["metadata"]["invocation_id"] == run_id:
                found.extend(artifact["results"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def with_result(run: NodeRun, result: Mapping[str, Any]) -> NodeRun:
    """Return a node with the values of its entry in dbt's artifacts, which are more exact than the values in events."""
    times = {
        timing["name"]: (utc(timing.get("started_at") or ""), utc(timing.get("completed_at") or ""))
        for timing in result.get("timing") or []
    }
    end = run.execute_ended or run.compile_ended
    freshness = {key: result[key] for key in FRESHNESS_KEYS if key in result}
    return replace(
        _with_times(run, times, end) if times else run,
        status=str(result["status"]),
        thread=result.get("thread_id") or run.thread,
        message=str(result.get("message") or ""),
        failures=result.get("failures") if run.resource_type in TESTS else None,
        response={**(result.get("adapter_response") or {}), **freshness},
    )


def unfinished(run: NodeRun) -> NodeRun:
    """Return a node that was still running when dbt ended."""
    end = clock.now().isoformat()
    return replace(
        run,
        status="error",
        message=UNFINISHED,
        compile_ended=run.compile_ended or end,
        execute_ended=end if run.execute_started else "",
    )
