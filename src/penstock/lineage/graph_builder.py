"""Build the graph of a project's columns from dbt's manifest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from penstock.lineage import declared, model_query, query_scope
from penstock.lineage.lineage_graph import LineageGraph
from penstock.lineage.manifest_nodes import ManifestNodes, is_ephemeral, is_python, label
from penstock.lineage.model_query import QueryLineage
from penstock.lineage.origins import ROWS, Kind, Origin, Use, merged

# For each node, by unique id, the columns of its relation with their types. An unknown type is an empty text.
Schemas = Mapping[str, Mapping[str, str]]
# The lineage of each query, by a hash of the query and of the columns of the relations that it reads.
Cache = MutableMapping[str, QueryLineage]
# Increase this number in a change that gives the same query another lineage, so that no earlier cache is used.
VERSION = 1
# The pattern of dbt's `invocation_id`, which is removed from compiled code: it differs in each run, but doesn't change
# the lineage.
_INVOCATION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def graph(manifest: Any, schemas: Schemas | None = None, cache: Cache | None = None) -> LineageGraph:
    """Return the lineage of all columns of a project, without Spark.

    Args:
        manifest: dbt's manifest with compiled code: parsed manifest.json, or dbt's object.
        schemas: the complete columns of seeds, sources, Python models and, if they are known, other nodes. For a node
            that is missing here, the columns that the manifest documents are used.
        cache: lineage of queries from an earlier call. The function adds the lineage of new queries, and removes
            entries that the project no longer needs.
    """
    parsed = manifest if isinstance(manifest, Mapping) else manifest.writable_manifest().to_dict(omit_none=False)
    return _Builder(ManifestNodes(parsed), schemas or {}, {} if cache is None else cache).build()


class _Builder:
    def __init__(self, nodes: ManifestNodes, schemas: Schemas, cache: Cache) -> None:
        self.nodes, self.cache = nodes, cache
        self.used: set[str] = set()
        # For each node whose columns are completely known, its columns with their types.
        self.types = {
            unique_id: {name.lower(): text.lower() for name, text in columns.items()}
            for unique_id, columns in schemas.items()
            if unique_id in nodes.by_id and columns
        }
        self.columns: dict[str, dict[str, tuple[Origin, ...]]] = {}
        self.uses: dict[str, tuple[tuple[str, str, Use], ...]] = {}

    def build(self) -> LineageGraph:
        for unique_id in self.nodes.in_order():
            if self.nodes.has_contract(unique_id):
                self.types.setdefault(unique_id, self.nodes.documented(unique_id))
            node = self.nodes.by_id[unique_id]
            if is_python(node):
                self.columns[unique_id] = self._python_model(unique_id)
            elif node["resource_type"] in ("model", "snapshot"):
                self.columns[unique_id] = self._sql_model(unique_id)
            else:
                self.columns[unique_id] = dict.fromkeys(self._listed(unique_id), ())
        self._add_missing()
        for key in set(self.cache) - self.used:
            del self.cache[key]
        return LineageGraph(self.columns, self.uses)

    def _listed(self, unique_id: str) -> list[str]:
        """Return the columns of a node that are known without its SQL."""
        return list(self.types.get(unique_id) or self.nodes.documented(unique_id))

    def _python_model(self, unique_id: str) -> dict[str, tuple[Origin, ...]]:
        inputs = self.nodes.inputs(unique_id)
        stated = declared.declared(self.nodes, unique_id, self.columns)
        rest = stated.pop(declared.OTHER_COLUMNS, [])
        names = dict.fromkeys([*self._listed(unique_id), *stated])
        return {
            name: tuple(stated.get(name) or rest or declared.guessed(name, inputs, self.columns)) for name in names
        } or {"*": (Origin("", "the columns of this Python model are unknown; document them", Kind.UNRESOLVED),)}

    def _sql_model(self, unique_id: str) -> dict[str, tuple[Origin, ...]]:
        node = self.nodes.by_id[unique_id]
        found = self._query_lineage(unique_id, node.get("compiled_code") or "")
        columns = {name: merged(map(self._with_node, origins)) for name, origins in found.columns.items()}
        uses = ((self.nodes.by_relation.get(relation), column, use) for relation, column, use in found.uses)
        self.uses[unique_id] = tuple((parent, column, use) for parent, column, use in uses if parent)
        if found.is_complete:
            known = self.types.get(unique_id, {})
            self.types[unique_id] = {name: known.get(name, "") for name in columns}
        if node["resource_type"] == "snapshot":
            added = declared.snapshot_columns(node)
            columns |= added
            if unique_id in self.types:
                self.types[unique_id] = {**dict.fromkeys(added, ""), **self.types[unique_id]}
        for name, origins in declared.declared(self.nodes, unique_id, self.columns).items():
            if any(origin.kind is Kind.UNRESOLVED for origin in columns.get(name, ())) or name not in columns:
                columns[name] = tuple(origins)
        return columns

    def _query_lineage(self, unique_id: str, sql: str) -> QueryLineage:
        documented = self._listed(unique_id)
        if not sql.strip():
            reason = "the manifest has no compiled code of this model; type `dbt compile`"
            return model_query.unreadable(reason, documented)
        types, ephemeral = self._readable(unique_id)
        partial = self._partly_known(unique_id)
        code = _INVOCATION.sub("", sql)
        key = _hash(VERSION, version("sqlglot"), code, types, partial, sorted(ephemeral), documented)
        self.used.add(key)
        if key not in self.cache:
            try:
                self.cache[key] = model_query.read(sql, types, ephemeral, documented, partial)
            except query_scope.UnreadableQuery as error:
                self.cache[key] = model_query.unreadable(f"sqlglot can't read the SQL: {error}", documented)
        return self.cache[key]

    def _readable(self, unique_id: str) -> tuple[dict[str, dict[str, str]], set[str]]:
        """Return the columns of the relations that a model's query can read, and the CTE names of ephemeral models."""
        types: dict[str, dict[str, str]] = {}
        ephemeral: set[str] = set()
        for item in [*self.nodes.inputs(unique_id), unique_id]:
            for relation in self.nodes.relations.get(item, []):
                if item in self.types:
                    types[relation] = dict(self.types[item])
                if is_ephemeral(self.nodes.by_id[item]):
                    ephemeral.add(relation)
        # dbt also adds the CTEs of ephemeral models that an ephemeral model reads.
        waiting = [item for item in self.nodes.inputs(unique_id) if is_ephemeral(self.nodes.by_id[item])]
        while waiting:
            for item in self.nodes.inputs(waiting.pop()):
                if is_ephemeral(self.nodes.by_id[item]):
                    ephemeral.update(self.nodes.relations.get(item, []))
                    waiting.append(item)
        return types, ephemeral

    def _partly_known(self, unique_id: str) -> dict[str, list[str]]:
        """Return the known columns of each input that may have more columns."""
        inputs = [item for item in self.nodes.inputs(unique_id) if item not in self.types]
        return {
            relation: sorted(self.columns.get(item, {}))
            for item in inputs
            for relation in self.nodes.relations.get(item, [])
        }

    def _with_node(self, origin: Origin) -> Origin:
        """Return an origin with the unique id of its relation. If no node has the relation, return UNRESOLVED."""
        if not origin.relation:
            return origin
        unique_id = self.nodes.by_relation.get(origin.relation)
        if unique_id is not None:
            return replace(origin, relation=unique_id)
        reason = f"{origin.relation}.{origin.column}: {origin.relation} is not a ref or source of the project"
        return Origin("", reason, Kind.UNRESOLVED)

    def _add_missing(self) -> None:
        """Add the columns that other columns read, but that were not known."""
        read = {(o.relation, o.column) for columns in self.columns.values() for item in columns.values() for o in item}
        for unique_id, column in sorted(read):
            if not unique_id or column == ROWS or column in self.columns[unique_id]:
                continue
            node = self.nodes.by_id[unique_id]
            is_leaf = node["resource_type"] in ("seed", "source")
            reason = f"{label(node)} is not known to have this column"
            self.columns[unique_id][column] = () if is_leaf else (Origin("", reason, Kind.UNRESOLVED),)


def _hash(*values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
