"""The configuration of an interval model: its defaults, and the values that are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.intervals.grain import DAY, GRAINS, MONTH
from penstock.intervals.model_config import IntervalConfig, interval_properties, is_interval

INTERVAL = {"materialized": "incremental", "incremental_strategy": "interval"}


def test_defaults_and_every_key() -> None:
    defaults = IntervalConfig.parse({"event_time": "month"}, "facts")
    assert defaults == IntervalConfig("month", GRAINS[MONTH], 12, False, None)
    every_key = IntervalConfig.parse(
        {
            "event_time": "day",
            "batch_size": SimpleNamespace(value="day"),
            "intervals_per_commit": 3,
            "on_code_change": "rebuild",
            "quarantine_when": "not is_good",
            "reads_before": ["checked"],
        },
        "facts",
    )
    assert every_key == IntervalConfig("day", GRAINS[DAY], 3, True, "not is_good", ("checked",))


@pytest.mark.parametrize(
    ("key", "value", "needed"),
    [
        ("event_time", None, "the column that tells a row's interval"),
        ("event_time", " ", "the column that tells a row's interval"),
        ("batch_size", "hour", "month or day"),
        ("intervals_per_commit", 0, "a whole number of at least 1"),
        ("intervals_per_commit", True, "a whole number of at least 1"),
        ("intervals_per_commit", "3", "a whole number of at least 1"),
        ("on_code_change", "ignore", "warn or rebuild"),
        ("quarantine_when", "", "a SQL condition over the table's columns"),
        ("quarantine_when", ["a"], "a SQL condition over the table's columns"),
        ("reads_before", "checked", "a list of names of models"),
    ],
)
def test_an_invalid_value_is_refused_by_its_key(key: str, value: Any, needed: str) -> None:
    with pytest.raises(PenstockError) as caught:
        IntervalConfig.parse({"event_time": "month", key: value}, "facts")
    assert f"needed: {needed} as {key} of facts (strategy interval). found: {value!r}. do: set {key}" in str(
        caught.value
    )


def test_the_table_property_holds_the_length_of_the_intervals() -> None:
    assert interval_properties(INTERVAL, "delta") == {"penstock.intervals": "month"}
    assert interval_properties({**INTERVAL, "batch_size": "day"}, "delta") == {"penstock.intervals": "day"}
    assert interval_properties({**INTERVAL, "incremental_strategy": "merge"}, "iceberg") == {}


def test_an_iceberg_table_also_has_an_id_of_its_own() -> None:
    first, second = interval_properties(INTERVAL, "iceberg"), interval_properties(INTERVAL, "iceberg")
    assert first.keys() == second.keys() == {"penstock.intervals", "penstock.table_id"}
    assert first["penstock.table_id"] != second["penstock.table_id"]


def test_only_an_incremental_model_of_the_strategy_is_an_interval_model() -> None:
    config = SimpleNamespace(**INTERVAL)
    assert is_interval(SimpleNamespace(resource_type="model", config=config))
    assert not is_interval(SimpleNamespace(resource_type="snapshot", config=config))
    assert not is_interval(None)
