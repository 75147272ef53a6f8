"""Tests of bench/layout.py: its blocks in five pages of docs/explanation, and the excerpts of plans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.layout import PAGES
from bench.layout_queries import COMPARISONS
from bench.layout_tables import excerpt
from bench.measure import parse_metric
from penstock.plans.plan_parser import parse

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {page: page.path.read_text() for page in PAGES}
BLOCKS = {name: lines for page, text in TEXTS.items() for name, lines in page.blocks(text).items()}


def test_every_comparison_of_the_bench_has_its_row() -> None:
    lines = BLOCKS["figures"]
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines if "|" in line]
    wanted = [
        [name if position == 0 else "", variant.label.format(target=64)]
        for name, variants in COMPARISONS.items()
        for position, variant in enumerate(variants)
    ]
    assert rows[2:] == wanted


def test_no_block_is_empty() -> None:
    assert [name for name, lines in BLOCKS.items() if len(lines) < 2] == []


def test_a_join_has_its_keys_and_null_tests_are_left_out() -> None:
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
    assert list(excerpt(parse(plan).root)) == [
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
def test_a_metric_is_read_as_the_ui_writes_it(text: str, value: int) -> None:
    assert parse_metric(text) == value


def test_the_tests_that_are_named_exist() -> None:
    pattern = r"`(plan_\w+|files_per_partition_at_most|file_sizes_between|stats_present)"
    named = {name for text in TEXTS.values() for name in re.findall(pattern, text)}
    there = {path.stem for path in (ROOT / "tests" / "data" / "generic").rglob("*.sql")}
    assert len(named) == 9
    assert named <= there
