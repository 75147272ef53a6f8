"""Print an explanation: with colors on a terminal, otherwise as plain text."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.explain import sentences
from penstock.explain.explanation import Explanation, ScanFact
from penstock.explain.server_facts import format_bytes

TEXT_WIDTH = 110


def _heading(console: Console, text: str, note: str = "") -> None:
    console.print()
    console.print(Text.assemble((text, "bold"), (f"  {note}" if note else "", "dim")))


def _line(console: Console, text: str, style: str = "", indent: int = 5) -> None:
    console.print(Padding(Text(text, style), (0, 0, 0, indent), expand=False))


def _table(*columns: tuple[str, bool]) -> Table:
    """Return an empty table. Each column is a name, and whether the column is right-aligned."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, is_number in columns:
        table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return table


def _print_table(console: Console, table: Table) -> None:
    console.print(Padding(table, (0, 0, 0, 2)))


def show(console: Console, explanation: Explanation) -> None:
    """Print an explanation, the summary first."""
    headline = f" ({explanation.kind}): {', '.join(sentences.headline(explanation))}"
    console.print(Text.assemble((explanation.model, "bold"), headline))
    console.print(Text(explanation.heading))
    for note in explanation.notes:
        console.print(Text(note, "yellow"))
    for warning in explanation.warnings:
        console.print(Text.assemble(("! ", "bold yellow"), (warning, "yellow")))
    _joins(console, explanation)
    _exchanges(console, explanation)
    _scans(console, explanation)
    _stages(console, explanation)
    if explanation.files:
        _heading(console, f"files of {explanation.files.table}", "as they are now")
        for line in sentences.files(explanation.files):
            _line(console, line, indent=2)
    console.print(Text("\n`--plan` prints Spark's own plan. Its operators have the numbers that are used here", "dim"))


def text(explanation: Explanation) -> str:
    """Return an explanation as plain text."""
    out = StringIO()
    show(Console(file=out, width=TEXT_WIDTH, highlight=False, color_system=None), explanation)
    return out.getvalue()


def _joins(console: Console, explanation: Explanation) -> None:
    if explanation.joins:
        _heading(console, sentences.plural(len(explanation.joins), "join"), "the last one first")
    for join in explanation.joins:
        title = _table(("", True), ("", False))
        title.show_header = False
        title.add_row(Text(f"{join.number:>3}", "dim"), Text(sentences.join_title(join), "cyan"))
        console.print(title)
        for line in sentences.join_lines(join):
            _line(console, line, "green" if line.startswith("why") else "")


def _exchanges(console: Console, explanation: Explanation) -> None:
    if not explanation.exchanges and not explanation.steps:
        return
    _heading(console, sentences.plural(len(explanation.exchanges), "exchange"), "; ".join(explanation.steps))
    counts = (("rows", True), ("bytes", True)) if explanation.has_run else ()
    table = _table(("", True), ("by", False), ("partitions", True), *counts, ("for", False), ("keys", False))
    for item in explanation.exchanges:
        rows = f"{item.rows:,}" if item.rows is not None else ""
        size = format_bytes(item.bytes) if item.bytes is not None else ""
        table.add_row(
            str(item.number),
            item.partitioning,
            sentences.exchange_partitions(item),
            *((rows, size) if explanation.has_run else ()),
            item.asked_by,
            ", ".join(item.keys),
        )
    if explanation.exchanges:
        _print_table(console, table)


def _scans(console: Console, explanation: Explanation) -> None:
    if not explanation.scans:
        return
    _heading(console, sentences.plural(len(explanation.scans), "scan"))
    names = ["", "table", "columns", "files", "partitions", "bytes", *(["rows"] if explanation.has_run else [])]
    lines = [names, *(_scan_cells(scan, explanation.has_run) for scan in explanation.scans)]
    widths = [max(len(line[position]) for line in lines) for position in range(len(names))]
    for line, scan in zip(lines, (None, *explanation.scans), strict=True):
        cells = (
            f"{cell:<{width}}" if name == "table" else f"{cell:>{width}}"
            for cell, width, name in zip(line, widths, names, strict=True)
        )
        console.print(Text(f"  {'  '.join(cells)}", "" if scan else "dim"))
        # Filters can be long, so each kind of filter gets a separate line.
        for filter_ in sentences.filters(scan) if scan else ():
            _line(console, filter_, indent=widths[0] + 6)


def _scan_cells(scan: ScanFact, has_run: bool) -> list[str]:
    return [
        str(scan.number),
        scan.table,
        sentences.of_total(scan.columns, scan.of_columns),
        sentences.of_total(scan.files, scan.of_files),
        sentences.of_total(scan.partitions, scan.of_partitions),
        sentences.of_total(scan.bytes, scan.of_bytes, as_bytes=True),
        *([f"{scan.rows:,}" if scan.rows is not None else ""] if has_run else []),
    ]


def _stages(console: Console, explanation: Explanation) -> None:
    if not explanation.stages:
        return
    _heading(console, sentences.plural(len(explanation.stages), "stage"), "skew: longest task / median task")
    names = ("tasks", "seconds", "shuffle in", "shuffle out", "written", "spilled", "skew")
    table = _table(("", True), *((name, True) for name in names))
    for stage in explanation.stages:
        sizes = (stage.shuffle_read, stage.shuffle_written, stage.written, stage.spilled)
        table.add_row(
            str(stage.number),
            str(stage.tasks),
            f"{stage.seconds:.1f}",
            *(format_bytes(item) if item else "-" for item in sizes),
            f"{stage.skew:.1f}" if stage.tasks > 1 else "-",
        )
    _print_table(console, table)
