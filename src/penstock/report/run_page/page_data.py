"""The data of the page about one dbt command, as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from penstock import clock
from penstock.config.settings import Settings
from penstock.report.run_page import project_files
from penstock.report.run_page.ledger_facts import LedgerFacts
from penstock.report.run_page.node_data import NodeData
from penstock.report.run_page.node_history import NodeHistory
from penstock.report.run_page.project_files import ProjectFiles
from penstock.report.run_page.run_graph import TESTS, RunGraph
from penstock.report.run_page.times import parse
from penstock.runs import run_store
from penstock.runs.run_record import RunRecord

# For each node and each of its columns, in lower case: the columns that it comes from, as (unique id, column, kind). An
# empty unique id stands for no column; the second part is then an expression, or why the input is not known.
ColumnLineage = Mapping[str, Mapping[str, Sequence[Sequence[str]]]]
SUCCESS, ERROR, RUNNING, INTERRUPTED = "success", "error", "running", "interrupted"


@dataclass(frozen=True)
class Extras:
    """What the page shows besides the command's own files.

    Attributes:
        ledger: intervals and quarantined rows; None if no server was asked.
        lineage: the lineage of columns; empty if unknown.
    """

    ledger: LedgerFacts | None = None
    lineage: ColumnLineage = field(default_factory=dict)


def result(record: RunRecord) -> str:
    """Return the result of a command: `success`, `error`, `running`, or `interrupted` if its process has ended."""
    if record.success is not None:
        return SUCCESS if record.success else ERROR
    return RUNNING if record.is_running else INTERRUPTED


def seconds(record: RunRecord) -> float:
    """Return the duration of a command: until its end, or until now. A killed one lasted until its last node."""
    started = parse(record.started)
    if record.ended:
        ended = parse(record.ended)
    elif result(record) == RUNNING:
        ended = clock.now()
    else:
        ended = max((node.ended for node in record.nodes.values() if node.ended), default=started)
    return max(0.0, (ended - started) / timedelta(seconds=1))


def collect(settings: Settings, target: Path, record: RunRecord, extras: Extras) -> dict[str, Any]:
    """Return the data of a command's page.

    Args:
        settings: the settings of the target.
        target: dbt's target folder.
        record: the command.
        extras: what the page shows besides the command's own files.
    """
    files = project_files.read(target)
    graph = RunGraph(record, files.parents)
    ledger = extras.ledger or LedgerFacts()
    history = NodeHistory(record, run_store.records(target), ledger.past_runs)
    of_node = NodeData(settings, target, record, graph, history)
    nodes = [of_node.collect(name) for name in record.nodes]
    lineage = _lineage(extras.lineage, record.nodes)
    return {
        "run": _run(record),
        "nodes": [{**node, **_project_facts(node["id"], record, files)} for node in nodes],
        "critical": graph.critical_path(),
        "freshness": [asdict(item) for item in files.freshness],
        "ledger": None if extras.ledger is None else ledger.to_json(),
        "lineage": lineage,
        "names": _names(lineage, files),
    }


def _run(record: RunRecord) -> dict[str, Any]:
    return {
        "id": record.run_id,
        "command": record.command,
        "arguments": record.arguments,
        "project": record.project,
        "target": record.target,
        "started": record.started,
        "ended": record.ended,
        "result": result(record),
        "seconds": round(seconds(record), 3),
        "threads": record.threads,
        "node_count": record.node_count,
        "versions": record.versions,
    }


def _project_facts(unique_id: str, record: RunRecord, files: ProjectFiles) -> dict[str, Any]:
    tests = [name for name, node in record.nodes.items() if node.resource_type in TESTS and unique_id in node.tested]
    facts = {
        "description": files.description(unique_id),
        "file": files.file(unique_id),
        "columns": files.columns(unique_id),
        "tests": tests,
        "tested": record.nodes[unique_id].tested,
    }
    return {name: value for name, value in facts.items() if value}


def _lineage(lineage: ColumnLineage, nodes: Iterable[str]) -> dict[str, dict[str, list[Sequence[str]]]]:
    """Return the lineage of the columns of some nodes, and of all columns that these come from."""
    found: dict[str, dict[str, list[Sequence[str]]]] = {}
    waiting = [node for node in nodes if node in lineage]
    while waiting:
        node = waiting.pop()
        found[node] = {column: list(origins) for column, origins in lineage[node].items()}
        parents = {origin[0] for origins in found[node].values() for origin in origins}
        waiting.extend(parent for parent in parents & lineage.keys() if parent not in found)
    return found


def _names(lineage: ColumnLineage, files: ProjectFiles) -> dict[str, str]:
    """Return short names of the nodes that the lineage has as inputs."""
    parents = {origin[0] for columns in lineage.values() for origins in columns.values() for origin in origins}
    return {name: files.short_name(name) for name in sorted(parents - {""})}
