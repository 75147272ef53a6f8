"""Lineage that no SQL states: the inputs of Python models, and the columns that dbt adds to snapshots.

The inputs of a Python model are declared in `meta`, or guessed from equal names of columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from penstock.lineage.manifest_nodes import Json, ManifestNodes, label
from penstock.lineage.origins import Kind, Origin

KEY = "lineage"
# The key of `meta.lineage` for all columns that `meta.lineage` doesn't name.
OTHER_COLUMNS = "*"
# https://docs.getdbt.com/docs/build/snapshots#snapshot-meta-fields
SNAPSHOT_COLUMNS = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")
IS_DELETED = "dbt_is_deleted"


def declared(nodes: ManifestNodes, unique_id: str, known: Mapping[str, Collection[str]]) -> dict[str, list[Origin]]:
    """Return the origins that `meta.lineage` of a node and of its columns declares.

    A reference that is wrong becomes an UNRESOLVED origin with the reason.

    Args:
        nodes: the manifest's nodes.
        unique_id: dbt's unique id of the node.
        known: for each input, its columns; empty if they are not known.
    """
    node = nodes.by_id[unique_id]
    given = _meta(node).get(KEY, {})
    if not isinstance(given, Mapping):
        reason = f"`meta.{KEY}` must be a mapping of columns, not {type(given).__name__}"
        return {name: [Origin("", reason, Kind.UNRESOLVED)] for name in nodes.documented(unique_id)}
    of_columns = {
        name: _meta(column)[KEY] for name, column in (node.get("columns") or {}).items() if KEY in _meta(column)
    }
    inputs = {label(nodes.by_id[item]).lower(): item for item in nodes.inputs(unique_id)}
    references = {**of_columns, **given}.items()
    return {str(name).lower(): _origins(item, inputs, known) for name, item in references}


def _meta(node: Json) -> dict[str, Any]:
    """Return `meta` of a node or of a column, which may be in its `config`."""
    return {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}


def _origins(references: Any, inputs: Mapping[str, str], known: Mapping[str, Collection[str]]) -> list[Origin]:
    found = [_origin(reference, inputs, known) for reference in dict.fromkeys(_flat(references))]
    return found or [Origin("", f"declared in `meta.{KEY}` to have no input column", Kind.GENERATED)]


def _flat(references: Any) -> Iterator[str]:
    """Yield the references in a list of lists, as YAML reads `[*others, model.column]` with a list `others`."""
    if isinstance(references, list):
        for item in references:
            yield from _flat(item)
    elif references is not None:
        yield str(references)


def _origin(reference: str, inputs: Mapping[str, str], known: Mapping[str, Collection[str]]) -> Origin:
    name, _, column = reference.lower().rpartition(".")
    unique_id = inputs.get(name)
    if unique_id is None:
        listed = ", ".join(sorted(inputs)) or "none"
        return Origin("", f"`meta.{KEY}` names `{reference}`; the inputs are {listed}", Kind.UNRESOLVED)
    columns = known.get(unique_id)
    if columns and column not in columns and column != "*":
        return Origin("", f"`meta.{KEY}` names `{reference}`, and {name} has no such column", Kind.UNRESOLVED)
    return Origin(unique_id, column, Kind.DECLARED)


def guessed(name: str, inputs: Iterable[str], known: Mapping[str, Collection[str]]) -> list[Origin]:
    """Return the columns of a Python model's inputs that have the same name as a column of the model.

    Args:
        name: the model's column.
        inputs: the unique ids of the inputs.
        known: for each input, its columns.
    """
    found = [Origin(item, name, Kind.GUESSED) for item in inputs if name in known.get(item, ())]
    reason = f"a Python model, and no input has a column of this name; add it to `meta.{KEY}`"
    return found or [Origin("", reason, Kind.UNRESOLVED)]


def snapshot_columns(node: Json) -> dict[str, tuple[Origin, ...]]:
    """Return the columns that dbt adds to a snapshot."""
    config = node.get("config", {})
    renamed = config.get("snapshot_meta_column_names") or {}
    added = [*SNAPSHOT_COLUMNS, *([IS_DELETED] if config.get("hard_deletes") == "new_record" else [])]
    origin = Origin("", "added by dbt's snapshot", Kind.GENERATED)
    return {str(renamed.get(name) or name).lower(): (origin,) for name in added}
