"""The models on real months, beside the baseline and beside scikit-learn on the same features and split."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.ml import drift, monitoring
from tests.ml.conftest import SPLITS
from tests.support.projects import Project

# Twelve months and two models, on two processors.
pytestmark = pytest.mark.timeout(2400)
# Of the baseline's MAE.
AIM = 0.97
# Of scikit-learn's MAE and RMSE on the same features: fitted to the target, and to the same label as ours.
# Of the first split it is what was aimed at; parameters were chosen on its months, so the second has room.
BESIDE_SKLEARN = (1.01, 1.05)
TARGETS = {"fare_model": "fare_amount", "duration_model": "duration_minutes"}


def version(project: Project, name: str, split: int) -> dict[str, Any]:
    """The row of the version that learned on a split."""
    columns = "version, mae, rmse, r2, baseline_mae, baseline_rmse, prior, trained_rows, test_rows"
    ((*row, features, months),) = project.sql(
        f"select {columns}, to_json(features), to_json(months) from warehouse.{name} where version = {split + 1}"
    )
    values = dict(zip(columns.split(", "), row, strict=True))
    return {**values, "features": json.loads(features), "months": json.loads(months)}


@pytest.mark.parametrize("split", [0, 1])
@pytest.mark.parametrize("name", TARGETS)
def test_a_model_beats_the_baseline(real: Project, name: str, split: int) -> None:
    row = version(real, name, split)
    assert [item["month"][:7] for item in row["months"]] == list(SPLITS[split])
    share = row["mae"] / row["baseline_mae"]
    print(
        f"{name} on {SPLITS[split][-1]}: MAE {row['mae']:.4f}, {share:.4f} of the baseline's; "
        f"RMSE {row['rmse']:.4f}, {row['rmse'] / row['baseline_rmse']:.4f}; R2 {row['r2']:.4f}"
    )
    assert row["mae"] <= AIM * row["baseline_mae"]
    assert row["rmse"] <= row["baseline_rmse"]


@pytest.mark.parametrize("split", [0, 1])
@pytest.mark.parametrize("name", TARGETS)
def test_a_model_is_as_good_as_scikit_learns(real: Project, name: str, split: int) -> None:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingRegressor

    row, target = version(real, name, split), TARGETS[name]
    expressions = ", ".join(
        f"coalesce(cast({item['expression']} as double), -1) as {item['name']}" for item in row["features"]
    )
    months = ", ".join(f"date'{month}-01'" for month in SPLITS[split])
    sql = f"select cast(pickup_month as string), cast({target} as double), {expressions} from warehouse.trip_features"
    rows = real.sql(f"{sql} where pickup_month in ({months})")
    month = np.array([item[0] for item in rows])
    table = np.array([item[1:] for item in rows], dtype="float64")
    y, x, test = table[:, 0], table[:, 1:], month == f"{SPLITS[split][-1]}-01"
    assert (test.sum(), (~test).sum()) == (row["test_rows"], row["trained_rows"])
    prior = x[:, [item["name"] for item in row["features"]].index(row["prior"])]
    label = np.log1p(y) - np.log1p(prior)
    by_log = HistGradientBoostingRegressor(random_state=0).fit(x[~test], label[~test])
    plain = HistGradientBoostingRegressor(random_state=0).fit(x[~test], y[~test])
    said = {
        "label": np.expm1(by_log.predict(x[test]) + np.log1p(prior[test])),
        "target": plain.predict(x[test]),
    }
    for words, guess in said.items():
        mae, rmse = abs(guess - y[test]).mean(), float(((guess - y[test]) ** 2).mean()) ** 0.5
        print(
            f"{name} on {SPLITS[split][-1]}, scikit-learn on the {words}: "
            f"MAE {mae:.4f}, ours {row['mae'] / mae:.4f} of it; "
            f"RMSE {rmse:.4f}, ours {row['rmse'] / rmse:.4f} of it"
        )
        assert row["mae"] <= BESIDE_SKLEARN[split] * mae
        assert row["rmse"] <= BESIDE_SKLEARN[split] * rmse


@pytest.mark.parametrize("name", TARGETS)
def test_months_learned_from_have_not_drifted_and_a_made_shift_has(real: Project, name: str) -> None:
    """Also in the means of each zone, of which a month has few values; their later months are no alarm."""
    drifted = real.sql(
        "select role in ('train', 'tune') as learned, max(value), max_by(feature, value) "
        f"from warehouse.prediction_drift where model = '{name}' and measure = 'distance' "
        "and feature <> 'past_trips_a_month' and role <> 'earlier' group by all order by 1"
    )
    print(f"{name}: farthest of later months, and of those learned from: {drifted}")
    assert drifted[-1][0] is True and drifted[-1][1] < 0.1
    assert all(value < 0.3 for _, value, _ in drifted)
    ((text,),) = real.sql(f"select to_json(reference) from warehouse.{name} where version = 1")
    known: Any = SimpleNamespace(row={"reference": json.loads(text)})
    shares = f"array({', '.join(map(str, drift.SHARES))})"
    of_month = f"from warehouse.trip_features where pickup_month = date'{SPLITS[0][-1]}-01'"
    shifts = {"from_zone_fare": "1.15 * from_zone_fare", "from_zone_miles": "1.609 * from_zone_miles"}
    shifts["pickup_hour"] = "pickup_hour / 2"
    for feature, shifted in shifts.items():
        ((now,),) = real.sql(f"select to_json(percentile_approx(cast({shifted} as double), {shares})) {of_month}")
        found = drift.distance(monitoring.training_quantiles(known)[feature], json.loads(now))
        print(f"{name}: {shifted} is {found:.3f} away")
        assert found > 0.3
