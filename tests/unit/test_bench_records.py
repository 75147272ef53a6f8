"""Tests of bench/records.py: the order of its builds, its settings and its table."""

from __future__ import annotations

from bench.measure import ROOT
from bench.projects import Cost
from bench.records import SHIPPED, THREADS, VARIANTS, rows, turns


def test_each_round_begins_with_another_variant() -> None:
    names, order = list(VARIANTS), turns(len(VARIANTS))
    rounds = [order[start : start + len(names)] for start in range(0, len(order), len(names))]
    assert all(sorted(each) == sorted(names) for each in rounds)
    assert [each[0] for each in rounds] == names


def test_the_default_target_of_the_project_takes_another_key() -> None:
    """The first target with this line is the default target."""
    profile = (ROOT / "profiles" / "profiles.yml").read_text()
    assert profile.index("    local:\n") < profile.index(THREADS) < profile.index("    cluster:\n")


def test_ratios_compare_the_cpu_seconds_of_both_processes() -> None:
    costs = {name: [Cost(9, 60, 20), Cost(11, 80, 20), Cost(10, 70, 20)] for name in VARIANTS}
    costs["without EXPLAIN"] = [Cost(8, 61, 20)] * 3
    shipped, _, without = rows(dict(costs))
    assert shipped == [SHIPPED, "70.0", "20.0", "1.000", "10.0"]
    assert without == ["without EXPLAIN", "61.0", "20.0", "0.900", "8.0"]
