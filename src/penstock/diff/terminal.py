"""Show a comparison in the terminal: one line for each table, then the details of the tables that differ."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from penstock.diff import wording
from penstock.diff.results import DIFFERENT, EQUAL, NEW, Diff, TableDiff
from penstock.diff.row_changes import ADDED, REMOVED, Example

STYLES = {EQUAL: "green", DIFFERENT: "yellow", NEW: "yellow"}


def show(console: Console, diff: Diff) -> None:
    """Print a comparison."""
    sample = f", {diff.sample:.3%} of the keys" if diff.sample < 1 else ""
    console.print(f"{diff.before} → {diff.after}{sample}", markup=False)
    console.print(_summary(diff))
    for table in diff.tables:
        if table.status == DIFFERENT or table.plan_changes:
            console.print()
            _show_table(console, table)


def _summary(diff: Diff) -> Table:
    summary = Table(box=None, pad_edge=False)
    summary.add_column("table", overflow="fold")
    summary.add_column("rows before", justify="right", no_wrap=True)
    summary.add_column("rows after", justify="right", no_wrap=True)
    summary.add_column("differences", overflow="fold")
    for table in diff.tables:
        style = STYLES.get(table.status, "dim")
        text = "; ".join(filter(None, (wording.changes(table), wording.skipped(table))))
        summary.add_row(escape(table.name), *wording.rows(table), f"[{style}]{escape(text)}[/{style}]")
    return summary


def _show_table(console: Console, table: TableDiff) -> None:
    console.print(f"[bold]{escape(table.name)}[/bold]  {escape(table.before)} → {escape(table.after)}", soft_wrap=True)
    for line in _lines(table):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    if table.drifted:
        console.print(_drift(table))


def _lines(table: TableDiff) -> Iterator[str]:
    yield from wording.facts(table)
    for kind, count in ((ADDED, table.changes.added), (REMOVED, table.changes.removed)):
        if count:
            yield f"{wording.rows_of(count)} {kind}"
            yield from (f"  {wording.key(table, example)}" for example in table.changes.examples.get(kind, ()))
    for name, count in table.changes.columns.items():
        yield f"{name}: {wording.rows_of(count)} changed"
        yield from (f"  {_change(table, example)}" for example in table.changes.examples.get(name, ()))


def _change(table: TableDiff, example: Example) -> str:
    return f"{wording.key(table, example)}: {wording.value(example.before)} → {wording.value(example.after)}"


def _drift(table: TableDiff) -> Table:
    drift = Table(box=None, padding=(0, 0, 0, 2))
    drift.add_column("column", overflow="fold")
    for name in ("", "before", "after", "difference"):
        drift.add_column(name, justify="left" if not name else "right", overflow="fold")
    for name in table.drifted:
        before, after = table.figures[name]
        label = escape(name)
        if before.total is not None or after.total is not None:
            totals = (wording.number(before.total), wording.number(after.total), wording.difference(before, after))
            drift.add_row(label, "sum", *totals)
            drift.add_row("", "mean", wording.mean(before), wording.mean(after), "")
            label = ""
        if before.nulls or after.nulls:
            nulls = (f"{before.nulls:,}", f"{after.nulls:,}", f"{after.nulls - before.nulls:+,}")
            drift.add_row(label, "nulls", *nulls)
    return drift
