"""What bench/scale.py measured, in objects that are kept as JSON, and what is reckoned from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Folders of models/; and python_models/, whose one model that isn't left out is trip_features.
PYTHON = "python_models"
LAYERS = ("staging", "intermediate", "marts", PYTHON)
MILLION = 1_000_000
CHECKED, TRIPS = "intermediate.int_trips_checked", "warehouse.fct_trips"


@dataclass(frozen=True)
class Layer:
    """The models of one folder in one build.

    Attributes:
        models: how many of them are tables.
        wall: seconds that dbt says they took, one after another.
        cpu: CPU seconds of Spark's processes meanwhile.
        task: seconds that tasks ran, and `task_cpu` their CPU seconds.
        shuffled, spilled: bytes that were written for a shuffle, and for want of memory.
    """

    name: str
    models: int
    wall: float
    cpu: float
    task: float
    task_cpu: float
    shuffled: int
    spilled: int


@dataclass(frozen=True)
class Table:
    """A Delta table's live files: `size` bytes in all; the month that warmed up is left out."""

    name: str
    partitions: int
    files: int
    size: int


@dataclass(frozen=True)
class Build:
    """One build of the project.

    Attributes:
        workers: of a standalone cluster, a core each; 0 where tasks run in the server itself.
        months, rows: of the lake; `lake` its bytes.
        wall, cpu, client: seconds of `dbt build`, CPU seconds of Spark's processes and of dbt's.
        resident: the most memory that the server's process held; `heap` the most of its heap; bytes.
        executors: the most memory that the executors' processes held together, bytes.
        broadcast: bytes of the largest broadcast of `int_trips_checked` in memory: 32 MB at least.
        sent: bytes of the largest result that the tasks of one stage sent to the driver, to be broadcast.
        shuffle: bytes of the largest shuffle of one stage.
    """

    workers: int
    months: int
    rows: int
    lake: int
    memory: str
    wall: float
    cpu: float
    client: float
    resident: int
    heap: int
    executors: int
    broadcast: int
    sent: int
    shuffle: int
    layers: list[Layer]
    tables: list[Table]

    def layer(self, name: str) -> Layer:
        """One layer's."""
        return next(item for item in self.layers if item.name == name)

    def table(self, name: str) -> Table:
        """One table's."""
        return next(item for item in self.tables if item.name == name)

    def sql(self, what: str) -> float:
        """A sum over the layers of SQL models: of `wall`, `cpu`, `task`, `shuffled`."""
        return float(sum(getattr(item, what) for item in self.layers if item.name != PYTHON))


@dataclass(frozen=True)
class Lake:
    """A lake as it was made: seconds, and peak bytes of the process that made and landed it."""

    rows: int
    seconds: float
    resident: int


@dataclass(frozen=True)
class Fixed:
    """Many months of few rows: what months cost whatever is in them.

    Attributes:
        months, rows: of green and yellow together.
        wall, cpu: seconds and Spark's CPU seconds of the build; `tables` those that are built by month.
        publish: seconds in which the months became partitions in the metastore.
        entries, manifest, reading: commits of the manifest, their bytes, and seconds to read them all.
        nothing: seconds of a `dbt run` afterwards, with nothing to do.
        resident: the most memory that the server's process held, bytes.
    """

    months: int
    rows: int
    tables: int
    wall: float
    cpu: float
    publish: float
    entries: int
    manifest: int
    reading: float
    nothing: float
    resident: int


@dataclass(frozen=True)
class Files:
    """A copy of fct_trips in many small files.

    Attributes:
        log: bytes of the commit that adds them; `checkpoint` of the one file that says the same.
        state: bytes of Delta's list of files in the memory of executors.
        first, again: seconds to plan a question on one zone, before and after that list is there.
    """

    files: int
    log: int
    checkpoint: int
    state: int
    first: float
    again: float


@dataclass(frozen=True)
class Results:
    """All that was measured; a part that wasn't is empty or None."""

    date: str = ""
    lakes: list[Lake] | None = None
    builds: list[Build] | None = None
    workers: list[Build] | None = None
    fixed: Fixed | None = None
    files: list[Files] | None = None


@dataclass(frozen=True)
class Line:
    """A cost of `fixed` and of `each` for each row."""

    fixed: float
    each: float


def line(points: Sequence[tuple[float, float]]) -> Line:
    """The line of least squares through (rows, cost).

    Raises:
        ValueError: fewer than two different numbers of rows.
    """
    if len({x for x, _ in points}) < 2:
        raise ValueError("a line needs two sizes")
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    return Line(mean_y - slope * mean_x, slope)


def _build(data: dict[str, Any]) -> Build:
    layers, tables = [Layer(**item) for item in data["layers"]], [Table(**item) for item in data["tables"]]
    return Build(**{**data, "layers": layers, "tables": tables})


def read(data: dict[str, Any]) -> Results:
    """Results from their JSON."""
    kinds: dict[str, Any] = {"lakes": lambda item: Lake(**item), "builds": _build, "workers": _build}
    kinds["files"] = lambda item: Files(**item)
    found = {name: [make(item) for item in data[name]] for name, make in kinds.items() if data.get(name)}
    fixed = {"fixed": Fixed(**data["fixed"])} if data.get("fixed") else {}
    return Results(data.get("date", ""), **found, **fixed)
