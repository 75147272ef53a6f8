"""What is learned from what: specs, splits, decisions, drift."""

from __future__ import annotations

from datetime import date
from math import isclose
from random import Random
from statistics import pstdev
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.ml import drift, model_store, monitoring
from penstock.ml.registry import chosen, judged
from penstock.ml.spec import Spec
from penstock.ml.training_months import Split

META = {
    "inputs": "features",
    "month": "m",
    "key": "id",
    "target": "fare",
    "prior": "past",
    "features": ["hour", "past", {"odd": "hour % 2"}],
    "baseline": [["zone", "hour"], ["zone"]],
}
MONTHS = [date(2024, month, 1) for month in range(1, 7)]


def spec(**more: Any) -> Spec:
    return Spec.of("m", {**META, **more})


def test_a_spec_is_parsed_once() -> None:
    found = spec(candidates=[{"depth": 3}], train_months="[2024-01, 2024-02]", tune_month="2024-03", test_month=None)
    assert found.features == {"hour": "hour", "past": "past", "odd": "hour % 2"}
    assert found.candidates[0]["depth"] == 3 and found.candidates[0]["trees"] == 40
    assert found.train == (MONTHS[0], MONTHS[1]) and found.tune == MONTHS[2] and found.test is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"colour": 1}, "colour"),
        ({"prior": "future"}, "'future'"),
        ({"features": ["hour", "past", "fare"]}, "fare"),
        ({"features": ["hour", "past", {"f": "fare"}]}, "fare"),
        ({"features": ["hour", "past", {"f": "2 * Fare"}]}, "fare"),
        ({"candidates": [{"leaves": 3}]}, "leaves"),
        ({"test_month": "May"}, "'May'"),
    ],
)
def test_a_wrong_spec_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(PenstockError) as error:
        spec(**more)
    assert words in error.value.found


def test_what_is_not_given_is_split_by_time() -> None:
    assert Split.of(spec(), MONTHS) == Split(tuple(MONTHS[:4]), MONTHS[4], MONTHS[5])
    assert Split.of(spec(), MONTHS[:2]) is None
    given_test = Split.of(spec(test_month="2024-04"), MONTHS)
    assert given_test == Split((MONTHS[0], MONTHS[1]), MONTHS[2], MONTHS[3]), "nothing of later months"


def test_given_months_have_to_be_there_once() -> None:
    with pytest.raises(PenstockError, match="the months of m in features"):
        Split.of(spec(test_month="2025-01"), MONTHS)
    with pytest.raises(PenstockError, match="once"):
        Split.of(spec(tune_month="2024-05", test_month="2024-05"), MONTHS)
    with pytest.raises(PenstockError, match="before the given ones"):
        Split.of(spec(test_month="2024-01"), MONTHS)


@pytest.mark.parametrize(
    "given",
    [
        {"tune_month": "2024-05", "test_month": "2024-04"},
        {"train_months": ["2024-05"], "tune_month": "2024-02"},
        {"train_months": ["2024-01", "2024-04"], "tune_month": "2024-03", "test_month": "2024-05"},
    ],
)
def test_months_are_used_in_their_order(given: dict[str, Any]) -> None:
    """A later month's features know what the trips of an earlier one cost."""
    with pytest.raises(PenstockError, match="in that order"):
        Split.of(spec(**given), MONTHS)


def test_a_month_has_a_role() -> None:
    split = Split((MONTHS[1], MONTHS[2]), MONTHS[3], MONTHS[4])
    assert [split.role(month) for month in MONTHS] == ["earlier", "train", "train", "tune", "test", "later"]


def test_only_a_better_version_goes_live() -> None:
    assert judged(1.0, 2.0, None)[0] and judged(1.0, 2.0, 1.5)[0]
    assert not judged(2.0, 2.0, None)[0] and "baseline" in judged(2.0, 2.0, None)[1]
    assert not judged(1.5, 2.0, 1.5)[0] and "live version" in judged(1.5, 2.0, 1.5)[1]
    assert not judged(float("nan"), 2.0, None)[0]


class Decisions:
    """A registry with one promoted version of `m`."""

    def where(self, _: str) -> Decisions:
        return self

    groupBy = where

    def agg(self, _: dict[str, str]) -> Decisions:
        return self

    def collect(self) -> list[tuple[str, int]]:
        return [("m", 2)]


