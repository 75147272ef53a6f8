"""Describe each part of an explanation in words, for the terminal and the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.explain.explanation import ExchangeFact, Explanation, JoinFact, ScanFact, SideFact
from penstock.explain.keys import readable_condition
from penstock.explain.server_facts import TableFiles, format_bytes

OPERATORS = {
    "EqualTo": "=",
    "EqualNullSafe": "<=>",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
}
COMPARISON = re.compile(r"^(\w+)\((.+?),(.+)\)$")
NOT_NULL = re.compile(r"^(?:isnotnull|IsNotNull)\(\w+\)$")


def plural(number: int, noun: str) -> str:
    """Return `1 join`, `2 joins` or `no joins`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 'es' if noun.endswith(('x', 'ch')) else 's'}"


def row_count(number: int | None) -> str:
    """Return a number of rows in words, or an empty string if unknown."""
    return "" if number is None else plural(number, "row") if number in (0, 1) else f"{number:,} rows"


def of_total(number: int | None, total: int | None, as_bytes: bool = False) -> str:
    """Return `6 of 12`, `6` if the total is unknown, or `? of 12` if the number is unknown."""

    def show(value: int) -> str:
        return format_bytes(value) if as_bytes else f"{value:,}"

    if number is None:
        return "" if total is None else f"? of {show(total)}"
    return show(number) if total is None else f"{show(number)} of {show(total)}"


def join_title(join: JoinFact) -> str:
    """Return `broadcast hash join, left outer, on a = b`."""
    on = f"on {' and '.join(join.on)}" if join.on else "without a condition"
    return f"{join.kind}, {join.type}, {on}"


def join_side(join: JoinFact, position: str) -> str:
    """Return one side of a join: its alias, its tables, its rows and bytes.

    Args:
        position: `left` or `right`.
    """
    side: SideFact = getattr(join, position)
    tables = ", ".join(side.tables)
    name = f"`{side.alias}` ({tables})" if side.alias and tables else f"`{side.alias}`" if side.alias else tables
    is_built = join.built == position
    figures = [row_count(side.rows)]
    if side.bytes is not None:
        figures.append(f"{format_bytes(side.bytes)} in memory" if is_built else format_bytes(side.bytes))
    if side.stored is not None and is_built:
        figures.append(f"{format_bytes(side.stored)} stored")
    listed = ", ".join(filter(None, figures))
    return f"{position} {name or 'rows of the query itself'}{f': {listed}' if listed else ''}"


def join_lines(join: JoinFact) -> list[str]:
    """Return lines on the roles of a join's sides, its output rows, and the reasons for its strategy."""
    other = {"left": "right", "right": "left"}
    if join.kind.startswith("broadcast") and join.built:
        lines = [f"{join_side(join, join.built)}; sent whole to every task", join_side(join, other[join.built])]
    elif join.kind == "shuffle hash join" and join.built:
        lines = [f"{join_side(join, join.built)}; hashed in each task", join_side(join, other[join.built])]
    else:
        lines = [join_side(join, "left"), join_side(join, "right")]
    if join.rows is not None:
        lines.append(f"gave {row_count(join.rows)}")
    return [*lines, *(f"why: {reason}" for reason in join.why[:1]), *(f"also: {reason}" for reason in join.why[1:])]


def exchange_partitions(exchange: ExchangeFact) -> str:
    """Return `4`, or `4 → 2` if adaptive execution coalesced partitions."""
    if exchange.partitions is None:
        return "?"
    unchanged = exchange.read_as is None or exchange.read_as == exchange.partitions
    return str(exchange.partitions) if unchanged else f"{exchange.partitions} → {exchange.read_as}"


def filters(scan: ScanFact) -> list[str]:
    """Return the filters by which a scan skips partitions, files and rows, one line per kind."""
    lines = []
    for name, items in (("partition filter", scan.partition_filters), ("pushed filter", scan.pushed_filters)):
        # Every other filter on a column implies that the column is not null. Show `isnotnull` only if it is alone.
        shown = [_filter(item) for item in items if not NOT_NULL.match(item)] or [_filter(item) for item in items]
        if shown:
            lines.append(f"{name}: {', '.join(shown)}")
    return lines


def _filter(text: str) -> str:
    """Return `service_type = green` for Spark's `EqualTo(service_type,green)`."""
    if text.startswith("Not(") and text.endswith(")"):
        return f"not {_filter(text[4:-1])}"
    if NOT_NULL.match(text):
        return f"{text[10:-1]} is not null"
    match = COMPARISON.match(text)
    if match and match[1] in OPERATORS:
        return f"{match[2]} {OPERATORS[match[1]]} {match[3]}"
    return readable_condition(text)


def files(table: TableFiles) -> list[str]:
    """Return the number and sizes of a table's files, and their distribution over its partitions."""
    lines = [f"{plural(len(table.sizes), 'file')}, {format_bytes(sum(table.sizes))} in all"]
    if len(table.sizes) > 1:
        smallest, largest, median = map(format_bytes, (table.sizes[0], table.sizes[-1], table.median))
        lines.append(f"a file: {smallest} to {largest}, median {median}")
    if table.partitioned_by and table.partitions:
        fewest, most = table.partitions[0], table.partitions[-1]
        each = plural(most, "file") if fewest == most else f"{fewest} to {most} files"
        lines.append(f"{plural(len(table.partitions), 'partition')} by {', '.join(table.partitioned_by)}, {each} each")
    return lines


def headline(explanation: Explanation) -> Sequence[str]:
    """Return the number of joins, exchanges, scans and, after a run, stages."""
    counts = [
        plural(len(explanation.joins), "join"),
        plural(len(explanation.exchanges), "exchange"),
        plural(len(explanation.scans), "scan"),
    ]
    return [*counts, plural(len(explanation.stages), "stage")] if explanation.has_run else counts
