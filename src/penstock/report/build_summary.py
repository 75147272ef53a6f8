"""Summarize a build: rows per table, test results, quarantined rows by reason, join strategies and next commands."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from penstock.config.profiles import target_folder, typed_command
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.plans import plan_store, queries
from penstock.plans.plan_parser import NotAPlan
from penstock.report.warehouse_query import run_query
from penstock.spark.server import control

LAYERS = ("lake", "staging", "intermediate", "warehouse")
# Suffixes of intermediate models whose rows are not counted: counting them is slow and tells the user little.
UNCOUNTED_SUFFIXES = ("_windowed", "_checked")
PASSED = {"pass", "success"}


@dataclass(frozen=True)
class Summary:
    """The summary of a build.

    Attributes:
        counts: number of rows by layer and table.
        tests: number of tests by status. Successful tests have the status `passed`.
        quarantined: pairs of a rule and the number of rows that it quarantined, largest number first.
        joins: one line for each model with joins. The line lists the model's join strategies.
        ui: the address of the Spark UI; empty if the server has none.
        reused: number of passed tests that dbt did not repeat, because neither their SQL nor their data changed.
    """

    counts: dict[tuple[str, str], int]
    tests: Counter[str]
    quarantined: list[tuple[str, int]]
    joins: list[str]
    ui: str
    reused: int = 0


def read_artifact(settings: Settings, name: str) -> dict[str, Any]:
    """Return the content of a JSON file in dbt's target folder.

    Raises:
        PenstockError: the file does not exist, because dbt has not run yet.
    """
    path = target_folder(settings.root) / name
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        return data
    except OSError:
        raise PenstockError(f"dbt's {name}", "no build yet", "type `dbt build`") from None


def built_tables(manifest: dict[str, Any], results: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (layer, table) for each dataset of the lake, and for each model and snapshot that the last run built.

    Args:
        manifest: the content of dbt's `manifest.json`.
        results: the content of dbt's `run_results.json`.
    """
    nodes = manifest["nodes"]
    built = [
        nodes[r["unique_id"]]
        for r in results["results"]
        if r["status"] in PASSED and r["unique_id"].startswith(("model.", "snapshot.")) and r["unique_id"] in nodes
    ]
    named = [(n["schema"], n["alias"]) for n in built if n["config"]["materialized"] != "ephemeral"]
    # The filter also excludes the run ledger. It is a dbt source, but does not exist until an interval model (an
    # incremental model that penstock builds by month or day) is built.
    sources = [
        (s["schema"], s["identifier"])
        for s in manifest["sources"].values()
        if s["schema"] == "lake" and s["identifier"] != "manifest"
    ]
    return sorted((layer, table) for layer, table in sources + named if layer in LAYERS)


def _quarantined(settings: Settings, tables: list[tuple[str, str]]) -> list[tuple[str, int]]:
    if ("warehouse", "quality_report") not in tables:
        return []
    counted = "select rule, sum(`rows`) as n from warehouse.quality_report where severity = 'error'"
    rows = run_query(settings, f"{counted} group by rule order by 2 desc")
    return [(str(rule), int(count)) for rule, count in rows if count]


def _joins(settings: Settings, results: dict[str, Any]) -> list[str]:
    """Return one line for each model of the last run that has joins. It lists the model's join strategies."""
    lines = []
    for node in sorted(item["unique_id"] for item in results["results"] if item["status"] in PASSED):
        captured = plan_store.read(target_folder(settings.root), node)
        with contextlib.suppress(NotAPlan):
            plan = captured.plan if captured else None
            kinds = Counter(join.kind for join in queries.joins(plan)) if plan else Counter()
            if kinds:
                listed = ", ".join(kind if n == 1 else f"{n} {kind}s" for kind, n in kinds.most_common())
                lines.append(f"{node.rsplit('.', 1)[-1]}: {listed}")
    return lines


