"""What bench/layout.py measured, as the tables and shortened plans of docs/physical-design.md.

A block of the docs stands between two comments, `<!-- layout: NAME -->` and `<!-- end -->`; what is
outside of them is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from penstock.plans import plan_store, queries
from penstock.plans.operators import Operator, Plan
from penstock.plans.parse import parse
from penstock.plans.queries import without_column_ids
from penstock.plans.rest_api import ExecutedPlan

DOCS = Path(__file__).resolve().parent.parent / "docs" / "physical-design.md"
BLOCK = re.compile(r"(<!-- layout: (?P<name>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
TOTAL = re.compile(r"([\d,.]+) (B|KiB|MiB|GiB)")
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
# How an executor works and where adaptive execution stops to look: not the plan's idea.
LEFT_OUT = {"AdaptiveSparkPlan", "ColumnarToRow", "Project", "ShuffleQueryStage", "BroadcastQueryStage"}
LEFT_OUT |= {"ResultQueryStage", "Execute", "WriteFiles", "CommandResult"}
NULLS = re.compile(r"(?i)isnotnull\([^()]*\)(, | AND )?")
WIDTH, FEW = 118, 4


@dataclass(frozen=True)
class Table:
    """A table's files."""

    files: int
    bytes: int


@dataclass(frozen=True)
class Measured:
    """A question's median seconds, and how Spark answered it."""

    words: str
    table: str
    seconds: float
    executed: ExecutedPlan

    @property
    def plan(self) -> Plan:
        """As it ran."""
        return parse(self.executed.plan)

    def counted(self, operator: str, metric: str) -> list[str]:
        """A metric of each operator whose title starts so, in the UI's order."""
        return [m[metric] for title, m in self.executed.metrics if title.startswith(operator) and metric in m]

    def of_scan(self, metric: str) -> int:
        """A count or a size of the scan of the trips' table."""
        return sum(map(number, self.counted(f"Scan parquet spark_catalog.{self.table}", metric)))

    def of_stages(self, name: str) -> int:
        """Bytes that all stages together read, shuffled or spilled."""
        return sum(getattr(stage, name) for stage in self.executed.stages)


@dataclass(frozen=True)
class Results:
    """Everything that one run of the bench found."""

    trips: int
    rows: int
    rounds: int
    cores: int
    memory: str
    day: str
    measured: dict[str, list[Measured]]
    shown: dict[str, Measured]
    tables: dict[str, Table]
    models: dict[str, ExecutedPlan]


def read(data: dict[str, Any]) -> Results:
    """Results from their JSON."""

    def executed(item: dict[str, Any]) -> ExecutedPlan:
        found = plan_store.parse_executed_plan(item)
        assert found
        return found

    def measured(item: dict[str, Any]) -> Measured:
        return Measured(**{**item, "executed": executed(item["executed"])})

    parts = {
        "measured": {name: [measured(item) for item in items] for name, items in data["measured"].items()},
        "shown": {name: measured(item) for name, item in data["shown"].items()},
        "tables": {name: Table(**item) for name, item in data["tables"].items()},
        "models": {name: executed(item) for name, item in data["models"].items()},
    }
    return Results(**{**data, **parts})


def number(text: str) -> int:
    """A metric as Spark's UI writes it: `2,400`, `56.1 MiB`, or a total with the tasks' below it."""
    last = text.splitlines()[-1]
    if found := TOTAL.match(last):
        return round(float(found[1].replace(",", "")) * UNITS[found[2]])
    return int(last.split(" ")[0].replace(",", ""))


def size(amount: int) -> str:
    """Bytes for a person; MB are 1024 × 1024 bytes."""
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.1f} {unit}" if unit != "B" and amount < 10 else f"{amount:.0f} {unit}"
        amount /= 1024  # type: ignore[assignment]
    return f"{amount:.1f} GB"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def figures(results: Results) -> list[str]:
    """The comparisons."""
    versions = f"Spark {version('pyspark')}, Delta 4.3.0"
    heads = ("question", "layout or hint", "seconds", "times", "files read", "their size", "read of it", "shuffled")
    lines = [
        f"{results.trips:,} trips made, {results.rows:,} kept; {results.cores} cores, {results.memory} of heap; "
        f"{versions}; medians of {results.rounds} rounds; {results.day}.",
        "",
        _row(*heads, "exchanges"),
        _row("---", "---", *["---:"] * 7),
    ]
    for name, variants in results.measured.items():
        for place, item in enumerate(variants):
            lines.append(
                _row(
                    name if place == 0 else "",
                    item.words,
                    f"{item.seconds:.2f}",
                    f"{item.seconds / variants[0].seconds:.1f}" if place else "1",
                    f"{item.of_scan('number of files read'):,} of {results.tables[item.table].files:,}",
                    size(item.of_scan("size of files read")),
                    size(item.of_stages("read")),
                    size(item.of_stages("shuffle_written")),
                    str(len(queries.exchanges(item.plan))),
                )
            )
    return lines


