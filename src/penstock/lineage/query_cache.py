"""Keep the lineage of queries in dbt's target folder, so that only changed models are read again."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.lineage.model_query import QueryLineage
from penstock.lineage.origins import Kind, Origin, Use
from penstock.storage import private_files

FOLDER = "lineage"
FILE = "queries.json"


def load(target: Path) -> dict[str, QueryLineage]:
    """Return the lineage of queries from an earlier command; none if the file is missing or not readable.

    Args:
        target: dbt's target folder.
    """
    try:
        data = json.loads((target / FOLDER / FILE).read_text())
        return {key: _parse(item) for key, item in data.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def save(target: Path, queries: dict[str, QueryLineage]) -> None:
    """Write the lineage of queries. If the folder can't be written, the next command reads all queries again."""
    with suppress(OSError):
        private_files.make_folder(target / FOLDER)
        private_files.write(target / FOLDER / FILE, json.dumps({key: _to_json(item) for key, item in queries.items()}))


def _to_json(query: QueryLineage) -> dict[str, Any]:
    columns = {name: [[o.relation, o.column, o.kind.value] for o in found] for name, found in query.columns.items()}
    uses = [[relation, column, use.value] for relation, column, use in query.uses]
    return {"columns": columns, "uses": uses, "is_complete": query.is_complete}


def _parse(data: dict[str, Any]) -> QueryLineage:
    columns = {
        name: tuple(Origin(relation, column, Kind(kind)) for relation, column, kind in found)
        for name, found in data["columns"].items()
    }
    uses = tuple((relation, column, Use(use)) for relation, column, use in data["uses"])
    return QueryLineage(columns, uses, bool(data["is_complete"]))
