"""What bench/scale.py measured and reckons, as the tables of docs/scaling.md.

A block of the page stands between two comments, `<!-- made by bench/scale.py: PART -->` and `<!-- end -->`;
what is outside of them is written by hand. A part that wasn't measured leaves its block as it is.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from scale_plan import CORES, FILE_MB, GB, MB, Plan, busy, plan, rates
from scale_results import LAYERS, MILLION, PYTHON, Build, Results

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
BLOCK = re.compile(r"(<!-- made by bench/scale.py: (?P<name>\w+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)
# Rows, months of the lake, hours in which all of them are to be built.
WANTED = ((10_000_000, 12, 1.0), (1_000_000_000, 120, 4.0), (100_000_000_000, 120, 24.0))
UNITS = ((2**40, "TB"), (GB, "GB"), (MB, "MB"), (2**10, "KB"))


def size(amount: float) -> str:
    """Bytes for a person; a KB is 1024 bytes."""
    for unit, name in UNITS:
        if amount >= unit:
            return f"{amount / unit:,.1f} {name}" if amount < 10 * unit else f"{amount / unit:,.0f} {name}"
    return f"{amount:.0f} B"


def short(amount: float) -> str:
    """A number of rows: 10 million, 1 billion."""
    for unit, name in ((10**9, "billion"), (MILLION, "million")):
        if amount >= unit:
            return f"{amount / unit:.3g} {name}"
    return f"{amount:,.0f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """A table whose first columns are words, the others numbers."""
    rules = ["---"] * words + ["---:"] * (len(heads) - words)
    return [f"| {' | '.join(cells)} |" for cells in (heads, rules, *rows)]


def _layers(builds: Sequence[Build]) -> list[str]:
    heads = ["rows", "layer", "tables", "seconds", "CPU seconds", "CPU s a million rows", "rows a second a core"]
    rows = []
    for build in builds:
        for name in (item.name for item in build.layers if item.name != PYTHON or item.models):
            layer, million = build.layer(name), build.rows / MILLION
            each = f"{build.rows / layer.cpu:,.0f}" if layer.models else ""
            cells = [f"{layer.wall:.1f}", f"{layer.cpu:.1f}", f"{layer.cpu / million:.2f}", each]
            first = short(build.rows) if name == LAYERS[0] else ""
            cells += [f"{layer.shuffled / build.rows:.1f} B", size(layer.spilled)]
            rows.append([first, f"`{name}`", f"{layer.models or 'views'}", *cells])
    return _table([*heads, "shuffled a row", "spilled"], rows, 3)


def _memory(builds: Sequence[Build], found: Results) -> list[str]:
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
    lakes = {item.rows: item for item in found.lakes or []}
    rows = []
    for build in builds:
        lake = lakes[build.rows]
        made = [f"{lake.seconds:.0f} s", size(lake.resident), size(build.lake)]
        cells = [f"{build.sql('wall'):.0f} s", size(build.resident), size(build.heap), f"{busy(build):.0%}"]
        rows.append([short(build.rows), *cells, size(build.sent), size(build.broadcast), size(build.shuffle), *made])
    return _table([*heads, "lake made and landed in", "peak", "its bytes"], rows)


def _files(build: Build) -> list[str]:
    heads = ["table", "partitions", "files", "a partition", "a file", "bytes a row of the lake"]
    rows = [
        [
            f"`{table.name}`",
            f"{table.partitions}",
            f"{table.files}",
            f"{table.files / table.partitions:.1f}",
            size(table.size / table.files),
            f"{table.size / build.rows:.1f}",
        ]
        for table in build.tables
        if table.files
    ]
    return _table(heads, rows)


def builds(found: Results) -> list[str]:
    """Layers, memory and files by size."""
    items = found.builds or []
    largest = items[-1]
    versions = f"Spark {version('pyspark')}, Delta 4.3.0, dbt-core {version('dbt-core')}"
    intro = (
        f"{largest.months} months of green and yellow; `local[{CORES}]`, {largest.memory} of heap, one model after "
        f"another; {versions}; {found.date}."
    )
    files = f"Files at {short(largest.rows)} rows:"
    return [intro, "", *_layers(items), "", *_memory(items, found), "", files, "", *_files(largest)]


def workers(found: Results) -> list[str]:
    """One worker beside two."""
    items = found.workers or []
    groups = {count: [item for item in items if item.workers == count] for count in sorted({i.workers for i in items})}
    heads = [
        "workers",
        "seconds of the models",
        "times",
        "task seconds",
        "tasks at a time",
        "CPU seconds, all processes",
    ]
    walls = {count: statistics.median(b.sql("wall") for b in g) for count, g in groups.items()}
    base = walls[min(walls)]
    rows = []
    for count, group in groups.items():
        task, cpu = (statistics.median(item.sql(name) for item in group) for name in ("task", "cpu"))
        wall = walls[count]
        cells = [f"{wall:.1f}", f"{wall / base:.2f}", f"{task:.1f}", f"{task / wall:.2f}", f"{cpu:.1f}"]
        held = statistics.median(item.executors for item in group)
        rows.append([f"{count}", *cells, size(held)])
    rounds = len(next(iter(groups.values())))
    intro = f"{short(items[0].rows)} rows, workers of one core; median of {rounds} round{'s' if rounds > 1 else ''}."
    return [intro, "", *_table([*heads, "executors' peak, together"], rows)]


def fixed(found: Results) -> list[str]:
    """Months and files without rows to speak of."""
    item, files = found.fixed, found.files or []
    assert item
    rows = [
        ["build, a month (all tables)", f"{item.wall / item.months:.2f} s, {item.cpu / item.months:.2f} CPU s"],
        [f"the same again, nothing changed ({item.months} months)", f"{item.nothing:.1f} s"],
        [f"{2 * item.months} partitions put into the metastore", f"{item.publish:.1f} s"],
        ["the manifest, an entry", f"{size(item.manifest / item.entries)}, {item.reading / item.entries * 1e3:.2f} ms"],
        ["server's peak", size(item.resident)],
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
    return [intro, "", *_table(["what", "cost"], rows), "", *_table(heads, many)]


def used(found: Results) -> list[str]:
    """The rates, by the letters of the page's formulas."""
    r = rates(found)
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
    return _table(["", "what", "value"], rows, 2)


