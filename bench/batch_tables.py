"""Show the results of bench/batch.py in docs/explanation/cost-of-a-month.md: tables and a chart."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from bench.batch_results import (
    FEW,
    WARM,
    Memory,
    Months,
    NoChange,
    Peer,
    Threads,
    fit,
    mean_of_first,
    mean_of_last,
)
from bench.charts import Chart, Series
from bench.projects import CORES, Cost
from bench.report import MB, Report, table, versions

PICTURE = "images/batch-cost.svg"
KINDS = ("wall", "spark", "client")
HEADS = ("seconds", "Spark's CPU seconds", "dbt's CPU seconds")
SERIES = {
    "wall": ("dbt run, wall seconds", "#1f6feb"),
    "spark": ("Spark, CPU seconds", "#bc4c00"),
    "client": ("dbt, CPU seconds", "#6e7781"),
}


def medians(costs: list[Cost]) -> tuple[float, ...]:
    """Return the median of each kind of cost."""
    return tuple(statistics.median(getattr(cost, kind) for cost in costs) for kind in KINDS)


def _seconds(values: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(f"{value:.1f}" for value in values)


def months(results: Months) -> list[str]:
    """Return the table of the mean costs of the first and last months, and the cost that each month adds."""
    count, costs = len(results.costs), [results.costs_of(kind) for kind in KINDS]
    lines = [fit(values) for values in costs]
    rows = [
        (f"mean of months {WARM + 1} to {WARM + FEW}", *(f"{mean_of_first(values):.1f}" for values in costs)),
        (f"mean of months {count - FEW + 1} to {count}", *(f"{mean_of_last(values):.1f}" for values in costs)),
        ("the last by the first", *(f"{mean_of_last(values) / mean_of_first(values):.2f}" for values in costs)),
        ("what each month adds", *(f"{line.slope:+.3f} ({line.share:+.2%})" for line in lines)),
    ]
    intro = (
        f"{count} months, each with {results.rows:,} rows of green and yellow trips together. For each month, one "
        f"`dbt run` replaces the month in {results.tables} tables; {CORES} cores, {results.memory} of heap; "
        f"{versions()}."
    )
    picture = f"![seconds of each month's run, with lines of least squares](../{PICTURE})"
    return [intro, "", *table(("`dbt run` of one more month", *HEADS), rows), "", picture]


def nochange(results: NoChange) -> list[str]:
    """Return the table of runs with nothing to do."""
    heads = (f"`dbt run` on {results.months} months, none changed", f"median of {len(results.costs)} runs")
    rows = [
        *zip(HEADS, _seconds(medians(results.costs)), strict=True),
        ("Spark jobs (views, `dim_zones`, manifest, ledger)", f"{results.jobs}"),
        ("Spark jobs that read trips", f"{results.reading}"),
        ("new versions of tables built by interval", f"{results.versions}"),
    ]
    return table(heads, rows)


def threads(results: Threads) -> list[str]:
    """Return the table of a month's cost by number of threads, compared with one thread."""
    base = medians(next(iter(results.costs.values())))
    heads = (f"`--threads` (medians of {results.rounds} rounds)", HEADS[0], "times", *HEADS[1:])
    rows: list[tuple[str, ...]] = []
    for name, costs in results.costs.items():
        wall, *others = medians(costs)
        rows.append((name, f"{wall:.1f}", f"{wall / base[0]:.2f}", *_seconds(tuple(others))))
    return table(heads, rows)


def peer(results: Peer) -> list[str]:
    """Return the table of the three strategies, compared with `interval`."""
    ways = results.ways
    base = next(iter(ways.values()))
    heads = ("strategy", "built by one run", "model's seconds", "times", "Spark's CPU seconds", "times", "`dbt run`")
    rows = []
    for name, way in ways.items():
        model, (wall, spark, _) = statistics.median(way.model), medians(way.costs)
        built = "the whole table" if name == "table" else f"{way.batches} of {results.months} months"
        by_model, by_spark = model / statistics.median(base.model), spark / medians(base.costs)[1]
        rows.append(
            (f"`{name}`", built, f"{model:.2f}", f"{by_model:.1f}", f"{spark:.2f}", f"{by_spark:.1f}", f"{wall:.1f}")
        )
    rounds = len(base.costs)
    intro = (
        f"{results.months} months, each with {results.rows:,} yellow rows. Medians of {rounds} rounds; in each round, "
        "the strategies run one after the other."
    )
    return [intro, "", *table(heads, rows, 2)]


def memory(results: Memory) -> list[str]:
    """Return the table of peaks, with the ratio of the second peak to the first."""
    heads = ("what was built", "months", "rows a month", "commits", "peak of the process, MB", "peak of its heap, MB")
    rows = [
        (
            item.words,
            f"{item.months}",
            f"{item.rows:,}",
            f"{item.commits}",
            f"{item.resident / MB:,.0f}",
            f"{item.heap / MB:,.0f}",
        )
        for item in results.peaks
    ]
    few, many, *_ = results.peaks
    grown = many.resident / few.resident
    ratio = f"{many.rows / few.rows:.0f} times the rows took {grown:.2f} times the peak memory of the process"
    about = f"With `server.memory: {results.heap}`, {ratio}. No run ran out of heap."
    return [*table(heads, rows), "", about]


PARTS: Mapping[str, Callable[[Any], list[str]]] = {
    "months": months,
    "nochange": nochange,
    "threads": threads,
    "peer": peer,
    "memory": memory,
}


def chart(results: Months) -> str:
    """Return the cost of each month as SVG. Points of months that warm the server up are hollow."""
    series = []
    for kind, (label, color) in SERIES.items():
        values = results.costs_of(kind)
        line = fit(values)
        series.append(Series(label, color, values, WARM, line.slope, line.start))
    title = f"Cost of one more month of {results.rows:,} rows"
    return Chart(title, series, "month k of the table", "seconds", "month").svg()


def report(results: Mapping[str, Any]) -> Report:
    """Return a block for each measured part, and the chart. The tables were printed when each part ended."""
    blocks = {name: lines(results[name]) for name, lines in PARTS.items() if name in results}
    pictures = {PICTURE: chart(results["months"])} if "months" in results else {}
    return Report([], blocks, pictures)
