"""Tests of bench/duckdb_peer.py: DuckDB's tables have every landed row, and the table of the docs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from bench.duckdb_peer import COMPARED, PAGES, Pair, as_text, build_by_duckdb, pairs_table, read, report
from penstock.lake.catalog import load
from penstock.lake.sample import land_sample_month, plan_sample

ROOT = Path(__file__).resolve().parents[2]
(PAGE,) = PAGES
MONTHS = [date(2024, 1, 1), date(2024, 2, 1)]


def test_duckdb_builds_every_table_from_every_landed_row(tmp_path: Path) -> None:
    catalog = load(ROOT)
    for month in plan_sample(catalog, 4000, 1, MONTHS, ["green", "yellow"]):
        land_sample_month(catalog, month, tmp_path / "lake", lambda *_: None)
    used, whole = build_by_duckdb(tmp_path / "lake", tmp_path / "peer.duckdb")
    assert list(used) == list(COMPARED)
    assert 0 < sum(used.values()) <= whole
    with duckdb.connect(str(tmp_path / "peer.duckdb"), read_only=True) as engine:

        def value(sql: str) -> object:
            return engine.execute(sql).fetchall()[0][0]

        checked, good = "intermediate.int_trips_checked", "warehouse.fct_trips"
        quarantined = value(f"select count(*) from {checked} where is_quarantined")
        assert value(f"select count(*) from {checked}") == 4000
        assert isinstance(quarantined, int) and quarantined > 0
        assert value(f"select count(*) from {good}") == 4000 - quarantined
        assert value("select sum(trips) from warehouse.monthly_zone_revenue") == 4000 - quarantined
        assert value("select sum(green_trips + yellow_trips) from warehouse.hourly_zone_revenue") == 4000 - quarantined
        broken = f"select sum(len(reasons) + len(flags)) from {checked}"
        assert value("select sum(rows) from warehouse.quality_report") == value(broken)


def test_a_figure_that_differs_is_found() -> None:
    assert as_text([1, "2024-01-01 00:00:00.000000"]) == as_text(["1", "2024-01-01 00:00:00"])
    assert as_text([1]) != as_text([2])


def test_the_ratio_is_that_of_whole_processes() -> None:
    names = list(COMPARED)
    pair = Pair(2_000_000, dict.fromkeys(names, 4.0), dict.fromkeys(names, 1.0), 8.0)
    lines = pairs_table([pair])
    assert lines[2] == f"| 2 million | `{names[0]}` | 2.00 | 0.50 | 4.0 |"
    assert lines[-1] == "|  | all five | 10.00 | 4.00 | 2.5 |"
    assert read(json.loads(json.dumps({"pairs": [vars(pair)]}))) == [pair]


def test_the_docs_have_the_block() -> None:
    page = PAGE.path.read_text()
    names = list(COMPARED)
    pair = Pair(1_000_000, dict.fromkeys(names, 1.0), dict.fromkeys(names, 1.0), 5.0)
    (lines,) = PAGE.blocks(PAGE.fill(page, report([pair], "2026-01-01").blocks)).values()
    assert lines[0].endswith("; 2026-01-01.")
    assert "| 1 million | `intermediate.int_trips_checked` | 1.00 | 1.00 | 1.0 |" in lines
    (before,) = PAGE.blocks(page).values()
    assert before[2] == lines[2]


def test_a_failure_of_duckdb_ends_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"duckdb_tables\.py.* failed"):
        build_by_duckdb(tmp_path / "no-lake", tmp_path / "peer.duckdb")
