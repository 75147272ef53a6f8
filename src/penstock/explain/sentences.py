"""An explanation in sentences, one piece of the plan each; the same words for terminal and picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.explain.explanation import ExchangeFact, Facts, JoinFact, ScanFact, SideFact
from penstock.explain.keys import condition
from penstock.explain.server_facts import Files, size

OPERATORS = {
    "EqualTo": "=",
    "EqualNullSafe": "<=>",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
}
COMPARED = re.compile(r"^(\w+)\((.+?),(.+)\)$")
NOT_NULL = re.compile(r"^(?:isnotnull|IsNotNull)\(\w+\)$")


def plural(number: int, word: str) -> str:
    """`1 join`, `2 joins`, `no joins`."""
    return f"{number or 'no'} {word}{'' if number == 1 else 'es' if word.endswith(('x', 'ch')) else 's'}"


def rows(number: int | None) -> str:
    """A count of rows."""
    return "" if number is None else plural(number, "row") if number in (0, 1) else f"{number:,} rows"


def part(number: int | None, of: int | None, form: str = "") -> str:
    """`6 of 12`, with what is known; bytes when the form says so."""

    def show(value: int) -> str:
        return size(value) if form == "bytes" else f"{value:,}"

    if number is None:
        return "" if of is None else f"? of {show(of)}"
    return show(number) if of is None else f"{show(number)} of {show(of)}"


def join_title(join: JoinFact) -> str:
    """`broadcast hash join, left outer, on a = b`."""
    on = f"on {' and '.join(join.on)}" if join.on else "without a condition"
    return f"{join.kind}, {join.type}, {on}"


def side(join: JoinFact, place: str) -> str:
    """One side: its name in the query, its tables, and how much came of it."""
    fact: SideFact = getattr(join, place)
    tables = ", ".join(fact.tables)
    name = f"`{fact.alias}` ({tables})" if fact.alias and tables else f"`{fact.alias}`" if fact.alias else tables
    known = [rows(fact.rows), f"{size(fact.bytes)} in memory" if join.built == place and fact.bytes is not None else ""]
    if join.built != place and fact.bytes is not None:
        known[1] = size(fact.bytes)
    if fact.stored is not None and join.built == place:
        known.append(f"{size(fact.stored)} stored")
    figures = ", ".join(filter(None, known))
    return f"{place} {name or 'rows of the query itself'}{f': {figures}' if figures else ''}"


def join_lines(join: JoinFact) -> list[str]:
    """What a join does with its sides, and why."""
    other = {"left": "right", "right": "left"}
    if join.kind.startswith("broadcast") and join.built:
        lines = [f"{side(join, join.built)}; sent whole to every task", side(join, other[join.built])]
    elif join.kind == "shuffle hash join" and join.built:
        lines = [f"{side(join, join.built)}; hashed in each task", side(join, other[join.built])]
    else:
        lines = [side(join, "left"), side(join, "right")]
    if join.rows is not None:
        lines.append(f"gave {rows(join.rows)}")
    return [*lines, *(f"why: {reason}" for reason in join.why[:1]), *(f"also: {reason}" for reason in join.why[1:])]


def exchange_partitions(fact: ExchangeFact) -> str:
    """`4`, or `4, read as 2` when adaptive execution put some together."""
    if fact.partitions is None:
        return "?"
    same = fact.read_as is None or fact.read_as == fact.partitions
    return str(fact.partitions) if same else f"{fact.partitions} → {fact.read_as}"


def filters(fact: ScanFact) -> list[str]:
    """The filters that spare partitions, files and rows of a scan."""
    lines = []
    for name, items in (("partition filter", fact.partition_filters), ("pushed filter", fact.pushed_filters)):
        # That a column isn't null is said by every other filter on it too.
        told = [_filter(item) for item in items if not NOT_NULL.match(item)] or [_filter(item) for item in items]
        if told:
            lines.append(f"{name}: {', '.join(told)}")
    return lines


def _filter(text: str) -> str:
    """`service_type = green` of Spark's `EqualTo(service_type,green)`."""
    if text.startswith("Not(") and text.endswith(")"):
        return f"not {_filter(text[4:-1])}"
    if NOT_NULL.match(text):
        return f"{text[10:-1]} is not null"
    match = COMPARED.match(text)
    if match and match[1] in OPERATORS:
        return f"{match[2]} {OPERATORS[match[1]]} {match[3]}"
    return condition(text)


def files(found: Files) -> list[str]:
    """How many files a table has, how large they are, and how they lie in its partitions."""
    lines = [f"{plural(len(found.sizes), 'file')}, {size(sum(found.sizes))} in all"]
    if len(found.sizes) > 1:
        lines.append(f"a file: {size(found.sizes[0])} to {size(found.sizes[-1])}, median {size(found.median)}")
    if found.partitioned_by and found.partitions:
        least, most = found.partitions[0], found.partitions[-1]
        each = plural(most, "file") if least == most else f"{least} to {most} files"
        lines.append(f"{plural(len(found.partitions), 'partition')} by {', '.join(found.partitioned_by)}, {each} each")
    return lines


def answers(facts: Facts) -> Sequence[str]:
    """The whole in one line: joins, exchanges, scans, stages."""
    found = [
        plural(len(facts.joins), "join"),
        plural(len(facts.exchanges), "exchange"),
        plural(len(facts.scans), "scan"),
    ]
    return [*found, plural(len(facts.stages), "stage")] if facts.has_run else found
