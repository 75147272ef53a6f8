"""Show the results of bench/layout.py in the docs, as in docs/explanation/joins.md: tables and shortened plans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.measure import parse_metric
from bench.report import DELTA, Report, format_bytes, spark_version, table
from penstock.plans import plan_store, queries
from penstock.plans.operators import Operator, Plan
from penstock.plans.plan_parser import parse
from penstock.plans.queries import without_column_ids
from penstock.plans.rest_api import ExecutedPlan

# Operators that the docs leave out: internals of execution, and the stages of adaptive execution.
LEFT_OUT = {"AdaptiveSparkPlan", "ColumnarToRow", "Project", "ShuffleQueryStage", "BroadcastQueryStage"}
LEFT_OUT |= {"ResultQueryStage", "Execute", "WriteFiles", "CommandResult"}
NULLS = re.compile(r"(?i)isnotnull\([^()]*\)(, | AND )?")
# Longest line, in characters; largest number of columns that a scan's line names instead of counting.
WIDTH, FEW = 118, 4


@dataclass(frozen=True)
class Table:
    """The number and bytes of a table's files."""

    files: int
    bytes: int


@dataclass(frozen=True)
class Measured:
    """The median seconds of a query, and how Spark executed it. `words` is the label of the variant."""

    words: str
    table: str
    seconds: float
    executed: ExecutedPlan

    @property
    def plan(self) -> Plan:
        """Return the plan that ran."""
        return parse(self.executed.plan)

    def metrics(self, operator: str, metric: str) -> list[str]:
        """Return a metric of each operator whose title starts with `operator`, in the UI's order."""
        return [m[metric] for title, m in self.executed.metrics if title.startswith(operator) and metric in m]

    def scan_metric(self, metric: str) -> int:
        """Return a count or a size of the scan of the trips' table."""
        return sum(map(parse_metric, self.metrics(f"Scan parquet spark_catalog.{self.table}", metric)))

    def stage_bytes(self, name: str) -> int:
        """Return the sum over all stages of a figure in bytes: read, shuffled or spilled."""
        return sum(getattr(stage, name) for stage in self.executed.stages)


@dataclass(frozen=True)
class Results:
    """Results of one run.

    Attributes:
        trips, rows: number of rows that were made, and of rows in fct_trips.
        rounds, cores, memory, day: conditions of the measurement.
        measured: the measured variants, by comparison.
        shown: queries that ran once, for their plans.
        tables: files of the layouts' tables.
        models: files of the tables of this project's models.
    """

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
    """Return the results that JSON data contains."""

    def executed(item: dict[str, Any]) -> ExecutedPlan:
        plan = plan_store.parse_executed_plan(item)
        assert plan
        return plan

    def measured(item: dict[str, Any]) -> Measured:
        return Measured(**{**item, "executed": executed(item["executed"])})

    parts = {
        "measured": {name: [measured(item) for item in items] for name, items in data["measured"].items()},
        "shown": {name: measured(item) for name, item in data["shown"].items()},
        "tables": {name: Table(**item) for name, item in data["tables"].items()},
        "models": {name: executed(item) for name, item in data["models"].items()},
    }
    return Results(**{**data, **parts})


def figures(results: Results) -> list[str]:
    """Return the Markdown table of the comparisons."""
    heads = ("question", "layout or hint", "seconds", "times", "files read", "their size", "read of it", "shuffled")
    intro = (
        f"{results.trips:,} trips made, {results.rows:,} kept; {results.cores} cores, {results.memory} of heap; "
        f"{spark_version()}, {DELTA}; medians of {results.rounds} rounds; {results.day}."
    )
    rows = [
        (
            name if position == 0 else "",
            item.words,
            f"{item.seconds:.2f}",
            f"{item.seconds / variants[0].seconds:.1f}" if position else "1",
            f"{item.scan_metric('number of files read'):,} of {results.tables[item.table].files:,}",
            format_bytes(item.scan_metric("size of files read")),
            format_bytes(item.stage_bytes("read")),
            format_bytes(item.stage_bytes("shuffle_written")),
            f"{len(queries.exchanges(item.plan))}",
        )
        for name, variants in results.measured.items()
        for position, item in enumerate(variants)
    ]
    return [intro, "", *table((*heads, "exchanges"), rows, 2)]


