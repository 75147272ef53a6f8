"""Generate taxi trips with the distributions, the skew and the data defects of real months.

The rates of the defects were measured in 26 real months of green taxis. Rare defects are more frequent in generated
trips than in real ones, so that every defect occurs in each month of at least a thousand rows. All random numbers come
from the generator that the caller passes, so the same seed gives the same trips.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.intervals.grain import GRAINS, MONTH

Array = npt.NDArray[Any]
Trips = dict[str, Array]

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Relative number of pick-ups in each hour of the day, starting at midnight.
_HOURS = np.array([26, 17, 11, 8, 6, 6, 14, 28, 40, 43, 44, 47, 51, 52, 56, 58, 59, 65, 70, 64, 56, 54, 49, 39.0])
_MANHATTAN = np.array(
    [4, 12, 13, 24, 41, 42, 43, 45, 48, 50, 68, 74, 75, 79, 87, 88, 90, 100, 107, 113, 114, 116, 120, 125, 127, 128,
     137, 140, 141, 142, 143, 144, 148, 151, 152, 153, 158, 161, 162, 163, 164, 166, 170, 186, 194, 202, 209, 211, 224,
     229, 230, 231, 232, 233, 234, 236, 237, 238, 239, 243, 244, 246, 249, 261, 262, 263]
)  # fmt: skip
_AIRPORTS = np.array([1, 132, 138])
_GREEN = np.array([7, 25, 33, 41, 42, 43, 49, 61, 65, 66, 74, 75, 82, 95, 97, 129, 130, 166, 181, 244])
ZONES = 265


def _make_map() -> tuple[Array, Array]:
    """Return (positions of the zones in miles, shape (266, 2); their popularity, shape (266,)). Index 0 is unused."""
    rng = np.random.default_rng(ZONES)
    positions = rng.uniform((-8, -8), (12, 14), (ZONES + 1, 2))
    positions[_MANHATTAN] = rng.uniform((-1, 0), (1, 12), (len(_MANHATTAN), 2))
    positions[_AIRPORTS] = (-12, -3), (11, -6), (6, 5)
    return positions, rng.lognormal(0, 0.8, ZONES + 1)


_POSITIONS, _POPULARITY = _make_map()


def _weights(dataset: str) -> tuple[Array, Array]:
    """Return (cumulative shares of pick-ups by zone, cumulative shares of drop-offs by zone), each of shape (266,)."""
    start = _POPULARITY.copy()
    factor = {"yellow": (20, 60, 1), "green": (0.5, 0.2, 30), "fhvhv": (3, 10, 1)}[dataset]
    start[_MANHATTAN] *= factor[0]
    start[_AIRPORTS] *= factor[1]
    start[_GREEN] *= factor[2]
    start[0] = 0
    start[264:] = start.sum() * np.array([0.0022, 0.0008])
    end = start**0.7
    end[264:] = end[:264].sum() * np.array([0.004, 0.008])
    return np.cumsum(start / start.sum()), np.cumsum(end / end.sum())


def _draw(cumulative: Array, rng: np.random.Generator, rows: int) -> Array:
    return np.minimum(np.searchsorted(cumulative, rng.random(rows)), len(cumulative) - 1)


def _seconds(month: date) -> tuple[int, int]:
    """Return (start of the month in seconds since 1970, number of days in the month)."""
    epoch = date(1970, 1, 1)
    return (month - epoch).days * DAY, (GRAINS[MONTH].following(month) - month).days


def make_journeys(dataset: str, month: date, rows: int, rng: np.random.Generator) -> Trips:
    """Return the times, zones and distances of generated trips.

    Returns:
        arrays of shape (rows,): `pickup` and `dropoff` in whole seconds since 1970, `hour` of the day and `day` of the
        month of the pick-up (both from 0), `pu` and `do` with the zones of pick-up and drop-off, and `miles`.
    """
    first, days = _seconds(month)
    weekday = (np.arange(days) + month.weekday()) % 7
    by_day = np.array([0.9, 0.98, 1.02, 1.08, 1.1, 1.06, 0.86])[weekday]
    day = _draw(np.cumsum(by_day / by_day.sum()), rng, rows)
    hour = _draw(np.cumsum(_HOURS / _HOURS.sum()), rng, rows)
    pickup = first + day * DAY + hour * HOUR + rng.integers(0, HOUR, rows)
    starts, ends = _weights(dataset)
    pu, do = _draw(starts, rng, rows), _draw(ends, rng, rows)
    near = rng.random(rows) < 0.15
    do = np.where(near, pu, do)
    straight = np.abs(_POSITIONS[pu] - _POSITIONS[do]).sum(axis=1)
    miles = np.round((0.4 + straight) * rng.lognormal(0.05, 0.2, rows), 2)
    speed = np.where((hour >= 7) & (hour < 20), 10.5, 15.0) + np.minimum(miles, 15) * 0.6
    length = np.maximum(30, miles / speed * HOUR * rng.lognormal(0, 0.25, rows)).astype(np.int64)
    return {"pickup": pickup, "dropoff": pickup + length, "hour": hour, "day": day, "pu": pu, "do": do, "miles": miles}


def is_manhattan(zones: Array) -> Array:
    """Return a boolean array that is true for the zones in Manhattan."""
    return np.isin(zones, _MANHATTAN)


def is_airport(zones: Array) -> Array:
    """Return a boolean array that is true for the zones that are airports."""
    return np.isin(zones, _AIRPORTS)


def add_defects(trips: Trips, amounts: tuple[str, ...], month: date, rng: np.random.Generator, *, voids: bool) -> None:
    """Add data defects to trips in place. The number of rows does not change.

    Args:
        trips: the trips, which are changed.
        amounts: names of the money columns.
        month: first day of the month.
        rng: the random number generator.
        voids: whether to add voided trips. A voided trip is a copy of another trip with negated amounts.
    """
    rows = len(trips["pickup"])
    order, used = rng.permutation(rows), 0

    def take(rate: float) -> Array:
        """Return row indexes that `take` has not returned before: about the share `rate` of all rows.

        If there are at least a thousand rows, at least one index is returned.
        """
        nonlocal used
        count = int(rng.binomial(rows, rate)) + (rows >= 1000)
        used += count
        return order[used - count : used]

    pickup, dropoff, miles = trips["pickup"], trips["dropoff"], trips["miles"]
    miles[rng.random(rows) < 0.045] = 0.0
    # Trips in another year or month.
    wrong = take(0.0002)
    years = rng.integers(2008, max(2009, month.year), len(wrong))
    shift = np.where(rng.random(len(wrong)) < 0.5, (years - month.year) * 365 * DAY, 40 * DAY)
    pickup[wrong] += shift
    dropoff[wrong] += shift
    # Drop-offs before the pick-up, at the same time, or almost a day later.
    wrong = take(0.00003)
    dropoff[wrong] = pickup[wrong] - rng.integers(1, HOUR, len(wrong))
    wrong = take(0.001)
    dropoff[wrong] = pickup[wrong]
    wrong = take(0.003)
    dropoff[wrong] = pickup[wrong] + DAY - rng.integers(1, 10 * MINUTE, len(wrong))
    # Impossible distances.
    wrong = take(0.0005)
    miles[wrong] = np.round(100 + rng.pareto(0.7, len(wrong)).clip(max=2500) * 100, 2)
    wrong = take(0.00001)
    miles[wrong] = -np.round(rng.uniform(0.1, 9, len(wrong)), 2)
    # Zones that don't exist.
    wrong = take(0.00002)
    trips["pu"][wrong] = rng.choice([0, 266, 999], len(wrong))
    wrong = take(0.00002)
    trips["do"][wrong] = rng.choice([0, 266, 999], len(wrong))
    # Negative amounts.
    wrong = take(0.00008)
    for name in amounts:
        trips[name][wrong] *= -1
    if voids:
        # Overwrite other trips with copies, and negate the amounts of the copies.
        _copy(trips, kept := take(0.0029), twin := order[used : used + len(kept)])
        used += len(kept)
        for name in amounts:
            trips[name][twin] *= -1
        trips["payment"][twin] = np.where(
            trips["payment"][twin] > 0, rng.choice([3, 4], len(twin)), trips["payment"][twin]
        )
    # Repeated rows.
    kept = take(0.0002)
    _copy(trips, kept, order[used : used + len(kept)])


def _copy(trips: Trips, source: Array, target: Array) -> None:
    for values in trips.values():
        values[target] = values[source[: len(target)]]
