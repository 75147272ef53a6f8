"""docs/physical-design.md holds what the bench measures, and names what is there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "physical-design.md").read_text()


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    """bench/layout.py, which is a script beside the module that it imports."""
    sys.path.insert(0, str(ROOT / "bench"))
    import layout

    yield layout
    sys.path.remove(str(ROOT / "bench"))


def test_every_comparison_of_the_bench_has_its_row(bench: ModuleType) -> None:
    blocks = {match["name"]: match[0] for match in bench.layout_docs.BLOCK.finditer(TEXT)}
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in blocks["figures"].splitlines() if "|" in line]
    wanted = [
        [name if place == 0 else "", variant.words.format(target=64)]
        for name, variants in bench.COMPARISONS.items()
        for place, variant in enumerate(variants)
    ]
    assert rows[2:] == wanted


def test_no_block_is_empty(bench: ModuleType) -> None:
    assert [match["name"] for match in bench.layout_docs.BLOCK.finditer(TEXT) if match[0].count("\n") < 3] == []


def test_a_join_is_told_by_its_keys_and_nulls_are_left_out(bench: ModuleType) -> None:
    plan = """== Physical Plan ==
* Project (5)
+- * SortMergeJoin Inner (4)
   :- * Filter (2)
   :  +- Scan parquet spark_catalog.a.trips (1)
   +- Scan parquet spark_catalog.a.zones (3)


(1) Scan parquet spark_catalog.a.trips
Output [5]: [zone#1, a#2, b#3, c#4, d#5]
PartitionFilters: [isnotnull(month#6), (month#6 = 2024-01-01)]

(2) Filter
Condition : isnotnull(zone#1)

(3) Scan parquet spark_catalog.a.zones
Output [1]: [id#7]

(4) SortMergeJoin
Left keys [1]: [zone#1]
Right keys [1]: [id#7]
Join type: Inner
Join condition: None

(5) Project
Output [1]: [a#2]
"""
    assert list(bench.layout_docs.excerpt(bench.layout_docs.parse(plan).root)) == [
        "SortMergeJoin Inner  zone = id",
        ":- Scan parquet a.trips  PartitionFilters [(month = 2024-01-01)]; 5 columns",
        "+- Scan parquet a.zones  id",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2,400", 2400),
        ("56.1 MiB", round(56.1 * 2**20)),
        ("total (min, med, max (stageId: taskId))\n12.7 MiB (6.3 MiB, 6.3 MiB, 6.3 MiB (stage 1.0: task 2))", 13316915),
        ("1496.0 B", 1496),
    ],
)
def test_a_metric_is_read_as_the_ui_writes_it(bench: ModuleType, text: str, value: int) -> None:
    assert bench.layout_docs.number(text) == value


def test_the_tests_that_are_named_exist() -> None:
    named = set(re.findall(r"`(plan_\w+|files_per_partition_at_most|file_sizes_between|stats_present)", TEXT))
    there = {path.stem for path in (ROOT / "tests" / "data" / "generic").rglob("*.sql")}
    assert len(named) == 9
    assert named <= there
