"""Query the warehouse for the data of the machine learning report: versions, errors, zones and drift."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# For each training model, a tuple of the column prefix in trip_predictions, the target column, and the target's unit.
MODELS = {
    "fare_model": ("fare", "fare_amount", "US dollars"),
    "duration_model": ("duration", "duration_minutes", "minutes"),
}
BINS = 40
RunQuery = Callable[[str], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Version:
    """A trained version of a model, with its errors and the errors of the baseline.

    Attributes:
        live: whether the version was promoted.
        reason: the reason for the promotion or rejection of the version.
        importance: pairs of a feature and its share of the gain, largest share first.
        months: pairs of a month and its role in training.
    """

    model: str
    number: int
    live: bool
    reason: str
    test_month: str
    mae: float
    rmse: float
    r2: float
    baseline_mae: float
    baseline_rmse: float
    trained_rows: int
    importance: tuple[tuple[str, float], ...]
    months: tuple[tuple[str, str], ...]

    @property
    def mae_ratio(self) -> float:
        """Return the MAE divided by the MAE of the baseline, or NaN if the baseline's MAE is 0."""
        return self.mae / self.baseline_mae if self.baseline_mae else float("nan")

    @property
    def rmse_ratio(self) -> float:
        """Return the RMSE divided by the RMSE of the baseline, or NaN if the baseline's RMSE is 0."""
        return self.rmse / self.baseline_rmse if self.baseline_rmse else float("nan")


@dataclass(frozen=True)
class Errors:
    """The errors of the predictions for the test month of a version.

    Attributes:
        versions: numbers of the versions that made the predictions.
        unit: unit of the target.
        limit: 99th percentile of the target. The chart's axes end at this value.
        cells: tuples (bin of the actual value, bin of the predicted value, number of trips). The bins divide the range
            from 0 to `limit` into BINS equal parts, and are numbered from 0.
        by_hour: mean absolute error by hour of the day.
        by_zone: (mean absolute error, number of trips) by pick-up zone.
    """

    versions: tuple[int, ...]
    unit: str
    limit: float
    cells: tuple[tuple[int, int, int], ...]
    by_hour: dict[int, float]
    by_zone: dict[int, tuple[float, int]]


@dataclass(frozen=True)
class Zone:
    """A taxi zone, with its cluster and its PageRank.

    Attributes:
        cluster: number of the zone's cluster, or None if the zone has none.
        label: label of the cluster; empty if the zone has no cluster.
        rank: PageRank of the zone, or None if the zone has none.
    """

    number: int
    name: str
    borough: str
    cluster: int | None
    label: str
    rank: float | None


def versions(run_query: RunQuery) -> list[Version]:
    """Return all versions of all training models. The versions of a model are in order from newest to oldest."""
    result: list[Version] = []
    for name in MODELS:
        rows = run_query(
            "select m.version, coalesce(r.is_promoted, false), coalesce(r.reason, 'not judged yet'), m.test_month, "
            "m.mae, m.rmse, m.r2, m.baseline_mae, m.baseline_rmse, m.trained_rows, "
            "to_json(m.importance), to_json(m.months) "
            f"from warehouse.{name} m left join warehouse.model_registry r "
            "on m.model = r.model and m.version = r.version order by m.version desc"
        )
        for number, live, reason, month, mae, rmse, r2, base, base_rmse, trained, importance, months in rows:
            shares = tuple((item["feature"], float(item["share"])) for item in json.loads(importance))
            used = tuple((item["month"][:7], item["role"]) for item in json.loads(months))
            errors = (float(mae), float(rmse), float(r2), float(base), float(base_rmse))
            result.append(
                Version(name, int(number), bool(live), reason, str(month)[:7], *errors, int(trained), shares, used)
            )
    return result


def errors(run_query: RunQuery, version: Version) -> Errors:
    """Return the errors of the predictions for the test month of a version."""
    prefix, target, unit = MODELS[version.model]
    where = (
        f"from warehouse.trip_predictions where pickup_month = date'{version.test_month}-01' "
        f"and predicted_{prefix} is not null"
    )
    ((percentile,),) = run_query(f"select percentile(cast({target} as double), 0.99D) {where}")
    limit = float(percentile or 1) or 1.0

    def bin_of(name: str) -> str:
        return f"cast(least({BINS - 1}, floor({BINS} * cast({name} as double) / {limit}D)) as int)"

    error = f"abs(predicted_{prefix} - cast({target} as double))"
    cells = run_query(f"select {bin_of(target)}, {bin_of(f'predicted_{prefix}')}, count(*) {where} group by all")
    hours = run_query(f"select hour(pickup_at), avg({error}) {where} group by all order by 1")
    zones = run_query(f"select pickup_zone_id, avg({error}), count(*) {where} group by all")
    used = run_query(f"select distinct {prefix}_version {where} order by 1")
    return Errors(
        tuple(int(number) for (number,) in used),
        unit,
        limit,
        tuple((int(a), int(b), int(n)) for a, b, n in cells),
        {int(hour): float(mean) for hour, mean in hours},
        {int(zone): (float(mean), int(trips)) for zone, mean, trips in zones},
    )


def zones(run_query: RunQuery) -> list[Zone]:
    """Return every zone with its cluster and rank."""
    rows = run_query(
        "select z.zone_id, z.zone, z.borough, c.cluster, coalesce(c.label, ''), r.page_rank from warehouse.dim_zones z "
        "left join warehouse.zone_clusters c on z.zone_id = c.zone_id "
        "left join warehouse.zone_rank r on z.zone_id = r.zone_id where z.is_known order by z.borough, z.zone"
    )
    return [
        Zone(int(a), str(b), str(c), None if d is None else int(d), str(e), None if f is None else float(f))
        for a, b, c, d, e, f in rows
    ]


def hourly_shares(run_query: RunQuery) -> dict[int, list[float]]:
    """Return, for each cluster, the share of its trips in each hour of the day."""
    rows = run_query(
        "select c.cluster, hour(t.pickup_at), count(*) / sum(count(*)) over (partition by c.cluster) "
        "from warehouse.fct_trips t join warehouse.zone_clusters c on t.pickup_zone_id = c.zone_id group by 1, 2"
    )
    shares: dict[int, list[float]] = {}
    for cluster, hour, share in rows:
        shares.setdefault(int(cluster), [0.0] * 24)[int(hour)] = float(share)
    return dict(sorted(shares.items()))


def drift(run_query: RunQuery) -> dict[str, dict[tuple[str, str], float]]:
    """Return, for each model, the drift by (feature, month) in the months that have predictions."""
    rows = run_query(
        "select model, feature, pickup_month, value from warehouse.prediction_drift "
        "where measure = 'distance' order by 3, 2"
    )
    by_model: dict[str, dict[tuple[str, str], float]] = {}
    for model, feature, month, value in rows:
        by_model.setdefault(model, {})[(feature, str(month)[:7])] = float(value)
    return by_model
