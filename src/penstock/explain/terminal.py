"""An explanation on the terminal: plain text when it goes elsewhere."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.explain import sentences
from penstock.explain.explanation import Facts, ScanFact
from penstock.explain.server_facts import size


def _head(console: Console, text: str, note: str = "") -> None:
    console.print()
    console.print(Text.assemble((text, "bold"), (f"  {note}" if note else "", "dim")))


def _line(console: Console, text: str, style: str = "", indent: int = 5) -> None:
    console.print(Padding(Text(text, style), (0, 0, 0, indent), expand=False))


def _table(*columns: tuple[str, bool]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, right in columns:
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    return table


def _indented(console: Console, table: Table) -> None:
    console.print(Padding(table, (0, 0, 0, 2)))


def show(console: Console, facts: Facts) -> None:
    """Print it all, the answers first."""
    console.print(Text.assemble((facts.model, "bold"), f" ({facts.kind}): {', '.join(sentences.answers(facts))}"))
    console.print(Text(facts.heading))
    for note in facts.notes:
        console.print(Text(note, "yellow"))
    for warning in facts.warnings:
        console.print(Text.assemble(("! ", "bold yellow"), (warning, "yellow")))
    _joins(console, facts)
    _exchanges(console, facts)
    _scans(console, facts)
    _stages(console, facts)
    if facts.files:
        _head(console, f"files of {facts.files.table}", "as they are now")
        for line in sentences.files(facts.files):
            _line(console, line, indent=2)
    console.print(Text("\nnumbers are those that `--plan` gives the operators", "dim"))


def text(facts: Facts) -> str:
    """The same as plain text, 110 letters wide."""
    out = StringIO()
    show(Console(file=out, width=110, highlight=False, color_system=None), facts)
    return out.getvalue()


def _joins(console: Console, facts: Facts) -> None:
    if facts.joins:
        _head(console, sentences.plural(len(facts.joins), "join"), "the last one first")
    for join in facts.joins:
        title = _table(("", True), ("", False))
        title.show_header = False
        title.add_row(Text(f"{join.number:>3}", "dim"), Text(sentences.join_title(join), "cyan"))
        console.print(title)
        for line in sentences.join_lines(join):
            _line(console, line, "green" if line.startswith("why") else "")


def _exchanges(console: Console, facts: Facts) -> None:
    if not facts.exchanges and not facts.steps:
        return
    _head(console, sentences.plural(len(facts.exchanges), "exchange"), "; ".join(facts.steps))
    counts = (("rows", True), ("bytes", True)) if facts.has_run else ()
    table = _table(("", True), ("by", False), ("partitions", True), *counts, ("for", False), ("keys", False))
    for item in facts.exchanges:
        moved = (
            (f"{item.rows:,}" if item.rows is not None else "", size(item.bytes) if item.bytes is not None else "")
            if facts.has_run
            else ()
        )
        table.add_row(
            str(item.number),
            item.partitioning,
            sentences.exchange_partitions(item),
            *moved,
            item.asked_by,
            ", ".join(item.keys),
        )
    if facts.exchanges:
        _indented(console, table)


def _scans(console: Console, facts: Facts) -> None:
    if not facts.scans:
        return
    _head(console, sentences.plural(len(facts.scans), "scan"))
    names = ["", "table", "columns", "files", "partitions", "bytes", *(["rows"] if facts.has_run else [])]
    lines = [names, *(_scanned(scan, facts.has_run) for scan in facts.scans)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    for line, scan in zip(lines, (None, *facts.scans), strict=True):
        cells = zip(line, widths, ("", "<", *names), strict=False)
        told = (f"{cell:<{width}}" if side == "<" else f"{cell:>{width}}" for cell, width, side in cells)
        console.print(Text(f"  {'  '.join(told)}", "" if scan else "dim"))
        # Filters are as long as people make them: they have lines of their own.
        for filtered in sentences.filters(scan) if scan else ():
            _line(console, filtered, indent=widths[0] + 6)


def _scanned(scan: ScanFact, has_run: bool) -> list[str]:
    return [
        str(scan.number),
        scan.table,
        sentences.part(scan.columns, scan.of_columns),
        sentences.part(scan.files, scan.of_files),
        sentences.part(scan.partitions, scan.of_partitions),
        sentences.part(scan.bytes, scan.of_bytes, "bytes"),
        *([f"{scan.rows:,}" if scan.rows is not None else ""] if has_run else []),
    ]


def _stages(console: Console, facts: Facts) -> None:
    if not facts.stages:
        return
    _head(console, sentences.plural(len(facts.stages), "stage"))
    names = ("tasks", "seconds", "shuffle read", "shuffle written", "written", "spilled", "longest/median")
    table = _table(("", True), *((name, True) for name in names))
    for stage in facts.stages:
        sizes = (stage.shuffle_read, stage.shuffle_written, stage.written, stage.spilled)
        table.add_row(
            str(stage.number),
            str(stage.tasks),
            f"{stage.seconds:.1f}",
            *(size(item) if item else "-" for item in sizes),
            f"{stage.skew:.1f}" if stage.tasks > 1 else "-",
        )
    _indented(console, table)