def _reused_tests(settings: Settings, results: dict[str, Any]) -> int:
    """Return the number of tests that the last run did not repeat, from the file that the adapter wrote."""
    with contextlib.suppress(PenstockError):
        passed = read_artifact(settings, "passed_tests.json")
        if passed["run"] == results["metadata"]["invocation_id"]:
            return int(passed["reused"])
    return 0


def gather(settings: Settings) -> Summary:
    """Return the summary of the last build, from the files in dbt's target folder and from the server.

    Raises:
        PenstockError: dbt has not run yet, or no server is running.
    """
    results = read_artifact(settings, "run_results.json")
    tables = [
        table
        for table in built_tables(read_artifact(settings, "manifest.json"), results)
        if not table[1].endswith(UNCOUNTED_SUFFIXES)
    ]
    counts: dict[tuple[str, str], int] = {}
    if tables:
        union = " union all ".join(f"select '{a}' as a, '{b}' as b, count(*) as n from {a}.{b}" for a, b in tables)
        counts = {(a, b): int(n) for a, b, n in run_query(settings, union)}
    tests = Counter(
        "passed" if r["status"] in PASSED else str(r["status"])
        for r in results["results"]
        if r["unique_id"].startswith(("test.", "unit_test."))
    )
    running = control.current(settings)
    return Summary(
        counts,
        tests,
        _quarantined(settings, tables),
        _joins(settings, results),
        running.ui if running else "",
        _reused_tests(settings, results),
    )


def show(summary: Summary, seconds: float | None) -> None:
    """Print the summary of a build.

    Args:
        summary: the summary.
        seconds: duration of the whole command. If it is None, the line with the duration is omitted.
    """
    console = Console(highlight=False)
    console.print()
    console.print(_row_table(summary))
    failed = sum(number for status, number in summary.tests.items() if status != "passed")
    color = "green" if not failed else "red"
    tests = ", ".join(f"{number} {status}" for status, number in summary.tests.most_common()) or "none run"
    reused = f" ({summary.reused} of them not repeated: their SQL and data are the same)" if summary.reused else ""
    console.print(f"tests        [{color}]{tests}[/{color}]{reused}", soft_wrap=True)
    if summary.quarantined:
        # A row that several rules quarantined counts once for each rule.
        reasons = ", ".join(f"{name} {number:,}" for name, number in summary.quarantined)
        console.print(f"quarantined  {reasons}", soft_wrap=True)
    for position, line in enumerate(summary.joins):
        console.print(f"{'joins' if position == 0 else '':<12} {line}", soft_wrap=True)
    if seconds is not None:
        console.print(f"seconds      {seconds:.1f}")
    console.print(_next_commands(summary.ui))


def _row_table(summary: Summary) -> Table:
    table = Table(title="penstock: what the build left", title_justify="left", show_edge=False, pad_edge=False)
    for name, justify in (("layer", "left"), ("table", "left"), ("rows", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for layer in LAYERS:
        of_layer = [(b, n) for (a, b), n in sorted(summary.counts.items()) if a == layer]
        for position, (name, number) in enumerate(of_layer):
            is_last = position == len(of_layer) - 1
            table.add_row(layer if position == 0 else "", name, f"{number:,}", end_section=is_last)
    return table


def _next_commands(ui: str) -> Table:
    hints = Table.grid(padding=(0, 2))
    hints.add_row("next       ", "export PATH=$PWD/.venv/bin:$PATH", "")
    hints.add_row("", "dbt docs generate && dbt docs serve", "the lineage graph")
    hints.add_row("", "penstock explain hourly_zone_revenue", "which join Spark chose, and why")
    hints.add_row("", "penstock batches", "what was built for each model and month")
    hints.add_row("", "make ml", "machine learning: train, predict, cluster, rank, stream")
    hints.add_row("", "penstock land green 2024-01", "a real month, then: dbt build")
    if ui:
        hints.add_row("", typed_command("status --show-secret"), f"the link to the Spark UI, {ui}")
    return hints
