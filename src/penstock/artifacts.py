"""Copies of dbt's artifacts for tools that don't know the adapter type `penstock`.

These tools read `metadata.adapter_type` of manifest.json to choose a SQL dialect or to name tables, and stop if they
don't know the value. Penstock's SQL is the SQL of Spark, so a copy with the type of dbt-spark is correct.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

from penstock.config.sections import AdapterType
from penstock.errors import PenstockError
from penstock.storage import atomic

MANIFEST = "manifest.json"
FILES = (MANIFEST, "catalog.json", "run_results.json", "sources.json", "semantic_manifest.json")
ADAPTER_TYPES: tuple[str, ...] = get_args(AdapterType)


def convert(target_dir: Path, output: Path, adapter_type: str) -> list[Path]:
    """Write a copy of each artifact in a folder, with another adapter type, and return the paths of the copies.

    All copies are written before the first of them replaces an earlier copy. An earlier copy whose original is missing
    is removed.

    Args:
        target_dir: dbt's target folder.
        output: the folder of the copies. It is created.
        adapter_type: a value of ADAPTER_TYPES.

    Raises:
        PenstockError: the adapter type is unknown, there is no manifest, an artifact is unreadable, or the copies can't
            be written. The folder `output` then has its previous files.
    """
    if adapter_type not in ADAPTER_TYPES:
        known = ", ".join(ADAPTER_TYPES)
        raise PenstockError("an adapter type that penstock can write", f"`{adapter_type}`", f"choose one of: {known}")
    if output.resolve() == target_dir.resolve():
        found = f"{output}, which has the originals"
        raise PenstockError("a folder for the copies", found, "choose another folder with --output")
    if not (target_dir / MANIFEST).exists():
        do = "type `dbt parse`, or name dbt's target folder with --target-path"
        raise PenstockError("dbt's manifest", f"no {target_dir / MANIFEST}", do)
    content = {name: _read(target_dir / name) for name in FILES if (target_dir / name).exists()}
    content[MANIFEST] = _with_adapter_type(content[MANIFEST], target_dir / MANIFEST, adapter_type)
    try:
        _write(output, content)
    except OSError as error:
        found = f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
        raise PenstockError(f"a folder {output} to write in", found, "free the disk or correct the folder") from None
    return [output / name for name in content]


def _read(path: Path) -> bytes:
    """Return the content of an artifact.

    Raises:
        PenstockError: the file is unreadable, or is not a JSON object.
    """
    do = "remove it, or write it again with the dbt command that writes it"
    try:
        content = path.read_bytes()
        is_object = isinstance(json.loads(content), dict)
    except OSError as error:
        raise PenstockError(f"a readable {path.name}", f"{error.strerror}: {path}", "correct its permissions") from None
    except ValueError as error:
        raise PenstockError(f"{path.name} as JSON", f"{error} in {path}", do) from None
    if not is_object:
        raise PenstockError(f"{path.name} as a JSON object", f"another value in {path}", do)
    return content


def _with_adapter_type(manifest: bytes, path: Path, adapter_type: str) -> bytes:
    """Return the manifest with another adapter type. No other value of the manifest depends on the adapter type.

    Raises:
        PenstockError: the manifest has no metadata.
    """
    data: dict[str, Any] = json.loads(manifest)
    if not isinstance(data.get("metadata"), dict):
        raise PenstockError(f"{path.name} with `metadata`", f"none in {path}", "write it again with `dbt parse`")
    data["metadata"]["adapter_type"] = adapter_type
    return json.dumps(data).encode()


def _write(output: Path, content: dict[str, bytes]) -> None:
    output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as replacements:
        # The stack ends in reverse order. The manifest is first, so it is replaced last.
        for name, data in content.items():
            replacements.enter_context(atomic.replacement(output / name)).write_bytes(data)
    for name in FILES:
        if name not in content:
            (output / name).unlink(missing_ok=True)
