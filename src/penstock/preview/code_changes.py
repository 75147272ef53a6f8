"""Find the nodes whose code differs from the code that the last run built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbt.adapters.penstock import node_fingerprint
from penstock.errors import PenstockError
from penstock.plans import plan_store
from penstock.preview.content import Code
from penstock.preview.warehouse import Warehouse
from penstock.runs import run_store

SUCCESS = "success"


class BuiltCode:
    """The fingerprints of the code that built the tables of a target.

    Args:
        manifest: dbt's manifest.
        target_folder: dbt's target folder, which has the records of runs and the captured plans.
        target: name of the target.
    """

    def __init__(self, manifest: Any, target_folder: Path, target: str) -> None:
        self._manifest, self._folder = manifest, target_folder
        self._recorded: dict[str, tuple[str, str]] = {}
        for record in run_store.records(target_folder):
            if record.target == target:
                for node in record.nodes.values():
                    if node.status == SUCCESS and node.code:
                        self._recorded.setdefault(node.unique_id, (node.relation.lower(), node.code))

    def compare(self, unique_id: str, exists: bool) -> Code:
        """Return whether a node's code differs from the code that built its relation.

        The built code is read from the record of a successful run, or, without a record, from the captured plan. The
        record takes precedence, because a captured plan also exists for a model whose run failed later.

        Args:
            unique_id: dbt's unique id.
            exists: whether the node's relation exists.
        """
        if not exists:
            return Code.NEW
        built = self._built(unique_id)
        if not built:
            return Code.UNKNOWN
        return Code.UNCHANGED if built == node_fingerprint.fingerprint(self._manifest, unique_id) else Code.CHANGED

    def is_known(self, unique_id: str) -> bool:
        """Return whether there is a record of the code that built a node's relation."""
        return bool(self._built(unique_id))

    def _built(self, unique_id: str) -> str:
        name = node_fingerprint.relation_name(self._manifest.nodes[unique_id])
        relation, code = self._recorded.get(unique_id, ("", ""))
        if code and (relation == name or relation.endswith(f".{name}")):
            return code
        captured = plan_store.read(self._folder, unique_id)
        return captured.code if captured and captured.relation == name else ""


class NodeCodes:
    """The existing relations of a target's nodes, and whether the code of each node has changed.

    Args:
        warehouse: runs statements.
        built: the fingerprints of the code that built the relations.
        compiled: the compiled queries of some nodes, by unique id.
        modified: the nodes that differ from a state folder; None without a state folder. If this argument is
            given, `built` is not used.
    """

    def __init__(
        self, warehouse: Warehouse, built: BuiltCode, compiled: Mapping[str, str], modified: Mapping[str, Code] | None
    ) -> None:
        self.compiled = compiled
        self._warehouse, self._built, self._modified = warehouse, built, modified
        self._existing: dict[str, Any] = {}
        self._codes: dict[str, Code] = {}

    def find(self, name: str) -> Any:
        """Return the existing relation of a node, or None."""
        if name not in self._existing:
            self._existing[name] = self._warehouse.find(self._warehouse.manifest.nodes[name])
        return self._existing[name]

    def code(self, name: str) -> Code:
        """Return whether the code of a node is new or changed."""
        if self._modified is not None:
            return self._modified.get(name, Code.UNCHANGED)
        if name not in self._codes:
            code = self._built.compare(name, self.find(name) is not None)
            is_same = code is Code.UNKNOWN and self._has_compiled_query(name)
            self._codes[name] = Code.UNCHANGED if is_same else code
        return self._codes[name]

    def _has_compiled_query(self, name: str) -> bool:
        """Return whether a node is a view whose query in Spark is its compiled query.

        If so, the code of the view is unchanged, even without a record of a run.
        """
        existing, query = self.find(name), self.compiled.get(name)
        if existing is None or not existing.is_view or not query:
            return False
        try:
            rows = self._warehouse.rows(f"describe extended {existing}")
        except PenstockError:
            return False
        text = next((str(row["data_type"]) for row in rows if row.get("col_name") == "View Text"), "")
        return text.split() == query.split()
