"""Collect the columns that no SQL of the project states: the columns of seeds, sources and Python models."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.lineage.manifest_nodes import Json, ManifestNodes, is_python

CATALOG = "catalog.json"
Columns = dict[str, str]
# Returns the columns of a relation with their types; no columns if the relation can't be read.
Describe = Callable[[str], Columns]


@dataclass(frozen=True)
class KnownColumns:
    """The columns of relations.

    Attributes:
        columns: for each node, by unique id, its columns with their types. An unknown type is an empty text.
        origins: for each seed, source and Python model, by unique id, the place where its columns were found: `seed
            file`, `lake.yml`, `catalog.json`, `Spark`, `documentation`, or `nowhere` if its columns are unknown.
    """

    columns: dict[str, Columns]
    origins: dict[str, str]

    def summary(self) -> str:
        """Return, as text, the number of relations whose columns were found in each place."""
        counts = Counter(self.origins.values())
        return ", ".join(f"{number} from {name}" for name, number in sorted(counts.items(), key=lambda item: -item[1]))


def collect(
    nodes: ManifestNodes, root: Path, target: Path, of_lake: Mapping[str, Columns], describe: Describe | None
) -> KnownColumns:
    """Return the columns of all seeds, sources and Python models.

    The columns of a relation come from the first of these places that has them: the files of the project,
    `catalog.json`, Spark, the documentation.

    Args:
        nodes: the nodes of the manifest.
        root: the project's folder.
        target: dbt's target folder.
        of_lake: the columns of the lake's tables by the name of the dataset.
        describe: reads the columns of a relation from Spark; None if no server is running.
    """
    catalog = _catalog(target / CATALOG)
    columns: dict[str, Columns] = {}
    origins: dict[str, str] = {}
    for unique_id, node in nodes.by_id.items():
        if node["resource_type"] in ("model", "snapshot") and not is_python(node):
            # The catalog gives the types of structs, and the columns of a `*` over unknown columns.
            if unique_id in catalog:
                columns[unique_id] = catalog[unique_id]
            continue
        candidates = _candidates(node, root, of_lake, catalog.get(unique_id, {}), describe)
        found = next((item for item in candidates if item[1]), None)
        if found is not None:
            origins[unique_id], columns[unique_id] = found
        else:
            origins[unique_id] = "documentation" if nodes.documented(unique_id) else "nowhere"
    return KnownColumns(columns, origins)


def _candidates(
    node: Json, root: Path, of_lake: Mapping[str, Columns], of_catalog: Columns, describe: Describe | None
) -> Iterator[tuple[str, Columns]]:
    """Yield (place, columns found there) of a relation. Spark is last, to query it only if no other place has any."""
    yield "seed file", _seed_header(node, root)
    yield "lake.yml", _lake_columns(node, of_lake)
    yield CATALOG, of_catalog
    if describe is not None and node.get("relation_name"):
        yield "Spark", describe(node["relation_name"])


def _catalog(path: Path) -> dict[str, Columns]:
    try:
        data = json.loads(path.read_text())
        tables = {**data.get("nodes", {}), **data.get("sources", {})}
        return {key: _sorted(table["columns"].values()) for key, table in tables.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def _sorted(columns: Any) -> Columns:
    listed = sorted(columns, key=lambda column: column.get("index") or 0)
    return {str(column["name"]): str(column.get("type") or "") for column in listed}


def _seed_header(node: Json, root: Path) -> Columns:
    """Return the columns in the first line of a seed's file."""
    if node["resource_type"] != "seed":
        return {}
    path = Path(node.get("root_path") or root) / node["original_file_path"]
    config = node.get("config", {})
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=config.get("delimiter") or ","), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    types = {name.lower(): text for name, text in (config.get("column_types") or {}).items()}
    return {name.strip(): str(types.get(name.strip().lower(), "")) for name in header}


def _lake_columns(node: Json, of_lake: Mapping[str, Columns]) -> Columns:
    if node["resource_type"] != "source" or not str(node.get("relation_name")).lower().startswith("lake."):
        return {}
    return of_lake.get(node["name"].lower(), {})
