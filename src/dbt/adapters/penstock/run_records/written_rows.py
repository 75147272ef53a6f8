"""The number of rows that a node wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.penstock.run_records.node_runs import find
from penstock.plans.output_rows import output_rows
from penstock.runs import run_store
from penstock.runs.run_record import NodeRun

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

# Strategies that write each row of the query. A merge may leave out rows, and a microbatch model has several queries.
WRITING_ALL = ("append", "insert_overwrite")


def written_rows(adapter: PenstockAdapter, target: Path, node: NodeRun) -> int | None:
    """Return the number of rows that a node wrote in this command, or None if the number is unknown.

    Args:
        adapter: has the numbers of rows that interval models wrote.
        target: dbt's target folder, with the captured plans.
        node: a node that has ended.
    """
    rows = node.response.get("rows_affected", adapter.intervals.rows_written.get(node.unique_id))
    if rows is not None or not _writes_all(adapter.get_macro_resolver(), node):
        return int(rows) if rows is not None else None
    captured = run_store.captured_plan(target, node)
    return output_rows(captured.executed) if captured and captured.executed else None


def _writes_all(manifest: Any, node: NodeRun) -> bool:
    """Return whether a node writes all rows of its only query."""
    if node.resource_type != "model" or node.materialized not in ("table", "incremental"):
        return False
    strategy = find(manifest, node.unique_id).config.get("incremental_strategy")
    return node.materialized == "table" or strategy in WRITING_ALL