@pytest.mark.parametrize(
    ("known", "asked", "words"),
    [
        ({"m": {1: 0, 2: 0}}, {"m": 7}, "needed: version 7 of m. found: trained: 1, 2. do: ask for one of those"),
        ({"m": {1: 0, 2: 0}}, {"m": "latest"}, "needed: version latest of m. found: trained: 1, 2"),
        ({"m": {2: 0}}, {"other": 1}, "use_versions, not other. found: m. do: name one of those"),
        ({}, {}, "needed: version 2 of m. found: trained: none. do: type `dbt run --select m`"),
    ],
)
def test_a_version_that_is_not_there_is_refused(known: Any, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(PenstockError) as error:
        chosen(known, Decisions(), asked)  # type: ignore[arg-type]
    assert words in str(error.value)


class Model:
    """A fitted pipeline whose folder may be there already."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def write(self) -> Model:
        return self

    def save(self, path: str) -> None:
        if path in self.taken:
            raise RuntimeError(f"Path {path} already exists. To overwrite it, use write.overwrite()")
        self.taken.add(path)


def test_two_runs_at_once_save_two_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both took the same number when they began; neither writes over the other."""
    monkeypatch.setattr(model_store, "next_version", lambda session, name, newest: newest + 1)
    session = SimpleNamespace(conf={"spark.sql.warehouse.dir": "file:/w/"})
    taken: set[str] = set()
    saved = [model_store.save(session, Model(taken), "m", 3) for _ in range(2)]
    assert saved == [(4, "file:/w/registry/m/4"), (5, "file:/w/registry/m/5")]


values = st.lists(st.floats(-1e6, 1e6), min_size=19, max_size=19).map(sorted)


@given(st.lists(values, min_size=1, max_size=4))
def test_a_month_learned_from_has_not_moved(months: list[list[float]]) -> None:
    assert all(drift.distance(months, month) == 0 for month in months)


@given(st.lists(values, min_size=1, max_size=4), values, st.floats(0.5, 100))
def test_units_do_not_matter(months: list[list[float]], now: list[float], unit: float) -> None:
    scaled = drift.distance([[value * unit for value in month] for month in months], [value * unit for value in now])
    assert scaled >= 0
    if pstdev([value for month in months for value in month]) > 1e-3:
        assert isclose(drift.distance(months, now), scaled, rel_tol=1e-6, abs_tol=1e-9)


def test_a_known_distance() -> None:
    """Everything half a standard deviation higher than in the nearer month, in which it is 1 or 3."""
    month = [1.0, 3.0] * 9
    far = [value + 100 for value in month]
    assert isclose(drift.distance([month], [value + 0.5 for value in month]), 0.5)
    both = drift.distance([far, month], [value + 0.5 for value in month])
    assert isclose(both, 0.5 / pstdev(month + far))


def test_a_feature_of_one_value_moves_by_the_rows_that_have_another() -> None:
    assert drift.distance([[1.0] * 20], [1.0] * 15 + [2.0] * 5) == 0.25
    assert drift.distance([[1.0] * 20], [1.0] * 20) == 0


def zone_means(cents: int, scale: float = 1.0) -> list[float]:
    """Quantiles of a mean of each zone: twenty zones, each with its share of the trips; means move by some cents."""
    chance = Random(cents)
    return sorted(scale * (5 + zone + chance.randint(-cents, cents) / 100) for zone in range(19))


def test_a_mean_of_each_zone_moves_with_its_values_alone() -> None:
    """Which a count in bins can't tell from a shift: some cents move a whole zone across an edge."""
    months = [zone_means(cents) for cents in range(1, 12)]
    assert drift.distance(months, zone_means(15)) < 0.05
    assert drift.distance(months, zone_means(15, 1.15)) > 0.2


def test_a_version_of_counts_in_bins_has_no_months_to_compare_with() -> None:
    """Of an earlier release: one more share than edges."""
    old = {"feature": "hour", "edges": [8.0, 12.0], "shares": [0.2, 0.3, 0.5]}
    new = [{"feature": "hour", "edges": [float(n)] * 19, "shares": list(drift.SHARES)} for n in (1, 2)]
    found: Any = SimpleNamespace(row={"reference": [old, *new]})
    assert monitoring.reference(found) == {"hour": [[1.0] * 19, [2.0] * 19]}
