"""The column lineage of a project on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.config import profiles
from penstock.config.settings import Settings
from penstock.lineage import compiled_project, graph_builder, known_columns, query_cache
from penstock.lineage.known_columns import Columns, Describe, KnownColumns
from penstock.lineage.lineage_graph import LineageGraph
from penstock.lineage.manifest_nodes import ManifestNodes


@dataclass(frozen=True)
class ProjectLineage:
    """The lineage of a project.

    Attributes:
        nodes: the nodes of dbt's manifest.
        graph: the lineage of all columns.
        known: the columns that no SQL of the project states, and the places where they were found.
    """

    nodes: ManifestNodes
    graph: LineageGraph
    known: KnownColumns


def load(settings: Settings, of_lake: Mapping[str, Columns], describe: Describe | None) -> ProjectLineage:
    """Return the lineage of the project's current code.

    Args:
        settings: the project's settings.
        of_lake: the columns of the lake's tables by the name of the dataset.
        describe: reads the columns of a relation from Spark; None if no server is running.

    Raises:
        PenstockError: there is no dbt project, or dbt can't compile it.
    """
    nodes = ManifestNodes(compiled_project.manifest(settings))
    target = profiles.target_folder(settings.root)
    known = known_columns.collect(nodes, settings.root, target, of_lake, describe)
    cache = query_cache.load(target)
    before = set(cache)
    graph = graph_builder.graph(nodes.manifest, known.columns, cache)
    if set(cache) != before:
        query_cache.save(target, cache)
    return ProjectLineage(nodes, graph, known)