def tables(results: Results) -> list[str]:
    """Return the Markdown table of the files of each table."""
    rows = [
        (f"`{name}`", f"{item.files:,}", format_bytes(item.bytes), format_bytes(item.bytes // item.files))
        for name, item in results.tables.items()
    ]
    return table(("table", "files", "size", "a file"), rows)


def groups(results: Results) -> list[str]:
    """Return the table of aggregations. A partial aggregate saves shuffled rows only if there are few groups."""
    heads = (
        "grouped by",
        "seconds",
        "rows into the exchange",
        "shuffled",
        "spilled",
        "tasks that fell back to sorting",
    )
    rows = []
    for name in ("few groups", "many groups", "one task"):
        item = results.shown[name]
        records = max(map(parse_metric, item.metrics("Exchange", "shuffle records written")))
        sorting = max(map(parse_metric, item.metrics("HashAggregate", "number of sort fallback tasks")))
        sizes = (format_bytes(item.stage_bytes(kind)) for kind in ("shuffle_written", "spilled"))
        rows.append((item.words, f"{item.seconds:.1f}", f"{records:,}", *sizes, f"{sorting}"))
    return table(heads, rows)


def _describe(item: Operator) -> str:
    """Return an operator's line: its title, and the details that matter for performance."""
    title = item.title.replace("spark_catalog.", "")
    if "Join" in item.name:
        left, right = (queries.split_list(item.detail(f"{side} keys")) for side in ("Left", "Right"))
        return f"{title}  {', '.join(f'{a} = {b}' for a, b in zip(left, right, strict=True))}"
    if item.name.endswith("Aggregate"):
        keys, functions = (", ".join(queries.split_list(item.detail(kind))) for kind in ("Keys", "Functions"))
        return f"{title}  by [{keys}]: {functions}"
    if item.name == "Exchange":
        how, why, *_ = queries.split_list(f"[{item.detail('Arguments')}]")
        return f"{title}  {how}{'' if why == 'ENSURE_REQUIREMENTS' else f', {why}'}"
    if item.name in ("AQEShuffleRead", "Sort"):
        arguments = without_column_ids(item.detail("Arguments")).removesuffix(", false, 0")
        return f"{title}  {arguments.replace(' ASC NULLS FIRST', '')}"
    if item.name == "Filter":
        return f"{title}  {_without_null_tests(without_column_ids(item.detail('Condition')))}"
    if item.name == "Scan":
        columns = queries.split_list(item.detail("Output"))
        kinds = ("PartitionFilters", "PushedFilters")
        filters = [f"{kind} {_without_null_tests(without_column_ids(item.detail(kind)))}" for kind in kinds]
        filters = [text for text in filters if not text.endswith((" ", "[]"))]
        named = len(columns) <= FEW and not filters
        filters.append(", ".join(columns) if named else f"{len(columns)} columns")
        return f"{title}  {'; '.join(filters)}"
    return title


def _without_null_tests(condition: str) -> str:
    """Return a condition without outer brackets and without the null tests that Spark adds to each comparison."""
    left = NULLS.sub("", condition)
    while left.startswith("(") and left.endswith(")") and ") " not in left:
        left = left[1:-1]
    return left


def _is_shown(item: Operator) -> bool:
    if item.name == "Filter":
        return bool(_without_null_tests(without_column_ids(item.detail("Condition"))))
    return item.name not in LEFT_OUT and (item.name, item.detail("Arguments")) != ("AQEShuffleRead", "coalesced")


def excerpt(item: Operator, lead: str = "", mark: str = "") -> Iterator[str]:
    """Yield the lines of a plan, cut to the docs' width. Operators in LEFT_OUT have no line."""
    while not _is_shown(item) and len(item.children) == 1:
        item = item.children[0]
    line = f"{lead}{mark}{_describe(item)}"
    yield line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
    below = lead + {"": "", ":- ": ":  ", "+- ": "   "}[mark]
    for position, child in enumerate(item.children):
        yield from excerpt(child, below, "+- " if position == len(item.children) - 1 else ":- ")


def report(results: Results) -> Report:
    """Return every block that the docs may have. Plans are only written into the docs, not printed."""
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
    excerpts = {f"plan {name}": ["```", *excerpt(plan.root), "```"] for name, plan in plans.items()}
    comparisons = figures(results)
    blocks = {"figures": comparisons, "tables": tables(results), "groups": groups(results), **excerpts}
    return Report(comparisons, blocks)
