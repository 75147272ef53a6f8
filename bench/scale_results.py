"""Results of bench/scale.py, which are saved as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# The layers are the folders of models/, and python_models/, of which only trip_features is built.
PYTHON = "python_models"
LAYERS = ("staging", "intermediate", "marts", PYTHON)
CHECKED, TRIPS = "intermediate.int_trips_checked", "warehouse.fct_trips"


@dataclass(frozen=True)
class Layer:
    """The models of one folder in one build.

    Attributes:
        models: number of models that are tables.
        wall: sum of the seconds that dbt reports for the models.
        cpu: CPU seconds of Spark's processes while these models ran.
        task, task_cpu: seconds and CPU seconds of the tasks.
        shuffled, spilled: bytes written for shuffles, and bytes written to disk because memory was full.
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
    """The files of a Delta table's current version, `size` bytes in all, without the month that warms the server up."""

    name: str
    partitions: int
    files: int
    size: int


@dataclass(frozen=True)
class Build:
    """One build of the project.

    Attributes:
        workers: workers of a standalone cluster, with one core each; 0 if tasks run in the server itself.
        months, rows, lake: number of months, of rows and of bytes in the lake.
        wall, cpu, client: wall seconds of `dbt build`, CPU seconds of Spark's processes, and CPU seconds of dbt.
        resident, heap: peak resident memory of the server's process, and peak of its used heap, in bytes.
        executors: sum of the peak memory of the executors' processes, in bytes.
        broadcast: memory of the largest broadcast of `int_trips_checked`, in bytes. It is at least 32 MB.
        sent: bytes of the largest result that the tasks of one stage sent to the driver to be broadcast.
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
        """Return the layer named `name`."""
        return next(item for item in self.layers if item.name == name)

    def table(self, name: str) -> Table:
        """Return the table named `name`."""
        return next(item for item in self.tables if item.name == name)

    def sql_total(self, figure: str) -> float:
        """Return the sum of `wall`, `cpu`, `task` or `shuffled` over the layers of SQL models."""
        return float(sum(getattr(item, figure) for item in self.layers if item.name != PYTHON))


@dataclass(frozen=True)
class Lake:
    """A lake: wall seconds and peak memory (bytes) of the process that made and landed its rows."""

    rows: int
    seconds: float
    resident: int


@dataclass(frozen=True)
class Fixed:
    """Many months of few rows, to measure the cost of a month regardless of its rows.

    Attributes:
        months, rows: number of months, and of green and yellow rows together.
        tables: number of tables that are built by month.
        wall, cpu: wall seconds of the build, and Spark's CPU seconds.
        publish: seconds to register the months with Spark as partitions.
        entries, manifest, reading: number of commits in the manifest, their bytes, and seconds to read them all.
        nothing: seconds of a later `dbt run` that has nothing to do.
        resident: peak resident memory of the server's process, in bytes.
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
        log, checkpoint: bytes of the commit that adds the files, and of the checkpoint that lists them.
        state: bytes of Delta's list of files in the memory of executors.
        first, again: seconds to plan a query on one zone before and after this list is in memory.
    """

    files: int
    log: int
    checkpoint: int
    state: int
    first: float
    again: float


@dataclass(frozen=True)
class Results:
    """Results by part. A part that wasn't measured is empty or None."""

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
    """Return the results that JSON data contains."""
    kinds: dict[str, Any] = {"lakes": lambda item: Lake(**item), "builds": _build, "workers": _build}
    kinds["files"] = lambda item: Files(**item)
    lists: dict[str, Any] = {
        name: [make(item) for item in data[name]] for name, make in kinds.items() if data.get(name)
    }
    fixed: dict[str, Any] = {"fixed": Fixed(**data["fixed"])} if data.get("fixed") else {}
    return Results(data.get("date", ""), **lists, **fixed)
