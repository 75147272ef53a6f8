"""Read dbt's manifest with the compiled code of all SQL models, and compile the project if it has changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from penstock.config import dbt_command, profiles
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.lineage.manifest_nodes import ManifestNodes, is_python
from penstock.lineage.query_cache import FOLDER
from penstock.storage import private_files

MANIFEST = "manifest.json"
NEEDED = "a dbt project that can be compiled"
# dbt's default folders, by their keys in dbt_project.yml: https://docs.getdbt.com/reference/dbt_project.yml
PATHS = {
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "macro-paths": ["macros"],
    "packages-install-path": "dbt_packages",
}
# The parts of a node that lineage needs.
FIELDS = (
    *("resource_type", "name", "source_name", "package_name", "relation_name", "defer_relation", "depends_on"),
    *("columns", "contract", "config", "meta", "language", "compiled_code", "original_file_path", "root_path"),
)


def manifest(settings: Settings) -> Mapping[str, Any]:
    """Return the parsed manifest of the project's current code, including the compiled code.

    dbt's own manifest.json is used if it is newer than all files of the project and has compiled code. Otherwise, dbt
    compiles the project in this process, and this function saves the manifest for the next command.

    Raises:
        PenstockError: there is no dbt project, or dbt can't compile it.
    """
    if not (settings.root / "dbt_project.yml").exists():
        raise PenstockError("a dbt project", f"no dbt_project.yml in {settings.root}", "go to the project's folder")
    target = profiles.target_folder(settings.root)
    changed = max((path.stat().st_mtime for path in _project_files(settings.root)), default=0.0)
    kept = target / FOLDER / f"{settings.target or 'default'}.json"
    # dbt's manifest doesn't name its target, and dbt's last command may have had another target than --target names.
    # A command with --target therefore uses only the manifest that penstock saved for that target.
    candidates = [kept] if os.environ.get(profiles.TARGET_VARIABLE) else [target / MANIFEST, kept]
    for path in candidates:
        found = _read(path, changed)
        if found is not None:
            return found
    compiled = {"nodes": {}, "sources": {}} | _compile(settings)
    private_files.make_folder(kept.parent)
    private_files.write(kept, json.dumps(compiled, default=str))
    return compiled


def _project_files(root: Path) -> Iterator[Path]:
    """Yield the files that determine the compiled code, and their folders, which change when a file is removed."""
    project = yaml.safe_load((root / "dbt_project.yml").read_text()) or {}
    yield from filter(None, (root / "dbt_project.yml", profiles.find_file(root)))
    for key, default in PATHS.items():
        listed = project.get(key, default)
        for folder in [listed] if isinstance(listed, str) else listed:
            yield from (path for path in [root / folder, *(root / folder).rglob("*")] if path.exists())


def _read(path: Path, changed: float) -> Mapping[str, Any] | None:
    """Return a manifest, or None if it is older than `changed`, unreadable, or lacks compiled code of a SQL model."""
    try:
        if path.stat().st_mtime < changed:
            return None
        data = json.loads(path.read_text())
        nodes = ManifestNodes(data).by_id.values()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    sql = [node for node in nodes if node["resource_type"] in ("model", "snapshot") and not is_python(node)]
    return data if sql and all(node.get("compiled_code") for node in sql) else None


def _compile(settings: Settings) -> dict[str, Any]:
    """Return the manifest after dbt has compiled all SQL models. Only models that query Spark need a server."""
    result = dbt_command.invoke(settings.root, None, NEEDED, "parse")
    names = [".".join(node.fqn) for node in result.nodes.values() if _is_sql(node)]
    options = ["--no-populate-cache", "--indirect-selection", "empty", "--select", *names]
    if names:
        try:
            dbt_command.invoke(settings.root, result, NEEDED, "compile", "--no-introspect", *options)
        except PenstockError:
            dbt_command.invoke(settings.root, result, NEEDED, "compile", *options)
    data = result.writable_manifest().to_dict(omit_none=False)
    return {group: {key: _trimmed(node) for key, node in data[group].items()} for group in ("nodes", "sources")}


def _is_sql(node: Any) -> bool:
    return node.resource_type in ("model", "snapshot") and str(node.language) == "sql"


def _trimmed(node: Mapping[str, Any]) -> dict[str, Any]:
    return {name: node[name] for name in FIELDS if name in node}
