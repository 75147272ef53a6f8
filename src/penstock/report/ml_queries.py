"""What the report shows, asked of the warehouse: numbers by version, hour, zone, month."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Training model: prefix of its columns in trip_predictions, target, what its unit is.
MODELS = {
    "fare_model": ("fare", "fare_amount", "US dollars"),
    "duration_model": ("duration", "duration_minutes", "minutes"),
}
BINS = 40
Query = Callable[[str], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Version:
    """A trained version: its errors beside the baseline's, and whether it went live.

    Attributes:
        importance: (feature, share), the largest first.
        months: (month, role), in order of their use.
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
        """The MAE divided by the baseline's; NaN when the baseline's is 0."""
        return self.mae / self.baseline_mae if self.baseline_mae else float("nan")

    @property
    def rmse_ratio(self) -> float:
        """The RMSE divided by the baseline's; NaN when the baseline's is 0."""
        return self.rmse / self.baseline_rmse if self.baseline_rmse else float("nan")


@dataclass(frozen=True)
class Errors:
    """The predictions of the live version's test month, by the version that was live when it was built.

    Attributes:
        versions: which versions those were.
        unit: of the target.
        limit: the target's 99th percentile, where the picture of predicted and actual ends.
        cells: (actual, predicted, trips), the first two in BINS equal parts of the limit.
        by_hour: mean absolute error by hour of the day.
        by_zone: by pick-up zone: (mean absolute error, trips).
    """

    versions: tuple[int, ...]
    unit: str
    limit: float
    cells: tuple[tuple[int, int, int], ...]
    by_hour: dict[int, float]
    by_zone: dict[int, tuple[float, int]]


@dataclass(frozen=True)
class Zone:
    """A zone, with its cluster's number and label, if it has one, and its PageRank."""

    number: int
    name: str
    borough: str
    cluster: int | None
    label: str
    rank: float | None


def versions(query: Query) -> list[Version]:
    """Every version of every model, the newest first."""
    found: list[Version] = []
    for name in MODELS:
        rows = query(
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
            found.append(
                Version(name, int(number), bool(live), reason, str(month)[:7], *errors, int(trained), shares, used)
            )
    return found


def errors(query: Query, version: Version) -> Errors:
    """Of the predictions of a version's test month."""
    prefix, target, unit = MODELS[version.model]
    where = (
        f"from warehouse.trip_predictions where pickup_month = date'{version.test_month}-01' "
        f"and predicted_{prefix} is not null"
    )
    ((limit,),) = query(f"select percentile(cast({target} as double), 0.99D) {where}")
    top = float(limit or 1) or 1.0

    def part(name: str) -> str:
        return f"cast(least({BINS - 1}, floor({BINS} * cast({name} as double) / {top}D)) as int)"

    away = f"abs(predicted_{prefix} - cast({target} as double))"
    cells = query(f"select {part(target)}, {part(f'predicted_{prefix}')}, count(*) {where} group by all")
    hours = query(f"select hour(pickup_at), avg({away}) {where} group by all order by 1")
    zones = query(f"select pickup_zone_id, avg({away}), count(*) {where} group by all")
    used = query(f"select distinct {prefix}_version {where} order by 1")
    return Errors(
        tuple(int(number) for (number,) in used),
        unit,
        top,
        tuple((int(a), int(b), int(n)) for a, b, n in cells),
        {int(hour): float(error) for hour, error in hours},
        {int(zone): (float(error), int(trips)) for zone, error, trips in zones},
    )


def zones(query: Query) -> list[Zone]:
    """Every zone, with what was found out about it."""
    rows = query(
        "select z.zone_id, z.zone, z.borough, c.cluster, coalesce(c.label, ''), r.page_rank from warehouse.dim_zones z "
        "left join warehouse.zone_clusters c on z.zone_id = c.zone_id "
        "left join warehouse.zone_rank r on z.zone_id = r.zone_id where z.is_known order by z.borough, z.zone"
    )
    return [
        Zone(int(a), str(b), str(c), None if d is None else int(d), str(e), None if f is None else float(f))
        for a, b, c, d, e, f in rows
    ]


def profiles(query: Query) -> dict[int, list[float]]:
    """By cluster, the share of its trips in each hour of the day."""
    rows = query(
        "select c.cluster, hour(t.pickup_at), count(*) / sum(count(*)) over (partition by c.cluster) "
        "from warehouse.fct_trips t join warehouse.zone_clusters c on t.pickup_zone_id = c.zone_id group by 1, 2"
    )
    found: dict[int, list[float]] = {}
    for cluster, hour, share in rows:
        found.setdefault(int(cluster), [0.0] * 24)[int(hour)] = float(share)
    return dict(sorted(found.items()))


def drift(query: Query) -> dict[str, dict[tuple[str, str], float]]:
    """By model: the drift by (feature, month), for all months that a live version predicted."""
    rows = query(
        "select model, feature, pickup_month, value from warehouse.prediction_drift "
        "where measure = 'distance' order by 3, 2"
    )
    found: dict[str, dict[tuple[str, str], float]] = {}
    for model, feature, month, value in rows:
        found.setdefault(model, {})[(feature, str(month)[:7])] = float(value)
    return found
