"""Machine learning without Spark: specs, splits, promotions, model folders and drift."""

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
from penstock.ml import drift, model_store, monitoring, training
from penstock.ml.registry import judge, select_versions
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
    return Spec.from_meta("m", {**META, **more})


def test_a_spec_is_parsed() -> None:
    found = spec(candidates=[{"depth": 3}], train_months="[2024-01, 2024-02]", tune_month="2024-03", test_month=None)
    assert found.features == {"hour": "hour", "past": "past", "odd": "hour % 2"}
    assert found.candidates[0]["depth"] == 3 and found.candidates[0]["trees"] == 40
    assert found.train == (MONTHS[0], MONTHS[1]) and found.tune == MONTHS[2] and found.test is None


@pytest.mark.parametrize(
    ("more", "message"),
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
def test_a_wrong_spec_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(PenstockError) as error:
        spec(**more)
    assert message in error.value.found


def test_months_are_split_by_time_by_default() -> None:
    assert Split.choose(spec(), MONTHS) == Split(tuple(MONTHS[:4]), MONTHS[4], MONTHS[5])
    assert Split.choose(spec(), MONTHS[:2]) is None
    given_test = Split.choose(spec(test_month="2024-04"), MONTHS)
    assert given_test == Split((MONTHS[0], MONTHS[1]), MONTHS[2], MONTHS[3]), "no later months"


def test_configured_months_must_be_built_and_used_once() -> None:
    with pytest.raises(PenstockError, match="the months of m in features"):
        Split.choose(spec(test_month="2025-01"), MONTHS)
    with pytest.raises(PenstockError, match="once"):
        Split.choose(spec(tune_month="2024-05", test_month="2024-05"), MONTHS)
    with pytest.raises(PenstockError, match="before the configured ones"):
        Split.choose(spec(test_month="2024-01"), MONTHS)


@pytest.mark.parametrize(
    "given",
    [
        {"tune_month": "2024-05", "test_month": "2024-04"},
        {"train_months": ["2024-05"], "tune_month": "2024-02"},
        {"train_months": ["2024-01", "2024-04"], "tune_month": "2024-03", "test_month": "2024-05"},
    ],
)
def test_months_are_used_in_their_order(given: dict[str, Any]) -> None:
    """The features of a later month contain the fares of earlier months."""
    with pytest.raises(PenstockError, match="in that order"):
        Split.choose(spec(**given), MONTHS)


def test_a_month_has_a_role() -> None:
    split = Split((MONTHS[1], MONTHS[2]), MONTHS[3], MONTHS[4])
    assert [split.role(month) for month in MONTHS] == ["earlier", "train", "train", "tune", "test", "later"]


def test_only_a_better_version_is_promoted() -> None:
    assert judge(1.0, 2.0, None)[0] and judge(1.0, 2.0, 1.5)[0]
    assert not judge(2.0, 2.0, None)[0] and "baseline" in judge(2.0, 2.0, None)[1]
    assert not judge(1.5, 2.0, 1.5)[0] and "live version" in judge(1.5, 2.0, 1.5)[1]
    assert not judge(float("nan"), 2.0, None)[0]


class Decisions:
    """Stand in for the table of decisions, with version 2 of `m` promoted."""

    def where(self, _: str) -> Decisions:
        return self

    groupBy = where

    def agg(self, _: dict[str, str]) -> Decisions:
        return self

    def collect(self) -> list[tuple[str, int]]:
        return [("m", 2)]


@pytest.mark.parametrize(
    ("known", "requested", "message"),
    [
        ({"m": {1: 0, 2: 0}}, {"m": 7}, "needed: version 7 of m. found: trained: 1, 2. do: request one of those"),
        ({"m": {1: 0, 2: 0}}, {"m": "latest"}, "needed: version latest of m. found: trained: 1, 2"),
        ({"m": {2: 0}}, {"other": 1}, "use_versions, not other. found: m. do: name one of those"),
        ({}, {}, "needed: version 2 of m. found: trained: none. do: type `dbt run --select m`"),
    ],
)
def test_a_missing_version_is_refused(known: Any, requested: dict[str, Any], message: str) -> None:
    with pytest.raises(PenstockError) as error:
        select_versions(known, Decisions(), requested)  # type: ignore[arg-type]
    assert message in str(error.value)


def test_every_training_module_is_part_of_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    fingerprint = training._code_fingerprint()
    assert len(fingerprint) == 16
    monkeypatch.setattr(training, "TRAINING_MODULES", training.TRAINING_MODULES[1:])
    assert training._code_fingerprint() != fingerprint


class Model:
    """Stand in for a fitted pipeline whose folder may exist."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def write(self) -> Model:
        return self

    def save(self, path: str) -> None:
        if path in self.taken:
            raise RuntimeError(f"Path {path} already exists. To overwrite it, use write.overwrite()")
        self.taken.add(path)


def test_two_runs_at_once_save_two_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both begin with the same number; neither overwrites the other."""
    monkeypatch.setattr(model_store, "next_version", lambda session, name, newest: newest + 1)
    session = SimpleNamespace(conf={"spark.sql.warehouse.dir": "file:/w/"})
    taken: set[str] = set()
    saved = [model_store.save(session, Model(taken), "m", 3) for _ in range(2)]
    assert saved == [(4, "file:/w/registry/m/4"), (5, "file:/w/registry/m/5")]


values = st.lists(st.floats(-1e6, 1e6), min_size=19, max_size=19).map(sorted)


@given(st.lists(values, min_size=1, max_size=4))
def test_a_training_month_has_no_drift(months: list[list[float]]) -> None:
    assert all(drift.distance(months, month) == 0 for month in months)


@given(st.lists(values, min_size=1, max_size=4), values, st.floats(0.5, 100))
def test_units_do_not_matter(months: list[list[float]], now: list[float], unit: float) -> None:
    scaled = drift.distance([[value * unit for value in month] for month in months], [value * unit for value in now])
    assert scaled >= 0
    if pstdev([value for month in months for value in month]) > 1e-3:
        assert isclose(drift.distance(months, now), scaled, rel_tol=1e-6, abs_tol=1e-9)


def test_a_known_distance() -> None:
    """All values are half a standard deviation above the nearer month's, which are 1 and 3."""
    month = [1.0, 3.0] * 9
    far = [value + 100 for value in month]
    assert isclose(drift.distance([month], [value + 0.5 for value in month]), 0.5)
    both = drift.distance([far, month], [value + 0.5 for value in month])
    assert isclose(both, 0.5 / pstdev(month + far))


def test_the_drift_of_a_constant_feature_is_the_share_of_other_values() -> None:
    assert drift.distance([[1.0] * 20], [1.0] * 15 + [2.0] * 5) == 0.25
    assert drift.distance([[1.0] * 20], [1.0] * 20) == 0


def zone_means(cents: int, scale: float = 1.0) -> list[float]:
    """Return quantiles of a mean for each of 19 zones; each mean moves by up to some cents."""
    chance = Random(cents)
    return sorted(scale * (5 + zone + chance.randint(-cents, cents) / 100) for zone in range(19))


def test_zone_means_drift_with_their_values() -> None:
    """Counts in bins would report a shift: a few cents move a whole zone across an edge."""
    months = [zone_means(cents) for cents in range(1, 12)]
    assert drift.distance(months, zone_means(15)) < 0.05
    assert drift.distance(months, zone_means(15, 1.15)) > 0.2


def test_counts_in_bins_of_an_earlier_release_are_ignored() -> None:
    """An earlier release stored one more share than edges."""
    old = {"feature": "hour", "edges": [8.0, 12.0], "shares": [0.2, 0.3, 0.5]}
    new = [{"feature": "hour", "edges": [float(n)] * 19, "shares": list(drift.SHARES)} for n in (1, 2)]
    found: Any = SimpleNamespace(row={"reference": [old, *new]})
    assert monitoring.training_quantiles(found) == {"hour": [[1.0] * 19, [2.0] * 19]}
