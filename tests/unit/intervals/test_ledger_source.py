"""The ledger's source in dbt has the columns and descriptions of its table in Spark."""

from __future__ import annotations

from pathlib import Path

import yaml

from penstock.intervals import ledger_table

SOURCES = Path(__file__).resolve().parents[3] / "models" / "staging" / "_sources.yml"


def test_the_source_has_the_ledgers_columns() -> None:
    sources = {item["name"]: item for item in yaml.safe_load(SOURCES.read_text())["sources"]}
    (table,) = sources["batches"]["tables"]
    assert table["name"] == ledger_table.TABLE
    described = {item["name"]: item["description"] for item in table["columns"]}
    assert described == {name: words for name, (_, words) in ledger_table.COLUMNS.items()}
