"""Results of bench/batch.py, a line through the costs of the months, and means of the first and last ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.projects import Cost

# The first months still warm the server up: they are shown, and left out of every figure. Means are of FEW months.
WARM, FEW = 2, 3


@dataclass(frozen=True)
class Fit:
    """The line of least squares through the costs of months.

    Attributes:
        start: its value at month 0, in the costs' unit.
        slope: cost that each month adds, in the costs' unit.
        mean: mean of the costs that it fits.
    """

    start: float
    slope: float
    mean: float

    @property
    def share(self) -> float:
        """Return the cost that each month adds, as a share of the mean."""
        return self.slope / self.mean


def fit(costs: Sequence[float]) -> Fit:
    """Return the line through the costs of months 1, 2, … without those that warm up.

    Raises:
        ValueError: fewer than two months are left.
    """
    kept = costs[WARM:]
    if len(kept) < 2:
        raise ValueError(f"a line needs {WARM + 2} months, there are {len(costs)}")
    slope, start = statistics.linear_regression(range(WARM + 1, len(costs) + 1), kept)
    return Fit(start, slope, statistics.mean(kept))


def mean_of_first(costs: Sequence[float]) -> float:
    """Return the mean cost of the first three months after those that warm up."""
    return statistics.mean(costs[WARM : WARM + FEW])


def mean_of_last(costs: Sequence[float]) -> float:
    """Return the mean cost of the last three months."""
    return statistics.mean(costs[-FEW:])


@dataclass(frozen=True)
class Months:
    """One `dbt run` a month, in order.

    Attributes:
        rows: rows of each month.
        memory: Spark's heap.
        names: the months.
        costs: costs of their runs.
        tables: in how many tables each run replaced the month.
    """

    rows: int
    memory: str
    names: list[str]
    costs: list[Cost]
    tables: int

    def costs_of(self, kind: str) -> list[float]:
        """Return one kind of cost of each month: wall, spark or client."""
        return [float(getattr(cost, kind)) for cost in self.costs]


@dataclass(frozen=True)
class NoChange:
    """Runs with nothing to do: their costs, and medians of Spark jobs, of those that read trips, of new versions."""

    months: int
    costs: list[Cost]
    jobs: int
    reading: int
    versions: int


@dataclass(frozen=True)
class Threads:
    """The same month built again, by the number of threads; `rounds` of each in turns."""

    rounds: int
    rows: int
    costs: dict[str, list[Cost]]


@dataclass(frozen=True)
class Way:
    """One strategy when the twelfth month lands.

    Attributes:
        batches: intervals or batches that one run built; 0 for a full refresh.
        model: seconds that dbt reports for the model, for each round.
        costs: costs of the whole command, for each round.
    """

    batches: int
    model: list[float]
    costs: list[Cost]


@dataclass(frozen=True)
class Peer:
    """The same model by `interval`, `microbatch` and as a table; `rows` of each of the months."""

    rows: int
    months: int
    ways: dict[str, Way]


@dataclass(frozen=True)
class Peak:
    """A backfill on a fresh server.

    Attributes:
        words: the command.
        months, rows: number of months, and rows of each.
        commits: commits of fct_trips.
        resident: peak memory of Spark's process, bytes.
        heap: peak of the heap that Spark saw in use, bytes.
    """

    words: str
    months: int
    rows: int
    commits: int
    resident: int
    heap: int


@dataclass(frozen=True)
class Memory:
    """Backfills with one size of heap."""

    heap: str
    peaks: list[Peak]


def _costs(items: list[dict[str, float]]) -> list[Cost]:
    return [Cost(**item) for item in items]


def read(name: str, data: dict[str, Any]) -> Any:
    """Return a part's results from their JSON."""
    if name == "months":
        return Months(**{**data, "costs": _costs(data["costs"])})
    if name == "nochange":
        return NoChange(**{**data, "costs": _costs(data["costs"])})
    if name == "threads":
        return Threads(**{**data, "costs": {key: _costs(items) for key, items in data["costs"].items()}})
    if name == "peer":
        ways = {key: Way(**{**item, "costs": _costs(item["costs"])}) for key, item in data["ways"].items()}
        return Peer(**{**data, "ways": ways})
    return Memory(**{**data, "peaks": [Peak(**item) for item in data["peaks"]]})
