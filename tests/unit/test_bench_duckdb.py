"""What bench/duckdb_peer.py prints, and that DuckDB's tables hold every landed row."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from penstock.lake.catalog import load
from penstock.lake.sample import land_sample_month, plan_sample

ROOT = Path(__file__).resolve().parents[2]
MONTHS = [date(2024, 1, 1), date(2024, 2, 1)]


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    """bench/duckdb_peer.py, which is a script beside the modules that it imports."""
    sys.path.insert(0, str(ROOT / "bench"))
    import duckdb_peer

    yield duckdb_peer
    sys.path.remove(str(ROOT / "bench"))


def test_duckdb_builds_every_table_from_every_landed_row(bench: ModuleType, tmp_path: Path) -> None:
    catalog = load(ROOT)
    for piece in plan_sample(catalog, 4000, 1, MONTHS, ["green", "yellow"]):
        land_sample_month(catalog, piece, tmp_path / "lake", lambda *_: None)
    used, whole = bench.by_duckdb(tmp_path / "lake", tmp_path / "peer.duckdb")
    assert list(used) == list(bench.COMPARED)
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


def test_a_figure_that_differs_is_found(bench: ModuleType) -> None:
    assert bench.plain([1, "2024-01-01 00:00:00.000000"]) == bench.plain(["1", "2024-01-01 00:00:00"])
    assert bench.plain([1]) != bench.plain([2])


def test_the_ratio_is_that_of_whole_processes(bench: ModuleType) -> None:
    names = list(bench.COMPARED)
    pair = bench.Pair(2_000_000, dict.fromkeys(names, 4.0), dict.fromkeys(names, 1.0), 8.0)
    lines = bench.table([pair])
    assert lines[2] == f"| 2 million | `{names[0]}` | 2.00 | 0.50 | 4.0 |"
    assert lines[-1] == "|  | all five | 10.00 | 4.00 | 2.5 |"
    assert bench.read(json.loads(json.dumps({"pairs": [vars(pair)]}))) == [pair]


def test_the_docs_have_the_block(bench: ModuleType) -> None:
    page = bench.PAGE.read_text()
    names = list(bench.COMPARED)
    pair = bench.Pair(1_000_000, dict.fromkeys(names, 1.0), dict.fromkeys(names, 1.0), 5.0)
    written = bench.filled(page, bench.block([pair], "2026-01-01"))
    assert "| 1 million | `intermediate.int_trips_checked` | 1.00 | 1.00 | 1.0 |" in written
    with pytest.raises(SystemExit, match="found: none"):
        bench.filled("no block", "")


def test_a_failure_of_duckdb_ends_the_bench(bench: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="DuckDB failed"):
        bench.by_duckdb(tmp_path / "no-lake", tmp_path / "peer.duckdb")
