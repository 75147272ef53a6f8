"""Find the record of a command, and write its page and the list of the kept commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.errors import PenstockError
from penstock.report.run_page import html, page_data
from penstock.runs import run_store
from penstock.runs.run_record import RunRecord
from penstock.storage import private_files

PAGE = "index.html"
NAMED = 3
MIN_PREFIX = 4


def find(target: Path, run_id: str | None) -> RunRecord:
    """Return the record of a command, or of the newest command.

    Args:
        target: dbt's target folder.
        run_id: dbt's invocation id, or its first characters; None for the newest command.

    Raises:
        PenstockError: no command is recorded, or none has this id.
    """
    records = run_store.records(target)
    if not records:
        folder = target / run_store.FOLDER
        raise PenstockError("the record of a dbt command", f"no earlier run in {folder}", "run dbt, as in `dbt build`")
    if run_id is None:
        return records[0]
    matching = [item for item in records if item.run_id == run_id]
    if not matching and len(run_id) >= MIN_PREFIX:
        matching = [item for item in records if item.run_id.startswith(run_id)]
    if len(matching) == 1:
        return matching[0]
    newest = ", ".join(f"{item.run_id} ({item.arguments})" for item in records[:NAMED])
    found = f"{len(matching)} kept runs begin with `{run_id}`" if matching else f"no kept run `{run_id}`"
    raise PenstockError("the id of a kept run", found, f"name one; the newest are {newest}")


def write(target: Path, run_id: str, text: str, out: Path | None) -> Path:
    """Write a command's page, then the list of the kept commands, and return the page's path.

    Args:
        target: dbt's target folder.
        run_id: dbt's invocation id.
        text: the page.
        out: the file to write; None for the command's folder.

    Raises:
        PenstockError: the file cannot be written.
    """
    path = out or run_store.folder(target, run_id) / PAGE
    _write(path, text)
    _write(target / run_store.FOLDER / PAGE, html.index([_listed(target, item) for item in run_store.records(target)]))
    return path


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        private_files.write(path, text)
    except OSError as error:
        reason = str(error.strerror or error)
        raise PenstockError(f"a file to write, {path}", reason, "name another file with `--out`") from None


def _listed(target: Path, record: RunRecord) -> dict[str, Any]:
    return {
        "id": record.run_id,
        "arguments": record.arguments,
        "result": page_data.result(record),
        "seconds": page_data.seconds(record),
        "nodes": len(record.nodes),
        "target": record.target,
        "started": record.started,
        "page": (run_store.folder(target, record.run_id) / PAGE).exists(),
    }
