"""Which of dbt's tests read several models, none of which is built after all the others."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any


def between_models(manifest: Mapping[str, Any], built: Set[str]) -> list[str]:
    """Names of the tests that no `dbt build --select MODEL --indirect-selection buildable` of one model runs.

    Such a build runs a test when all that the test reads is the model or comes before it.

    Args:
        manifest: dbt's, as in manifest.json.
        built: the unique ids that are built; a test that reads more than these is left out.
    """
    nodes = manifest["nodes"]

    def reads(name: str) -> set[str]:
        return {parent for parent in nodes[name]["depends_on"].get("nodes", ()) if parent in nodes}

    def before(name: str) -> set[str]:
        found: set[str] = set()
        ahead = [name]
        while ahead:
            new = reads(ahead.pop()) - found
            found |= new
            ahead += new
        return found

    tests = [name for name, node in nodes.items() if node["resource_type"] == "test"]
    several = {name: read for name in tests if len(read := reads(name)) > 1 and read <= built}
    return sorted(
        nodes[name]["name"] for name, read in several.items() if not any(read - {last} <= before(last) for last in read)
    )
