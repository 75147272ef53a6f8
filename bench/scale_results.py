"""Results of bench/scale.py, which are kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Folders of models/, and python_models/: trip_features is the only model of it that is built.
PYTHON = "python_models"
LAYERS = ("staging", "intermediate", "marts", PYTHON)
CHECKED, TRIPS = "intermediate.int_trips_checked", "warehouse.fct_trips"


@dataclass(frozen=True)
class Layer:
    """The models of one folder in one build.

    Attributes:
        models: how many of them are tables.
        wall: seconds that dbt reports for them, one after another.
        cpu: CPU seconds of Spark's processes in that time.
        task, task_cpu: seconds and CPU seconds of the tasks.
        shuffled, spilled: bytes that were written for shuffles, and because memory was full.
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
    """A Delta table's live files: `size` bytes in all; without the month that warms up."""

    name: str
    partitions: int
    files: int
    size: int


@dataclass(frozen=True)
class Build:
    """One build of the project.

    Attributes:
        workers: workers of a standalone cluster, a core each; 0 if tasks run in the server itself.
        months, rows, lake: of the lake; its bytes.
        wall, cpu, client: seconds of `dbt build`, CPU seconds of Spark's processes and of dbt's.
        resident, heap: peak memory of the server's process, and of its heap; bytes.
        executors: sum of the peak memory of the executors' processes, bytes.
        broadcast: bytes of the largest broadcast of `int_trips_checked` in memory, at least 32 MB.
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
        """Return a layer by its name."""
        return next(item for item in self.layers if item.name == name)

    def table(self, name: str) -> Table:
        """Return a table by its name."""
        return next(item for item in self.tables if item.name == name)

    def sql_total(self, figure: str) -> float:
        """Return the sum of `wall`, `cpu`, `task` or `shuffled` over the layers of SQL models."""
        return float(sum(getattr(item, figure) for item in self.layers if item.name != PYTHON))


@dataclass(frozen=True)
class Lake:
    """A lake: seconds and peak memory, in bytes, of the process that made and landed its rows."""

    rows: int
    seconds: float
    resident: int


@dataclass(frozen=True)
class Fixed:
    """Many months of few rows, to measure the cost of a month regardless of its rows.

    Attributes:
        months, rows: of green and yellow together.
        tables: tables that are built by month.
        wall, cpu: seconds and Spark's CPU seconds of the build.
        publish: seconds to register the months as partitions with Spark.
        entries, manifest, reading: commits of the manifest, their bytes, and seconds to read them all.
        nothing: seconds of a `dbt run` afterwards, with nothing to do.
        resident: peak memory of the server's process, bytes.
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
        files: number of files.
        log, checkpoint: bytes of the commit that adds them, and of the checkpoint that lists them.
        state: bytes of Delta's list of files in the memory of executors.
        first, again: seconds to plan a query on one zone, before and after that list is in memory.
    """

    files: int
    log: int
    checkpoint: int
    state: int
    first: float
    again: float


@dataclass(frozen=True)
class Results:
    """Results by part; a part that wasn't measured is empty or None."""

    date: str = ""
    lakes: list[Lake] | None = None
    builds: list[Build] | None = None
    workers: list[Build] | None = None
    fixed: Fixed | None = None
    files: list[Files] | None = None


def _build(data: dict[str, Any]) -> Build:
    layers, tables = [Layer(**item) for item in data["layers"]], [Table(**item) for item in data["tables"]]
    return Build(**{**data, "layers": layers, "tables": tables})


def read(data: dict[str, Any]) -> Results:
    """Return results from their JSON."""
    kinds: dict[str, Any] = {"lakes": lambda item: Lake(**item), "builds": _build, "workers": _build}
    kinds["files"] = lambda item: Files(**item)
    lists: dict[str, Any] = {
        name: [make(item) for item in data[name]] for name, make in kinds.items() if data.get(name)
    }
    fixed: dict[str, Any] = {"fixed": Fixed(**data["fixed"])} if data.get("fixed") else {}
    return Results(data.get("date", ""), **lists, **fixed)
