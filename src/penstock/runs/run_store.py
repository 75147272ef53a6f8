"""Store the records of dbt commands in dbt's target folder, one folder for each command.

`target/runs/RUN_ID/run.json` is the record. Next to it, `plans/` has the captured plans of the nodes that the command
built, in the format of `penstock.plans.plan_store`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan
from penstock.runs import run_record
from penstock.runs.run_record import NodeRun, RunRecord
from penstock.storage import private_files

FOLDER = "runs"
FILE = "run.json"


def folder(target: Path, run_id: str) -> Path:
    """Return the folder of a command's record."""
    return target / FOLDER / run_id


def write(target: Path, record: RunRecord) -> None:
    """Write a record, replacing the command's earlier record atomically."""
    path = folder(target, record.run_id)
    private_files.make_folder(path)
    private_files.write(path / FILE, json.dumps(record.to_json()))


def read(target: Path, run_id: str) -> RunRecord | None:
    """Return a command's record, or None if it is missing or unreadable for this version of penstock."""
    try:
        return run_record.parse(json.loads((folder(target, run_id) / FILE).read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def records(target: Path) -> list[RunRecord]:
    """Return all readable records, the newest first."""
    paths = (target / FOLDER).glob(f"*/{FILE}")
    found = (record for path in paths if (record := read(target, path.parent.name)))
    return sorted(found, key=lambda record: record.started, reverse=True)


def captured_plan(target: Path, node: NodeRun) -> CapturedPlan | None:
    """Return the plan that the running command captured for a node, or None if this command captured none."""
    return plan_store.read(target, node.unique_id) if _is_captured(target, node) else None


def keep_plans(target: Path, record: RunRecord) -> None:
    """Copy a command's captured plans to the folder of its record. Plans of earlier commands are not copied."""
    for node in record.nodes.values():
        if _is_captured(target, node):
            destination = plan_store.path(folder(target, record.run_id), node.unique_id)
            private_files.make_folder(destination.parent)
            shutil.copy(plan_store.path(target, node.unique_id), destination)


def _is_captured(target: Path, node: NodeRun) -> bool:
    """Return whether a plan was captured after a node started."""
    path = plan_store.path(target, node.unique_id)
    return node.started is not None and path.exists() and path.stat().st_mtime >= node.started.timestamp()


def plan(target: Path, run_id: str, node: str) -> CapturedPlan | None:
    """Return the plan of a node in a command, or None if it was not captured."""
    return plan_store.read(folder(target, run_id), node)


def remove_oldest(target: Path, keep: int) -> None:
    """Remove the folders of all but the newest commands. The folder of a running command is never removed.

    Args:
        target: dbt's target folder.
        keep: how many commands to keep.
    """
    for path in sorted(_folders(target), key=_last_written, reverse=True)[keep:]:
        record = read(target, path.name)
        if record is None or not record.is_running:
            shutil.rmtree(path, ignore_errors=True)


def _last_written(path: Path) -> float:
    """Return when a folder changed last; 0 if another command has just removed the folder."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _folders(target: Path) -> Iterator[Path]:
    root = target / FOLDER
    return (path for path in root.iterdir() if path.is_dir()) if root.is_dir() else iter(())
