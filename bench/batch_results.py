"""Results of bench/batch.py, and figures derived from them: a line through the costs of the months, and means."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.projects import Cost

# The first WARM months still warm the server up: the chart shows them, but no figure uses them.
# A mean is over FEW months.
WARM, FEW = 2, 3


@dataclass(frozen=True)
class Fit:
    """The least-squares line through the costs of months.

    Attributes:
        start: value of the line at month 0, in the costs' unit.
        slope: cost that each month adds, in the costs' unit.
        mean: mean of the fitted costs.
    """

    start: float
    slope: float
    mean: float

    @property
    def share(self) -> float:
        """Return the cost that each month adds, as a share of the mean."""
        return self.slope / self.mean


def fit(costs: Sequence[float]) -> Fit:
    """Return the line through the costs of months 1, 2, … without the months that warm the server up.

    Raises:
        ValueError: fewer than two months are left.
    """
    kept = costs[WARM:]
    if len(kept) < 2:
        raise ValueError(f"a line needs {WARM + 2} months, there are {len(costs)}")
    slope, start = statistics.linear_regression(range(WARM + 1, len(costs) + 1), kept)
    return Fit(start, slope, statistics.mean(kept))


def mean_of_first(costs: Sequence[float]) -> float:
    """Return the mean cost of the first three months after the months that warm the server up."""
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
        tables: number of tables in which each run replaced the month.
    """

    rows: int
    memory: str
    names: list[str]
    costs: list[Cost]
    tables: int

    def costs_of(self, kind: str) -> list[float]:
        """Return one kind of cost for each month: wall, spark or client."""
        return [float(getattr(cost, kind)) for cost in self.costs]


@dataclass(frozen=True)
class NoChange:
    """Runs with nothing to do: costs, and median numbers of Spark jobs, jobs that scan trips, and new versions."""

    months: int
    costs: list[Cost]
    jobs: int
    reading: int
    versions: int


@dataclass(frozen=True)
class Threads:
    """Costs of building the same month again, by number of threads. Each number of threads has `rounds` costs."""

    rounds: int
    rows: int
    costs: dict[str, list[Cost]]


@dataclass(frozen=True)
class Way:
    """The cost of one strategy when the twelfth month lands.

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
    """The same model with `interval`, with `microbatch` and as a table. Each of the months has `rows` rows."""

    rows: int
    months: int
    ways: dict[str, Way]


@dataclass(frozen=True)
class Peak:
    """A backfill on a new server.

    Attributes:
        words: the command.
        months, rows: number of months, and of rows in each month.
        commits: number of commits to fct_trips.
        resident: peak resident memory of Spark's process, in bytes.
        heap: peak of the used heap that Spark reports, in bytes.
    """

    words: str
    months: int
    rows: int
    commits: int
    resident: int
    heap: int


@dataclass(frozen=True)
class Memory:
    """Backfills with the same size of heap."""

    heap: str
    peaks: list[Peak]


def _costs(items: list[dict[str, float]]) -> list[Cost]:
    return [Cost(**item) for item in items]


def read(name: str, data: dict[str, Any]) -> Any:
    """Return the results of a part that JSON data contains."""
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
