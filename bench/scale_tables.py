"""Show the results of bench/scale.py in docs/explanation/measurements.md, and the estimates in scaling.md beside it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from bench.projects import CORES
from bench.report import MILLION, Report, format_bytes, format_rows, table, versions
from bench.scale_plan import FILE_MB, Plan, busy, compute_rates, make_plan
from bench.scale_results import LAYERS, PYTHON, Build, Results

# Number of rows, number of months, and hours in which everything must be built.
WANTED = ((10_000_000, 12, 1.0), (1_000_000_000, 120, 4.0), (100_000_000_000, 120, 24.0))


def _layers(builds: Sequence[Build]) -> list[str]:
    heads = ["rows", "layer", "tables", "seconds", "CPU seconds", "CPU s a million rows", "rows a second a core"]
    rows = []
    for build in builds:
        for name in (item.name for item in build.layers if item.name != PYTHON or item.models):
            layer, million = build.layer(name), build.rows / MILLION
            each = f"{build.rows / layer.cpu:,.0f}" if layer.models else ""
            cells = [f"{layer.wall:.1f}", f"{layer.cpu:.1f}", f"{layer.cpu / million:.2f}", each]
            first = format_rows(build.rows) if name == LAYERS[0] else ""
            cells += [f"{layer.shuffled / build.rows:.1f} B", format_bytes(layer.spilled)]
            rows.append([first, f"`{name}`", f"{layer.models or 'views'}", *cells])
    return table([*heads, "shuffled a row", "spilled"], rows, 3)


def _memory(builds: Sequence[Build], results: Results) -> list[str]:
    heads = [
        "rows",
        "SQL models",
        "server's peak",
        "its heap's",
        "cores busy",
        "sent to the driver",
        "broadcast",
        "largest shuffle",
    ]
    lakes = {item.rows: item for item in results.lakes or []}
    rows = []
    for build in builds:
        lake = lakes[build.rows]
        made = [f"{lake.seconds:.0f} s", format_bytes(lake.resident), format_bytes(build.lake)]
        cells = [
            f"{build.sql_total('wall'):.0f} s",
            format_bytes(build.resident),
            format_bytes(build.heap),
            f"{busy(build):.0%}",
        ]
        rows.append(
            [
                format_rows(build.rows),
                *cells,
                format_bytes(build.sent),
                format_bytes(build.broadcast),
                format_bytes(build.shuffle),
                *made,
            ]
        )
    return table([*heads, "lake made and landed in", "peak", "its bytes"], rows)


def _files(build: Build) -> list[str]:
    heads = ["table", "partitions", "files", "a partition", "a file", "bytes a row of the lake"]
    rows = [
        [
            f"`{item.name}`",
            f"{item.partitions}",
            f"{item.files}",
            f"{item.files / item.partitions:.1f}",
            format_bytes(item.size / item.files),
            f"{item.size / build.rows:.1f}",
        ]
        for item in build.tables
        if item.files
    ]
    return table(heads, rows)


def builds(results: Results) -> list[str]:
    """Return the tables of layers, memory and files by size."""
    items = results.builds or []
    largest = items[-1]
    intro = (
        f"{largest.months} months of green and yellow; `local[{CORES}]`, {largest.memory} of heap, one model after "
        f"another; {versions()}; {results.date}."
    )
    files = f"Files at {format_rows(largest.rows)} rows:"
    return [intro, "", *_layers(items), "", *_memory(items, results), "", files, "", *_files(largest)]


def workers(results: Results) -> list[str]:
    """Return the table that compares one worker with two."""
    items = results.workers or []
    groups = {count: [item for item in items if item.workers == count] for count in sorted({i.workers for i in items})}
    heads = [
        "workers",
        "seconds of the models",
        "times",
        "task seconds",
        "tasks at a time",
        "CPU seconds, all processes",
    ]
    walls = {count: statistics.median(b.sql_total("wall") for b in g) for count, g in groups.items()}
    base = walls[min(walls)]
    rows = []
    for count, group in groups.items():
        task, cpu = (statistics.median(item.sql_total(name) for item in group) for name in ("task", "cpu"))
        wall = walls[count]
        cells = [f"{wall:.1f}", f"{wall / base:.2f}", f"{task:.1f}", f"{task / wall:.2f}", f"{cpu:.1f}"]
        held = statistics.median(item.executors for item in group)
        rows.append([f"{count}", *cells, format_bytes(held)])
    rounds = len(next(iter(groups.values())))
    intro = (
        f"{format_rows(items[0].rows)} rows, workers of one core; median of {rounds} round{'s' if rounds > 1 else ''}."
    )
    return [intro, "", *table([*heads, "executors' peak, together"], rows)]


def fixed(results: Results) -> list[str]:
    """Return the tables of months of few rows and of many files."""
    item, files = results.fixed, results.files or []
    assert item
    rows = [
        ["build, a month (all tables)", f"{item.wall / item.months:.2f} s, {item.cpu / item.months:.2f} CPU s"],
        [f"the same again, nothing changed ({item.months} months)", f"{item.nothing:.1f} s"],
        [f"{2 * item.months} partitions put into the metastore", f"{item.publish:.1f} s"],
        [
            "the manifest, an entry",
            f"{format_bytes(item.manifest / item.entries)}, {item.reading / item.entries * 1e3:.2f} ms",
        ],
        ["server's peak", format_bytes(item.resident)],
    ]
    heads = ["files of one table", "bytes a file: commit", "checkpoint", "in memory", "planned in", "planned again in"]
    many = [
        [
            f"{f.files:,}",
            f"{f.log / f.files:,.0f}",
            f"{f.checkpoint / f.files:,.0f}",
            f"{f.state / f.files:,.0f}",
            f"{f.first:.2f} s",
            f"{f.again:.2f} s",
        ]
        for f in files
    ]
    intro = f"{item.months} months of {item.rows // item.months} rows, {item.tables} tables of months."
    return [intro, "", *table(["what", "cost"], rows), "", *table(heads, many)]


def rates(results: Results) -> list[str]:
    """Return the table of rates, named by the letters in the page's formulas."""
    r = compute_rates(results)
    rows = [
        ["`c`", "CPU seconds of a million rows", f"{r.cpu:.2f}"],
        ["`f`", "CPU seconds of a build of no rows", f"{max(0.0, r.cpu_fixed):.0f}"],
        ["`u`", "share of the cores' time in tasks", f"{r.busy:.2f}"],
        ["`s`", "bytes shuffled a row", f"{r.shuffled:.1f}"],
        ["`x`", "bytes a row, largest shuffle", f"{r.stage:.1f}"],
        ["`b`", "bytes a row sent to the driver by one stage, to be broadcast", f"{r.sent:.2f}"],
        ["`l`", "bytes a row of the lake", f"{r.lake:.1f}"],
        ["`t`", "bytes a row of all tables", f"{r.stored:.1f}"],
        ["`d`", "bytes a row of `fct_trips`, of `int_trips_checked`", f"{r.trips:.1f}, {r.checked:.1f}"],
        ["`m`", "seconds a month, whatever is in it", f"{r.month:.2f}"],
        ["`w`", "rows a second, made and landed by one process", f"{r.landed:,.0f}"],
        ["`e`", "bytes a file in memory", f"{r.state:,.0f}"],
    ]
    return table(["", "what", "value"], rows, 2)