def plans(found: Results) -> list[str]:
    """What the page's sizes take."""
    made = [plan(rates(found), *wanted) for wanted in WANTED]
    heads = ["", "how", *(f"{short(p.rows)} rows" for p in made)]

    def row(name: str, how: str, told: Callable[[Plan], str]) -> list[str]:
        return [name, how, *(told(item) for item in made)]

    rows = [
        row("months; all to be built in", "chosen", lambda p: f"{p.months}; {p.hours:g} h"),
        row("rows a month", "R / M", lambda p: short(p.rows / p.months)),
        row("core hours", "(f + c·R/10⁶) / 3600", lambda p: f"{p.core_hours:,.1f}"),
        row("cores", "core hours / (H·u)", lambda p: f"{p.cores:,}"),
        row("executors of 4 cores", "cores / 4", lambda p: f"{p.executors:,}"),
        row("shuffled in all", "s·R", lambda p: size(p.shuffled)),
        row(
            "months a commit, `k`", "1 GB / (b·R/M), 12 at most", lambda p: f"{p.intervals}" if p.intervals else "none"
        ),
        row("commits of each table", "M / k", lambda p: f"{p.commits}"),
        row("sent to the driver for a commit", "b·k·R/M", lambda p: size(p.sent)),
        row("`spark.sql.shuffle.partitions`", "x·k·R/M / 128 MB; 2 a core", lambda p: f"{p.partitions:,}"),
        row("a month's landed file", "l·R/M", lambda p: size(p.file)),
        row("landing by one process", "R / w", lambda p: f"{p.landing:,.1f} h"),
        row("all tables", "t·R", lambda p: size(p.stored)),
        row("a month of `fct_trips`", "d·R/M", lambda p: size(p.trips)),
        row(f"files of {FILE_MB} MB, both tables of trips", "d·R/M / 128 MB, rounded up, ·M", lambda p: f"{p.files:,}"),
        row("their list in memory", "e·files", lambda p: size(p.state)),
        row("what months take besides", "m·M", lambda p: f"{p.overhead:,.0f} s"),
    ]
    return _table(heads, rows, 2)


PARTS: Mapping[str, Callable[[Results], list[str]]] = {
    "builds": builds,
    "workers": workers,
    "fixed": fixed,
    "rates": used,
    "plan": plans,
}


def blocks(found: Results) -> dict[str, list[str]]:
    """The lines of every part that was measured."""
    whole = bool(found.fixed and found.files and found.lakes and len(found.builds or []) > 1)
    there = {"builds": bool(found.builds), "workers": bool(found.workers), "fixed": bool(found.fixed and found.files)}
    return {name: told(found) for name, told in PARTS.items() if there.get(name, whole)}


def filled(text: str, found: Mapping[str, list[str]]) -> str:
    """A page with the blocks put anew.

    Raises:
        SystemExit: the page lacks a block, or has one of another name.
    """
    there = [match["name"] for match in BLOCK.finditer(text)]
    if there != list(PARTS):
        raise SystemExit(f"needed: blocks {', '.join(PARTS)} in {PAGE.name}. found: {', '.join(there) or 'none'}")

    def block(match: re.Match[str]) -> str:
        lines = found.get(match["name"])
        return match[0] if lines is None else f"{match[1]}{chr(10).join(lines)}\n{match[4]}"

    return BLOCK.sub(block, text)


def write(found: Results) -> None:
    """Put what was measured into the page."""
    PAGE.write_text(filled(PAGE.read_text(), blocks(found)))
