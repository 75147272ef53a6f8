"""Read models, their inputs and deferred relations from dbt's manifest for the interval planner."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbt import selected_resources
from dbt.adapters.penstock import databases, node_fingerprint
from penstock.errors import PenstockError
from penstock.intervals.model_config import IntervalConfig, is_interval
from penstock.intervals.model_graph import GraphModel, ModelInputs
from penstock.intervals.source import IntervalSource


class ManifestGraph:
    """The interval models of a manifest.

    Args:
        manifest: dbt's manifest.
        sources: the interval sources, which are sources whose tables consist of intervals, by schema.
        arguments: dbt's parsed command line.
        exists: returns whether a relation exists. The arguments are the database, schema and name.
        table_format: returns the name of a node's table format. The arguments are `file_format` and the database.
    """

    def __init__(
        self,
        manifest: Any,
        sources: Mapping[str, IntervalSource],
        arguments: Any,
        exists: Callable[[Any, str, str], bool],
        table_format: Callable[[str | None, str | None], str] = lambda name, database: "delta",
    ) -> None:
        self._manifest, self._sources, self._arguments, self._exists = manifest, sources, arguments, exists
        self._table_format = table_format

    def model(self, unique_id: str) -> GraphModel:
        """Return the name, relation and interval configuration of a model.

        Raises:
            PenstockError: the model's configuration is not valid.
        """
        node = self._manifest.nodes[unique_id]
        return self._model(node, node)

    def _model(self, node: Any, table: Any) -> GraphModel:
        """Return a model with its table in this environment (`table` is `node` itself) or in another environment."""
        config = node.config.to_dict(omit_none=True)
        table_format = self._table_format(config.get("file_format"), table.database)
        return GraphModel(node.name, _relation(table), IntervalConfig.parse(config, node.name), table_format)

    def deferred_model(self, unique_id: str) -> GraphModel | None:
        """Return a model with its relation in another environment, if `--defer` makes `ref` read that relation.

        Otherwise, `ref` reads the relation in this environment, and the result is None.
        """
        node, arguments = self._manifest.nodes[unique_id], self._arguments
        deferred = getattr(node, "defer_relation", None)
        if not deferred or not getattr(arguments, "defer", False):
            return None
        favored = getattr(arguments, "favor_state", False) and unique_id not in selected_resources.SELECTED_RESOURCES
        if favored or not self._exists(node.database, node.schema, node.alias):
            return self._model(node, deferred)
        return None

    def inputs(self, unique_id: str) -> ModelInputs:
        """Return the inputs of a model.

        Raises:
            PenstockError: no input has intervals, or a name in `reads_before` is not an upstream interval model.
        """
        inputs: dict[str, set[Any]] = {"source": set(), "model": set(), "other": set()}
        for kind, name in self._inputs(unique_id):
            inputs[kind].add(name)
        sources, models, others = inputs.values()
        node = self._manifest.nodes[unique_id]
        own = {name for name in models if name in node.depends_on.nodes}
        names = self.model(unique_id).config.before
        before = {name for name in own if self._name(name) in names}
        if missing := sorted(set(names) - {self._name(name) for name in before}):
            raise PenstockError(
                f"models of the strategy interval that {node.name} refers to as its reads_before",
                ", ".join(missing),
                f"name some of {', '.join(sorted(map(self._name, own))) or 'none'}",
            )
        models -= before
        if not sources and not models:
            reads = ", ".join(sorted(item.rsplit(".", 1)[-1] for item in node.depends_on.nodes)) or "nothing"
            raise PenstockError(
                f"an input of {node.name} (strategy interval) that has intervals: a dataset of the lake, or a model "
                "of the same strategy",
                reads,
                "read one of those, directly or through views, or use another incremental_strategy",
                entry="an-interval-model-without-intervals-to-read",
            )
        code = fingerprint(self._manifest, unique_id, others)
        return ModelInputs(tuple(sorted(sources)), tuple(sorted(models)), tuple(sorted(before)), code)

    def _name(self, unique_id: str) -> str:
        return str(self._manifest.nodes[unique_id].name)

    def _inputs(self, unique_id: str) -> Iterator[tuple[str, Any]]:
        """Yield (kind, name) of each input of a node. Instead of a view, yield the view's own inputs."""
        for parent in self._manifest.nodes[unique_id].depends_on.nodes:
            source, node = self._manifest.sources.get(parent), self._manifest.nodes.get(parent)
            if source is not None:
                schema, table = source.schema.lower(), source.identifier.lower()
                known = schema in self._sources and self._sources[schema].has_intervals(table)
                yield ("source", (schema, table)) if known else ("other", parent)
            elif node is None:
                continue
            elif is_interval(node):
                yield "model", parent
            elif node_fingerprint.is_stored(node):
                yield "other", parent
            else:
                yield from self._inputs(parent)


def _relation(node: Any) -> str:
    """Return the name of a node's relation. Outside of the default catalog, the name begins with the catalog."""
    name, catalog = node_fingerprint.relation_name(node), databases.other_catalog(node.database, node.schema)
    return f"{catalog}.{name}" if catalog else name


def fingerprint(manifest: Any, unique_id: str, others: set[str]) -> str:
    """Return the fingerprint of a model.

    The fingerprint includes the model's code and the fingerprints of the inputs that have no intervals.

    Args:
        manifest: dbt's manifest.
        unique_id: dbt's unique id of the model.
        others: the unique ids of the inputs that have no intervals.
    """
    digest = hashlib.sha256(node_fingerprint.fingerprint(manifest, unique_id).encode())
    for name in sorted(others):
        digest.update(_input_fingerprint(manifest, name, set()).encode())
    return digest.hexdigest()[:16]


def _input_fingerprint(manifest: Any, name: str, seen: set[str]) -> str:
    """Return the fingerprint of an input that has no intervals.

    For a model, the fingerprint includes the code of the model and the fingerprints of the model's inputs. For a
    seed or snapshot, the fingerprint is the checksum in the manifest. For a source, the fingerprint is the unique id.
    """
    node = manifest.nodes.get(name)
    if node is None or name in seen:
        return name
    seen.add(name)
    if node.resource_type != "model":
        return str(node.checksum.checksum)
    parents = "".join(_input_fingerprint(manifest, parent, seen) for parent in sorted(node.depends_on.nodes))
    return node_fingerprint.fingerprint(manifest, name) + parents
