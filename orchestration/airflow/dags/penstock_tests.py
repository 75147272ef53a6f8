"""dbt tests that no build of a single model runs: they read several models, none of which is built last."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any


def between_models(manifest: Mapping[str, Any], built: Set[str]) -> list[str]:
    """Return the names of tests that no `dbt build --select MODEL --indirect-selection buildable` runs.

    Such a build runs a test if everything that the test reads is the model or upstream of it.

    Args:
        manifest: dbt's manifest.json.
        built: unique ids of the nodes that are built; a test that reads other nodes is left out.
    """
    nodes = manifest["nodes"]

    def parents(name: str) -> set[str]:
        return {parent for parent in nodes[name]["depends_on"].get("nodes", ()) if parent in nodes}

    def ancestors(name: str) -> set[str]:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            new = parents(waiting.pop()) - seen
            seen |= new
            waiting += new
        return seen

    tests = [name for name, node in nodes.items() if node["resource_type"] == "test"]
    several = {name: read for name in tests if len(read := parents(name)) > 1 and read <= built}
    return sorted(
        nodes[name]["name"]
        for name, read in several.items()
        if not any(read - {last} <= ancestors(last) for last in read)
    )
