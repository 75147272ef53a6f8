"""Find the nodes whose code differs from the code that the last run built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.penstock import node_fingerprint
from penstock.plans import plan_store
from penstock.preview.content import Code
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

        The record of a successful run comes first. A captured plan also exists for a model whose run failed later.

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

    def _built(self, unique_id: str) -> str:
        name = node_fingerprint.relation_name(self._manifest.nodes[unique_id])
        relation, code = self._recorded.get(unique_id, ("", ""))
        if code and (relation == name or relation.endswith(f".{name}")):
            return code
        captured = plan_store.read(self._folder, unique_id)
        return captured.code if captured and captured.relation == name else ""
