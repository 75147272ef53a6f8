"""What an interval model reads, by the manifest: inputs that have intervals, and all the rest as part of its code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import node_fingerprint as code
from dbt.adapters.penstock.error_messages import in_three
from dbt.adapters.penstock.interval_models.config import is_interval
from penstock.lake.catalog import MANIFEST, SCHEMA


@dataclass(frozen=True)
class ModelInputs:
    """The inputs of an interval model, seen through views.

    Attributes:
        datasets: of the lake, whose months the manifest knows.
        models: unique ids of interval models, whose intervals the ledger knows.
        before: those of them of which an interval reads all earlier ones.
        code: fingerprint of the model, of the views it reads, and of whatever it reads that has no
            intervals: seeds by their content, other tables by their code.
    """

    datasets: tuple[str, ...]
    models: tuple[str, ...]
    before: tuple[str, ...]
    code: str


def find(manifest: Any, node_id: str, before: tuple[str, ...] = ()) -> ModelInputs:
    """The inputs of an interval model.

    Args:
        manifest: dbt's.
        node_id: the model's unique id.
        before: names of the models of which it reads all earlier intervals.

    Raises:
        DbtRuntimeError: none of them has intervals, so nothing would ever tell which ones changed; or
            one of `before` isn't a model with intervals that it refers to.
    """
    found: dict[str, set[str]] = {"dataset": set(), "model": set(), "other": set()}
    for kind, name in _read(manifest, node_id):
        found[kind].add(name)
    datasets, models, others = found.values()
    node = manifest.nodes[node_id]
    own = {name for name in models if name in node.depends_on.nodes}
    earlier = {name for name in own if manifest.nodes[name].name in before}
    if missing := sorted(set(before) - {manifest.nodes[name].name for name in earlier}):
        raise DbtRuntimeError(
            in_three(
                f"models of the strategy interval that {node.name} refers to as its reads_before",
                ", ".join(missing),
                f"name some of {', '.join(sorted(manifest.nodes[name].name for name in own)) or 'none'}",
            )
        )
    models -= earlier
    if not datasets and not models:
        reads = ", ".join(sorted(item.rsplit(".", 1)[-1] for item in node.depends_on.nodes)) or "nothing"
        raise DbtRuntimeError(
            in_three(
                f"an input of {node.name} (strategy interval) that has intervals: a dataset of the lake, or a model "
                "of the same strategy",
                reads,
                "read one of those, directly or through views, or use another incremental_strategy",
            )
        )
    code_of_all = fingerprint(manifest, node_id, others)
    return ModelInputs(tuple(sorted(datasets)), tuple(sorted(models)), tuple(sorted(earlier)), code_of_all)


def fingerprint(manifest: Any, node_id: str, others: set[str]) -> str:
    """Of a model's code together with that of its inputs without intervals."""
    digest = hashlib.sha256(code.fingerprint(manifest, node_id).encode())
    for name in sorted(others):
        digest.update(_of_other(manifest, name, set()).encode())
    return digest.hexdigest()[:16]


def _of_other(manifest: Any, name: str, seen: set[str]) -> str:
    """Of an input without intervals: a seed's content, a table's code and that of what it reads."""
    node = manifest.nodes.get(name)
    if node is None or name in seen:
        return name
    seen.add(name)
    if node.resource_type != "model":
        return str(node.checksum.checksum)
    parents = "".join(_of_other(manifest, parent, seen) for parent in sorted(node.depends_on.nodes))
    return code.fingerprint(manifest, name) + parents


def _read(manifest: Any, node_id: str) -> Iterator[tuple[str, str]]:
    """(kind, name) of each input behind a node's views."""
    for parent in manifest.nodes[node_id].depends_on.nodes:
        source, node = manifest.sources.get(parent), manifest.nodes.get(parent)
        if source is not None:
            in_lake = source.schema.lower() == SCHEMA and source.identifier.lower() != MANIFEST
            yield ("dataset", source.identifier.lower()) if in_lake else ("other", parent)
        elif node is None:
            continue
        elif is_interval(node):
            yield "model", parent
        elif code.is_stored(node):
            yield "other", parent
        else:
            yield from _read(manifest, parent)
