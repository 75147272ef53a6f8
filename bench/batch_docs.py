"""What bench/batch.py measured, as the tables of docs/operations.md and its picture.

A block of the docs stands between two comments, `<!-- batch: PART -->` and `<!-- end -->`; what is
outside of them is written by hand. A part that wasn't measured leaves its block as it is.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from batch_picture import svg
from batch_project import CORES, Cost
from batch_results import FEW, WARM, Memory, Months, NoChange, Peer, Threads, first, fitted, last

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, PICTURE = DOCS / "operations.md", "images/batch-cost.svg"
BLOCK = re.compile(r"(<!-- batch: (?P<name>\w+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)
HEADING = "## What a month costs"
KINDS = ("wall", "spark", "client")
HEADS = ("seconds", "Spark's CPU seconds", "dbt's CPU seconds")
DELTA = "Delta 4.3.0"
MB = 2**20
# The page's section as it is made when there is none: words are the writer's from then on.
SECTION = f"""{HEADING}
A month costs what its own rows cost, however many months the tables hold. `make bench-batch` measures it
on made trips and writes the figures here; CPU seconds are what other work on the machine disturbs least.

{{months}}

With nothing landed, a run reads the ledger and the manifest, not the trips:

{{nochange}}

One month built again, by threads:

{{threads}}

The same model three ways when one more month lands. `microbatch` chooses its batches by the clock: it
builds the month of now and its `lookback`, changed or not, and never sees an older month that comes late.
A table built anew costs what all of its months cost: little while they are few and small.

{{peer}}

A backfill's memory is bounded by the heap, not by the rows:

{{memory}}
"""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], words: int = 1) -> list[str]:
    """A table whose first columns are words, the others numbers."""
    rules = ["---"] * words + ["---:"] * (len(heads) - words)
    return [_row(*heads), _row(*rules), *(_row(*row) for row in rows)]


def medians(costs: list[Cost]) -> tuple[float, ...]:
    """The median of each kind of cost."""
    return tuple(statistics.median(getattr(cost, kind) for cost in costs) for kind in KINDS)


def _seconds(values: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(f"{value:.1f}" for value in values)


def _machine(memory: str) -> str:
    versions = f"Spark {version('pyspark')}, {DELTA}, dbt-core {version('dbt-core')}"
    return f"{CORES} cores, {memory} of heap; {versions}."


def months(found: Months) -> list[str]:
    """The first months, the last, and what each adds."""
    count, costs = len(found.costs), [found.of(kind) for kind in KINDS]
    lines = [fitted(values) for values in costs]
    rows = [
        (f"mean of months {WARM + 1} to {WARM + FEW}", *(f"{first(values):.1f}" for values in costs)),
        (f"mean of months {count - FEW + 1} to {count}", *(f"{last(values):.1f}" for values in costs)),
        ("the last by the first", *(f"{last(values) / first(values):.2f}" for values in costs)),
        ("what each month adds", *(f"{line.slope:+.3f} ({line.share:+.2%})" for line in lines)),
    ]
    intro = (
        f"{count} months of {found.rows:,} rows (green and yellow), one `dbt run` each, which replaces the month in "
        f"{found.tables} tables; {_machine(found.memory)}"
    )
    picture = f"![seconds of each month's run, with lines of least squares]({PICTURE})"
    return [intro, "", *_table(("`dbt run` of one more month", *HEADS), rows), "", picture]


def nochange(found: NoChange) -> list[str]:
    """A run with nothing to do."""
    heads = (f"`dbt run` on {found.months} months, none changed", f"median of {len(found.costs)} runs")
    rows = [
        *zip(HEADS, _seconds(medians(found.costs)), strict=True),
        ("Spark jobs (views, `dim_zones`, manifest, ledger)", f"{found.jobs}"),
        ("Spark jobs that read trips", f"{found.reading}"),
        ("new versions of tables built by interval", f"{found.versions}"),
    ]
    return _table(heads, rows)


def threads(found: Threads) -> list[str]:
    """The same month by threads, beside one thread."""
    base = medians(next(iter(found.costs.values())))
    heads = (f"`--threads` (medians of {found.rounds} rounds)", HEADS[0], "times", *HEADS[1:])
    rows: list[tuple[str, ...]] = []
    for name, costs in found.costs.items():
        wall, *others = medians(costs)
        rows.append((name, f"{wall:.1f}", f"{wall / base[0]:.2f}", *_seconds(tuple(others))))
    return _table(heads, rows)


def peer(found: Peer) -> list[str]:
    """The three strategies, beside `interval`."""
    ways = found.ways
    base = next(iter(ways.values()))
    heads = ("strategy", "built by one run", "model's seconds", "times", "Spark's CPU seconds", "times", "`dbt run`")
    rows = []
    for name, way in ways.items():
        model, (wall, spark, _) = statistics.median(way.model), medians(way.costs)
        built = "the whole table" if name == "table" else f"{way.batches} of {found.months} months"
        by_model, by_spark = model / statistics.median(base.model), spark / medians(base.costs)[1]
        rows.append(
            (f"`{name}`", built, f"{model:.2f}", f"{by_model:.1f}", f"{spark:.2f}", f"{by_spark:.1f}", f"{wall:.1f}")
        )
    rounds = len(base.costs)
    intro = f"{found.months} months of {found.rows:,} yellow rows; medians of {rounds} rounds, in turns."
    return [intro, "", *_table(heads, rows, 2)]


def memory(found: Memory) -> list[str]:
    """Peaks, and the second by the first."""
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
        for item in found.peaks
    ]
    few, many, *_ = found.peaks
    ratio = f"{many.rows / few.rows:.0f} times the rows took {many.resident / few.resident:.2f} times the memory"
    return [*_table(heads, rows), "", f"With `server.memory: {found.heap}`, {ratio}; no run ended for want of heap."]


PARTS: Mapping[str, Callable[[Any], list[str]]] = {
    "months": months,
    "nochange": nochange,
    "threads": threads,
    "peer": peer,
    "memory": memory,
}


def blocks(results: Mapping[str, Any]) -> dict[str, list[str]]:
    """The lines of every part that was measured."""
    return {name: told(results[name]) for name, told in PARTS.items() if name in results}


def filled(text: str, found: Mapping[str, list[str]]) -> str:
    """A page with the blocks put anew; the section is added when it isn't there.

    Raises:
        SystemExit: the section is there without a block that was measured, or has one of another name.
    """
    if HEADING not in text:
        section = SECTION.format(**{name: f"<!-- batch: {name} -->\n<!-- end -->" for name in PARTS})
        text = f"{text.rstrip()}\n\n{section}".lstrip() if text.strip() else f"# Operations\n\n{section}"
    there = [match["name"] for match in BLOCK.finditer(text)]
    if sorted(there) != sorted(PARTS):
        raise SystemExit(f"needed: blocks {', '.join(PARTS)} in {PAGE.name}. found: {', '.join(there)}")

    def block(match: re.Match[str]) -> str:
        lines = found.get(match["name"])
        return match[0] if lines is None else f"{match[1]}{chr(10).join(lines)}\n{match[4]}"

    return BLOCK.sub(block, text)


def write(results: Mapping[str, Any]) -> None:
    """Put what was measured into the page, and the picture beside it."""
    PAGE.write_text(filled(PAGE.read_text() if PAGE.exists() else "", blocks(results)))
    if "months" in results:
        path = DOCS / PICTURE
        path.parent.mkdir(exist_ok=True)
        path.write_text(svg(results["months"]))
