"""Files that a node wrote, from the Delta log of its table, if the log is on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from penstock.config.settings import Settings
from penstock.delta import log
from penstock.runs.run_record import NodeRun
from penstock.storage import locations

# Delta writes the time of a commit shortly before dbt records the node's end.
TOLERANCE = timedelta(seconds=1)
FILES = ("numFiles", "numAddedFiles", "numTargetFilesAdded")
ROWS = ("numOutputRows",)


@dataclass(frozen=True)
class WrittenFiles:
    """What the Delta commits of a node wrote. None means unknown.

    Attributes:
        commits: number of commits that added files.
        files: number of data files that the commits added.
        rows: rows of these files.
    """

    commits: int
    files: int | None
    rows: int | None


def log_folder(settings: Settings, relation: str) -> Path | None:
    """Return the folder of a managed table's Delta log, or None if it isn't on this machine.

    Args:
        settings: the settings of the target.
        relation: `schema.table`.
    """
    if locations.scheme(settings.warehouse) or relation.count(".") != 1:
        return None
    schema, table = relation.lower().split(".")
    folder = (
        Path(str(settings.warehouse_dir)) / (table if schema == "default" else f"{schema}.db/{table}") / "_delta_log"
    )
    return folder if folder.is_dir() else None


def read(folder: Path | None, node: NodeRun) -> WrittenFiles | None:
    """Return what a node's commits wrote, or None if the table has no commits of the time when the node ran."""
    if folder is None or node.started is None or node.ended is None:
        return None
    commits = log.metrics_between(folder, node.started - TOLERANCE, node.ended + TOLERANCE)
    return WrittenFiles(_with(commits, FILES), _total(commits, FILES), _total(commits, ROWS)) if commits else None


def _with(commits: list[dict[str, int]], names: tuple[str, ...]) -> int:
    return sum(any(metrics.get(name) for name in names) for metrics in commits)


def _total(commits: list[dict[str, int]], names: tuple[str, ...]) -> int | None:
    counts = [metrics[name] for metrics in commits for name in names if name in metrics]
    return sum(counts) if counts else None
