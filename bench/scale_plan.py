"""Estimate the cost for other numbers of rows: rates from the results of bench/scale.py, and plans from the rates."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.projects import CORES
from bench.report import GB, MB, MILLION
from bench.scale_results import CHECKED, TRIPS, Build, Results

HOUR = 3600
# The target size of a file, as with `target_file_size(128)`, and of a task's input.
FILE_MB = 128
# Limits: intervals in one commit (the adapter's), and bytes that a statement's tasks send to the driver (Spark's).
PER_COMMIT = 12
RESULT = GB
EXECUTOR_CORES = 4


@dataclass(frozen=True)
class Rates:
    """The cost of a row, a month and a file.

    Attributes:
        cpu, cpu_fixed: Spark's CPU seconds per million rows, and for a build without rows.
        busy: share of the cores' time in which they ran tasks.
        shuffled, stage: bytes per row in all shuffles, and in the largest shuffle of one stage.
        sent: bytes per row of the largest result that tasks sent to the driver, which then broadcasts it.
        lake, stored, trips, checked: bytes per row of the lake, of all tables, of fct_trips and of int_trips_checked.
        month: seconds per month, regardless of its rows.
        landed: rows per second that one process makes and lands.
        state: bytes of memory per file in Delta's list of files.
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
    state: float


def busy(build: Build, cores: int = CORES) -> float:
    """Return the share of the cores' time in which they ran tasks, while models were built."""
    return build.sql_total("task") / (cores * build.sql_total("wall"))


def fit(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the slope and intercept of the least-squares line through points (rows, cost).

    Raises:
        ValueError: fewer than two different numbers of rows.
    """
    if len({x for x, _ in points}) < 2:
        raise ValueError("a line needs two sizes")
    slope, intercept = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
    return slope, intercept


def compute_rates(results: Results) -> Rates:
    """Return the rates. Each comes from the largest build, or from a line through the builds of all sizes.

    Raises:
        ValueError: fewer than two sizes were measured, or a part wasn't measured.
    """
    if not (results.builds and results.lakes and results.fixed and results.files):
        raise ValueError("a plan needs every part measured")
    largest, fixed = results.builds[-1], results.fixed
    cpu, cpu_fixed = fit([(build.rows / MILLION, build.sql_total("cpu")) for build in results.builds])
    return Rates(
        cpu,
        cpu_fixed,
        busy(largest),
        largest.sql_total("shuffled") / largest.rows,
        largest.shuffle / largest.rows,
        largest.sent / largest.rows,
        largest.lake / largest.rows,
        sum(table.size for table in largest.tables) / largest.rows,
        largest.table(TRIPS).size / largest.rows,
        largest.table(CHECKED).size / largest.rows,
        fixed.wall / fixed.months,
        1 / fit([(lake.rows, lake.seconds) for lake in results.lakes])[0],
        fit([(item.files, item.state) for item in results.files])[0],
    )


@dataclass(frozen=True)
class Plan:
    """The resources to build `rows` in `months`, all in one run that takes `hours`.

    Attributes:
        core_hours: CPU hours of Spark's processes.
        cores, executors: the cores needed to finish in `hours`, and the number of executors with four cores each.
        shuffled: bytes of all shuffles.
        intervals: largest number of intervals in one commit whose result is within a statement's limit; 0 if even one
            interval exceeds it.
        commits: number of commits to each table.
        sent: bytes sent to the driver for one commit.
        partitions: `spark.sql.shuffle.partitions` that gives each partition 128 MB in the largest shuffle of a commit.
        file: bytes of a month's landed file.
        stored, trips: bytes of all tables, and of a month of fct_trips.
        files, state: number of files of fct_trips and int_trips_checked at the target size, and bytes of the lists of
            these files in memory.
        overhead: seconds for all months, regardless of their rows.
        landing: hours that one process needs to land all rows.
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


def make_plan(rates: Rates, rows: int, months: int, hours: float) -> Plan:
    """Return the plan that the formulas of docs/explanation/scaling.md give."""
    seconds = max(0.0, rates.cpu_fixed) + rates.cpu * rows / MILLION
    cores = max(1, math.ceil(seconds / (hours * HOUR * rates.busy)))
    month = rows / months
    fitting = math.floor(RESULT / (rates.sent * month)) if rates.sent else PER_COMMIT
    intervals = min(PER_COMMIT, months, fitting)
    built = max(1, intervals) * month
    files = [months * math.ceil(each * month / (FILE_MB * MB)) for each in (rates.trips, rates.checked)]
    return Plan(
        rows,
        months,
        hours,
        seconds / HOUR,
        cores,
        math.ceil(cores / EXECUTOR_CORES),
        rates.shuffled * rows,
        intervals,
        math.ceil(months / max(1, intervals)),
        rates.sent * built,
        max(4, 2 * cores, math.ceil(rates.stage * built / (FILE_MB * MB))),
        rates.lake * month,
        rates.stored * rows,
        rates.trips * month,
        sum(files),
        sum(files) * rates.state,
        rates.month * months,
        rows / rates.landed / HOUR,
    )
