"""What a build left, in one short table: rows a layer, tests, rows quarantined by reason, what to type next."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyhive import hive
from rich.console import Console
from rich.table import Table

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.plans import plan_store, queries
from penstock.plans.parse import NotAPlan
from penstock.report import remote_session
from penstock.spark.server import control

LAYERS = ("lake", "staging", "intermediate", "warehouse")
# Endings of models that are steps on the way to others: counting their rows takes longest and tells least.
IN_BETWEEN = ("_windowed", "_checked")
PASSED = {"pass", "success"}


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Rows of one statement on the running server: the project's own, or the one that the target names.

    Raises:
        PenstockError: no server is up, or the statement failed; Spark's message without its stack.
    """
    if control.is_remote(settings):
        connection = remote_session.connect(settings)
    else:
        running = control.current(settings)
        if running is None:
            raise PenstockError("a running server", "none is up", "type `penstock up`")
        connection = running.connect()
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]
    except hive.OperationalError as error:
        status = getattr(error.args[0], "status", None) if error.args else None
        words = str(status.errorMessage if status else error).splitlines()[0]
        raise PenstockError("an answer to a statement", words, f"see {control.log_folder(settings)}") from None
    finally:
        # Hive's classes can fail as a session closes; the rows, or the error, are here already.
        with contextlib.suppress(hive.OperationalError):
            connection.close()


def artifact(settings: Settings, name: str) -> dict[str, Any]:
    """One of the files dbt left in target/.

    Raises:
        PenstockError: dbt has not run yet.
    """
    path = settings.root / target_folder() / name
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        return data
    except OSError:
        raise PenstockError(f"dbt's {name}", "no build yet", "type `dbt build`") from None


def target_folder() -> Path:
    """dbt's target folder, as dbt itself is told."""
    return Path(os.environ.get("DBT_TARGET_PATH", "target"))


def built_tables(manifest: dict[str, Any], results: dict[str, Any]) -> list[tuple[str, str]]:
    """(layer, table) of the lake's datasets and of every model and snapshot that the last run built, seeds aside."""
    nodes = manifest["nodes"]
    built = [
        nodes[r["unique_id"]]
        for r in results["results"]
        if r["status"] in PASSED and r["unique_id"].startswith(("model.", "snapshot.")) and r["unique_id"] in nodes
    ]
    named = [(n["schema"], n["alias"]) for n in built if n["config"]["materialized"] != "ephemeral"]
    # The ledger is a source too, and isn't there before the first interval model is built.
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
    rows = query(settings, f"{counted} group by rule order by 2 desc")
    return [(str(rule), int(count)) for rule, count in rows if count]


def _joins(settings: Settings, results: dict[str, Any]) -> list[str]:
    """For each model of the last run that joins: how Spark did it."""
    found = []
    for node in sorted(item["unique_id"] for item in results["results"] if item["status"] in PASSED):
        known = plan_store.read(settings.root / target_folder(), node)
        with contextlib.suppress(NotAPlan):
            kinds = Counter(join.kind for join in queries.joins(known.plan)) if known and known.plan else Counter()
            if kinds:
                words = ", ".join(kind if n == 1 else f"{n} {kind}s" for kind, n in kinds.most_common())
                found.append(f"{node.rsplit('.', 1)[-1]}: {words}")
    return found


@dataclass(frozen=True)
class Summary:
    """What a build left.

    Attributes:
        counts: rows by layer and table.
        tests: how many by status; those that are well are `passed`.
        quarantined: reasons of quarantine with their rows, most first.
        joins: for each model that joins, how.
        ui: the address of Spark's own UI; empty when there is none.
        reused: how many tests weren't repeated, because they passed and their SQL and data are the same.
    """

    counts: dict[tuple[str, str], int]
    tests: Counter[str]
    quarantined: list[tuple[str, int]]
    joins: list[str]
    ui: str
    reused: int = 0


def _reused(settings: Settings, results: dict[str, Any]) -> int:
    """How many tests of the last run weren't repeated, by the adapter's file."""
    with contextlib.suppress(PenstockError):
        passed = artifact(settings, "passed_tests.json")
        if passed["run"] == results["metadata"]["invocation_id"]:
            return int(passed["reused"])
    return 0


def gather(settings: Settings) -> Summary:
    """What the last build left, by dbt's files and the server.

    Raises:
        PenstockError: dbt has not run yet, or no server answers.
    """
    results = artifact(settings, "run_results.json")
    tables = [
        table
        for table in built_tables(artifact(settings, "manifest.json"), results)
        if not table[1].endswith(IN_BETWEEN)
    ]
    counts: dict[tuple[str, str], int] = {}
    if tables:
        union = " union all ".join(f"select '{a}' as a, '{b}' as b, count(*) as n from {a}.{b}" for a, b in tables)
        counts = {(a, b): int(n) for a, b, n in query(settings, union)}
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
        _reused(settings, results),
    )


def show(found: Summary, seconds: float | None) -> None:
    """Print the summary of a build.

    Args:
        seconds: how long all of it took; None leaves the line out.
    """
    console = Console(highlight=False)
    table = Table(title="penstock: what the build left", title_justify="left", show_edge=False, pad_edge=False)
    for name, justify in (("layer", "left"), ("table", "left"), ("rows", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for layer in LAYERS:
        own = [(b, n) for (a, b), n in sorted(found.counts.items()) if a == layer]
        for place, (name, number) in enumerate(own):
            table.add_row(layer if place == 0 else "", name, f"{number:,}", end_section=place == len(own) - 1)
    console.print()
    console.print(table)

    failed = sum(n for word, n in found.tests.items() if word != "passed")
    color = "green" if not failed else "red"
    words = ", ".join(f"{number} {word}" for word, number in found.tests.most_common()) or "none run"
    repeated = f" ({found.reused} of them not repeated: their SQL and data are the same)" if found.reused else ""
    console.print(f"tests        [{color}]{words}[/{color}]{repeated}", soft_wrap=True)
    if found.quarantined:
        # A row may have several reasons; this counts reasons.
        reasons = ", ".join(f"{name} {number:,}" for name, number in found.quarantined)
        console.print(f"quarantined  {reasons}", soft_wrap=True)
    for place, line in enumerate(found.joins):
        console.print(f"{'joins' if place == 0 else '':<12} {line}", soft_wrap=True)
    if seconds is not None:
        console.print(f"seconds      {seconds:.1f}")
    hints = Table.grid(padding=(0, 2))
    hints.add_row("next       ", "export PATH=$PWD/.venv/bin:$PATH", "")
    hints.add_row("", "dbt docs generate && dbt docs serve", "the lineage graph")
    hints.add_row("", "penstock explain hourly_zone_revenue", "which join Spark chose, and why")
    hints.add_row("", "penstock batches", "what was built for each model and month")
    hints.add_row("", "make ml", "the models that learn: train, predict, cluster, rank, stream")
    hints.add_row("", "penstock land green 2024-01", "a real month, then: dbt build")
    if found.ui:
        hints.add_row("", "penstock status --show-secret", f"the link to Spark's own UI, {found.ui}")
    console.print(hints)
