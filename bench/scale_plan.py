"""What a number of rows would take, reckoned from what bench/scale.py measured: rates, and plans by formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scale_results import CHECKED, MILLION, TRIPS, Build, Files, Results, line

CORES = 2
HOUR = 3600
MB, GB = 2**20, 2**30
# The target that is reckoned with: `target_file_size(128)`; and the size that Spark aims at for a task.
FILE_MB = 128
# Of adapter and Spark: intervals of one commit, and bytes that a statement's tasks may send to the driver.
PER_COMMIT = 12
RESULT = GB
EXECUTOR_CORES = 4


@dataclass(frozen=True)
class Rates:
    """What a row, a month and a file take.

    Attributes:
        cpu, cpu_fixed: Spark's CPU seconds of a million rows, and of a build of none.
        busy: share of the cores' time in which they ran tasks.
        shuffled, stage: bytes a row of all shuffles, and of the largest of one stage.
        sent: bytes a row of the largest result that tasks sent to the driver, which broadcasts it.
        lake, stored, trips, checked: bytes a row of the lake, all tables, fct_trips, int_trips_checked.
        month: seconds that a month takes whatever is in it.
        landed: rows that one process makes and lands in a second.
        log, checkpoint, state: bytes a file, in a commit, in a checkpoint, in memory.
        entry, entry_seconds: bytes of a commit of the manifest, and seconds to read it.
    """

    cpu: float
    cpu_fixed: float
    busy: float
    shuffled: float
    stage: float
    sent: float
    lake: float
    stored: float
    trips: float
    checked: float
    month: float
    landed: float
    log: float
    checkpoint: float
    state: float
    entry: float
    entry_seconds: float


def busy(build: Build, cores: int = CORES) -> float:
    """The share of the cores' time in which they ran tasks, while models were built."""
    return build.sql("task") / (cores * build.sql("wall"))


def _each(files: Sequence[Files], name: str) -> float:
    return line([(item.files, getattr(item, name)) for item in files]).each


def rates(found: Results) -> Rates:
    """The rates that results give: of the largest build, or of a line through all sizes.

    Raises:
        ValueError: fewer than two sizes, or a part wasn't measured.
    """
    if not (found.builds and found.lakes and found.fixed and found.files):
        raise ValueError("a plan needs every part measured")
    largest, fixed, files = found.builds[-1], found.fixed, found.files
    cpu = line([(build.rows / MILLION, build.sql("cpu")) for build in found.builds])
    return Rates(
        cpu.each,
        cpu.fixed,
        busy(largest),
        largest.sql("shuffled") / largest.rows,
        largest.shuffle / largest.rows,
        largest.sent / largest.rows,
        largest.lake / largest.rows,
        sum(table.size for table in largest.tables) / largest.rows,
        largest.table(TRIPS).size / largest.rows,
        largest.table(CHECKED).size / largest.rows,
        fixed.wall / fixed.months,
        1 / line([(lake.rows, lake.seconds) for lake in found.lakes]).each,
        _each(files, "log"),
        _each(files, "checkpoint"),
        _each(files, "state"),
        fixed.manifest / fixed.entries,
        fixed.reading / fixed.entries,
    )


@dataclass(frozen=True)
class Plan:
    """What so many rows in so many months take, all of them built in `hours`.

    Attributes:
        core_hours: of Spark's processes.
        cores, executors: for that time; executors of four cores.
        shuffled: bytes of all shuffles.
        intervals: of one commit, so that what is sent stays below a statement's limit; 0: not even one does.
        commits: of each table.
        sent: bytes to the driver, for one commit.
        partitions: `spark.sql.shuffle.partitions`, so that one has 128 MB in the largest shuffle of a commit.
        file: bytes of a month's landed file.
        stored: bytes of all tables; `trips` of a month of fct_trips.
        files: of fct_trips and int_trips_checked at the target size; `state` bytes of their lists in memory.
        overhead: seconds that months take whatever is in them.
        landing: hours of one process that lands.
    """

    rows: int
    months: int
    hours: float
    core_hours: float
    cores: int
    executors: int
    shuffled: float
    intervals: int
    commits: int
    sent: float
    partitions: int
    file: float
    stored: float
    trips: float
    files: int
    state: float
    overhead: float
    landing: float


def plan(found: Rates, rows: int, months: int, hours: float) -> Plan:
    """The plan by the page's formulas."""
    seconds = max(0.0, found.cpu_fixed) + found.cpu * rows / MILLION
    cores = max(1, math.ceil(seconds / (hours * HOUR * found.busy)))
    month = rows / months
    fitting = math.floor(RESULT / (found.sent * month)) if found.sent else PER_COMMIT
    intervals = min(PER_COMMIT, months, fitting)
    built = max(1, intervals) * month
    files = [months * math.ceil(each * month / (FILE_MB * MB)) for each in (found.trips, found.checked)]
    return Plan(
        rows,
        months,
        hours,
        seconds / HOUR,
        cores,
        math.ceil(cores / EXECUTOR_CORES),
        found.shuffled * rows,
        intervals,
        math.ceil(months / max(1, intervals)),
        found.sent * built,
        max(4, 2 * cores, math.ceil(found.stage * built / (FILE_MB * MB))),
        found.lake * month,
        found.stored * rows,
        found.trips * month,
        sum(files),
        sum(files) * found.state,
        found.month * months,
        rows / found.landed / HOUR,
    )
