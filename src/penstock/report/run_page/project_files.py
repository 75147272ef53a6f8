"""What dbt's files in the target folder say about the project: descriptions, columns, parents, source freshness."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SourceFreshness:
    """The freshness of one source, as `dbt source freshness` measured it.

    Attributes:
        source: `source_name.table`.
        status: `pass`, `warn`, `error` or `runtime error`.
        loaded: time of the newest row, as ISO 8601; empty if unknown.
        age: seconds from the newest row to the measurement; None if unknown.
        measured: time of the measurement, as ISO 8601.
        limits: the limits, as in `warn after 12 hour`.
    """

    source: str
    status: str
    loaded: str
    age: float | None
    measured: str
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectFiles:
    """What dbt's files say about the project. A missing or unreadable file leaves its part empty.

    Attributes:
        nodes: the nodes and sources of the manifest, by unique id.
        freshness: the sources of the last `dbt source freshness`.
    """

    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    freshness: tuple[SourceFreshness, ...] = ()

    @property
    def parents(self) -> dict[str, list[str]]:
        """Return the parents of each node."""
        return {name: list(node.get("depends_on", {}).get("nodes", [])) for name, node in self.nodes.items()}

    def description(self, unique_id: str) -> str:
        """Return a node's description; empty if it has none."""
        return str(self.nodes.get(unique_id, {}).get("description") or "")

    def columns(self, unique_id: str) -> dict[str, str]:
        """Return the description of each column that the project describes."""
        columns = self.nodes.get(unique_id, {}).get("columns") or {}
        return {str(item.get("name") or name): str(item.get("description") or "") for name, item in columns.items()}

    def file(self, unique_id: str) -> str:
        """Return the path of a node's file in the project; empty if unknown."""
        return str(self.nodes.get(unique_id, {}).get("original_file_path") or "")

    def short_name(self, unique_id: str) -> str:
        """Return a short name of a node or source for readers."""
        node = self.nodes.get(unique_id, {})
        return f"{node['source_name']}.{node['name']}" if "source_name" in node else unique_id.split(".")[-1]

    def relation_of(self, model: str) -> str:
        """Return the table of a model by the model's name, `schema.table`; empty if the project has no such model."""
        found = (node for node in self.nodes.values() if node.get("resource_type") == "model" and node["name"] == model)
        return next((f"{node['schema']}.{node['alias']}" for node in found), "")


def read(target: Path) -> ProjectFiles:
    """Return what the files in dbt's target folder say."""
    manifest, freshness = _json(target / "manifest.json"), _json(target / "sources.json")
    files = ProjectFiles({**manifest.get("nodes", {}), **manifest.get("sources", {})})
    results = freshness.get("results", [])
    return ProjectFiles(files.nodes, tuple(_source_freshness(files, item) for item in results))


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _source_freshness(files: ProjectFiles, result: Mapping[str, Any]) -> SourceFreshness:
    criteria = result.get("criteria") or {}
    limits = tuple(
        f"{name.replace('_after', ' after')} {limit['count']} {limit['period']}"
        for name in ("warn_after", "error_after")
        if (limit := criteria.get(name)) and limit.get("count")
    )
    return SourceFreshness(
        files.short_name(str(result.get("unique_id", ""))),
        str(result.get("status", "")),
        str(result.get("max_loaded_at") or ""),
        result.get("max_loaded_at_time_ago_in_s"),
        str(result.get("snapshotted_at") or ""),
        limits,
    )