def tables(results: Results) -> list[str]:
    """The tables' files."""
    lines = [_row("table", "files", "size", "a file"), _row("---", "---:", "---:", "---:")]
    for name, item in results.tables.items():
        lines.append(_row(f"`{name}`", f"{item.files:,}", size(item.bytes), size(item.bytes // item.files)))
    return lines


def groups(results: Results) -> list[str]:
    """What a partial aggregate saves, with few groups and with many."""
    heads = (
        "grouped by",
        "seconds",
        "rows into the exchange",
        "shuffled",
        "spilled",
        "tasks that fell back to sorting",
    )
    lines = [_row(*heads), _row("---", *["---:"] * 5)]
    for name in ("few groups", "many groups", "one task"):
        item = results.shown[name]
        rows = max(map(number, item.counted("Exchange", "shuffle records written")))
        sorting = max(map(number, item.counted("HashAggregate", "number of sort fallback tasks")))
        shuffled, spilled = size(item.of_stages("shuffle_written")), size(item.of_stages("spilled"))
        lines.append(_row(item.words, f"{item.seconds:.1f}", f"{rows:,}", shuffled, spilled, str(sorting)))
    return lines


def _told(item: Operator) -> str:
    """An operator's line: its title, and of its details what decides."""
    title = item.title.replace("spark_catalog.", "")
    if "Join" in item.name:
        left, right = (queries.split_list(item.detail(f"{side} keys")) for side in ("Left", "Right"))
        return f"{title}  {', '.join(f'{a} = {b}' for a, b in zip(left, right, strict=True))}"
    if item.name.endswith("Aggregate"):
        keys, functions = (", ".join(queries.split_list(item.detail(word))) for word in ("Keys", "Functions"))
        return f"{title}  by [{keys}]: {functions}"
    if item.name == "Exchange":
        how, why, *_ = queries.split_list(f"[{item.detail('Arguments')}]")
        return f"{title}  {how}{'' if why == 'ENSURE_REQUIREMENTS' else f', {why}'}"
    if item.name in ("AQEShuffleRead", "Sort"):
        arguments = without_column_ids(item.detail("Arguments")).removesuffix(", false, 0")
        return f"{title}  {arguments.replace(' ASC NULLS FIRST', '')}"
    if item.name == "Filter":
        return f"{title}  {_wanted(without_column_ids(item.detail('Condition')))}"
    if item.name == "Scan":
        columns = queries.split_list(item.detail("Output"))
        words = [
            f"{name} {_wanted(without_column_ids(item.detail(name)))}" for name in ("PartitionFilters", "PushedFilters")
        ]
        words = [text for text in words if not text.endswith((" ", "[]"))]
        words.append(", ".join(columns) if len(columns) <= FEW and not words else f"{len(columns)} columns")
        return f"{title}  {'; '.join(words)}"
    return title


def _wanted(condition: str) -> str:
    """A condition without the tests for nulls that Spark adds to each comparison, and outer brackets."""
    left = NULLS.sub("", condition)
    while left.startswith("(") and left.endswith(")") and ") " not in left:
        left = left[1:-1]
    return left


def _is_told(item: Operator) -> bool:
    if item.name == "Filter":
        return bool(_wanted(without_column_ids(item.detail("Condition"))))
    return item.name not in LEFT_OUT and (item.name, item.detail("Arguments")) != ("AQEShuffleRead", "coalesced")


def excerpt(item: Operator, lead: str = "", mark: str = "") -> Iterator[str]:
    """A plan's lines, without the operators that are left out and cut to the docs' width."""
    while not _is_told(item) and len(item.children) == 1:
        item = item.children[0]
    line = f"{lead}{mark}{_told(item)}"
    yield line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
    below = lead + {"": "", ":- ": ":  ", "+- ": "   "}[mark]
    for place, child in enumerate(item.children):
        yield from excerpt(child, below, "+- " if place == len(item.children) - 1 else ":- ")


def blocks(results: Results) -> dict[str, list[str]]:
    """Every block that the docs may hold, by its name."""
    join, month, zone, _ = results.measured.values()
    plans = {
        "broadcast": join[0].plan,
        "shuffle hash": join[1].plan,
        "merge": join[2].plan,
        "pruned": month[0].plan,
        "clustered": zone[0].plan,
        **{name: item.plan for name, item in results.shown.items()},
        **{name: parse(item.plan) for name, item in results.models.items()},
    }
    told = {f"plan {name}": ["```", *excerpt(plan.root), "```"] for name, plan in plans.items()}
    return {"figures": figures(results), "tables": tables(results), "groups": groups(results), **told}


def write(results: Results) -> None:
    """Put every block of the docs anew; the first unknown name ends it before anything is written."""
    found = blocks(results)
    text = DOCS.read_text()
    if unknown := {match["name"] for match in BLOCK.finditer(text)} - found.keys():
        raise SystemExit(f"{DOCS.name} has blocks that nothing is measured for: {', '.join(sorted(unknown))}")
    DOCS.write_text(BLOCK.sub(lambda match: f"{match[1]}{chr(10).join(found[match['name']])}\n{match[3]}", text))