def plans(results: Results) -> list[str]:
    """Return the table of resources for the sizes in WANTED."""
    made = [make_plan(compute_rates(results), *wanted) for wanted in WANTED]
    heads = ["", "how", *(f"{format_rows(p.rows)} rows" for p in made)]

    def row(name: str, formula: str, cell: Callable[[Plan], str]) -> list[str]:
        return [name, formula, *(cell(item) for item in made)]

    rows = [
        row("months; all to be built in", "chosen", lambda p: f"{p.months}; {p.hours:g} h"),
        row("rows a month", "R / M", lambda p: format_rows(p.rows / p.months)),
        row("core hours", "(f + c·R/10⁶) / 3600", lambda p: f"{p.core_hours:,.1f}"),
        row("cores", "core hours / (H·u)", lambda p: f"{p.cores:,}"),
        row("executors of 4 cores", "cores / 4", lambda p: f"{p.executors:,}"),
        row("shuffled in all", "s·R", lambda p: format_bytes(p.shuffled)),
        row(
            "months a commit, `k`", "1 GB / (b·R/M), 12 at most", lambda p: f"{p.intervals}" if p.intervals else "none"
        ),
        row("commits of each table", "M / k", lambda p: f"{p.commits}"),
        row("sent to the driver for a commit", "b·k·R/M", lambda p: format_bytes(p.sent)),
        row("`spark.sql.shuffle.partitions`", "x·k·R/M / 128 MB; 2 a core", lambda p: f"{p.partitions:,}"),
        row("a month's landed file", "l·R/M", lambda p: format_bytes(p.file)),
        row("landing by one process", "R / w", lambda p: f"{p.landing:,.1f} h"),
        row("all tables", "t·R", lambda p: format_bytes(p.stored)),
        row("a month of `fct_trips`", "d·R/M", lambda p: format_bytes(p.trips)),
        row(f"files of {FILE_MB} MB, both tables of trips", "d·R/M / 128 MB, rounded up, ·M", lambda p: f"{p.files:,}"),
        row("their list in memory", "e·files", lambda p: format_bytes(p.state)),
        row("what months take besides", "m·M", lambda p: f"{p.overhead:,.0f} s"),
    ]
    return table(heads, rows, 2)


PARTS: Mapping[str, Callable[[Results], list[str]]] = {
    "builds": builds,
    "workers": workers,
    "fixed": fixed,
    "rates": rates,
    "plan": plans,
}


def report(results: Results) -> Report:
    """Return a block for every measured part. Rates and estimates have blocks only if all parts were measured."""
    complete = bool(results.fixed and results.files and results.lakes and len(results.builds or []) > 1)
    measured = {
        "builds": bool(results.builds),
        "workers": bool(results.workers),
        "fixed": bool(results.fixed and results.files),
    }
    blocks = {name: lines(results) for name, lines in PARTS.items() if measured.get(name, complete)}
    return Report([line for lines in blocks.values() for line in ("", *lines)], blocks)
