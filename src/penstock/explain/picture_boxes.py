"""The boxes of a picture: what each operator is, what it works on, and what it counted.

Operators that pass rows on unchanged are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import wrap

from penstock.explain import sentences
from penstock.explain.explanation import Facts
from penstock.explain.keys import condition, simple
from penstock.explain.metrics import count
from penstock.explain.server_facts import size
from penstock.plans import queries
from penstock.plans.operators import Operator

LINE = 15  # pixels
LETTERS = 36  # that fit a line of a box
HIDDEN = ("Project", "ColumnarToRow", "RowToColumnar", "AQEShuffleRead", "AdaptiveSparkPlan", "InputAdapter")
# These give as many rows as they get, and do not count them.
KEEPING = ("Union", "Sort", "Window", "BatchEvalPython", "ArrowEvalPython")
FUNCTION = re.compile(r"(\w+\((?:[^()]|\([^()]*\))*\)) windowspecdefinition")


@dataclass
class Box:
    """An operator to draw: its lines, its colour, its inputs, and the middle of its top edge."""

    kind: str
    lines: list[str]
    rows: int | None
    hover: str
    inputs: list[Box] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> int:
        """Pixels."""
        return LINE * len(self.lines) + 12

    def walk(self) -> Iterator[Box]:
        """Itself and everything that flows into it."""
        yield self
        for item in self.inputs:
            yield from item.walk()


def _is_hidden(item: Operator) -> bool:
    return len(item.children) == 1 and (item.name in HIDDEN or item.name.endswith("QueryStage"))


def tree(item: Operator, facts: Facts) -> Box:
    """The boxes of an operator and everything below it."""
    while _is_hidden(item):
        item = item.children[0]
    mine = facts.counted.get(item.number, {})
    rows = count(mine, "number of output rows", "shuffle records written")
    kind, lines = _told(item, facts)
    figures = [sentences.rows(rows), _bytes(item.number, facts)]
    lines += [told] if (told := ", ".join(filter(None, figures))) else []
    hover = "\n".join(
        [f"({item.number}) {item.title}", *(f"{k}: {queries.without_column_ids(v)}" for k, v in item.details.items())]
    )
    boxes = [tree(child, facts) for child in item.children]
    if rows is None and boxes and item.name in KEEPING:
        known = [box.rows for box in boxes if box.rows is not None]
        rows = sum(known) if len(known) == len(boxes) else None
    return Box(kind, [_cut(line) for line in lines], rows, hover, boxes)


def result(facts: Facts) -> Box:
    """What becomes of the rows, below the plan's root."""
    root = tree(facts.plan.root, facts)
    files = sentences.files(facts.files) if facts.files else []
    told = [part for line in (facts.relation, *files) for part in wrap(line, LETTERS)]
    return Box("other", ["written to" if facts.has_run else "result", *told], root.rows, facts.relation, [root])


def _bytes(number: int, facts: Facts) -> str:
    found: Mapping[int, int | None] = {
        **{scan.number: scan.bytes for scan in facts.scans},
        **{item.number: item.bytes for item in facts.exchanges},
    }
    moved = found.get(number)
    return size(moved) if moved is not None else ""


def _told(item: Operator, facts: Facts) -> tuple[str, list[str]]:
    """A box's colour, and its lines: what it is, and of what."""
    number = f" ({item.number})"
    for join in facts.joins:
        if join.number == item.number:
            return "join", [join.kind + number, join.type, *join.on[:4], *(["…"] if len(join.on) > 4 else [])]
    for exchange in facts.exchanges:
        if exchange.number == item.number:
            parts = sentences.exchange_partitions(exchange)
            return "exchange", [
                f"exchange{number}",
                f"{exchange.partitioning} {', '.join(exchange.keys)}",
                f"{parts} partitions, for {exchange.asked_by}",
            ]
    for scan in facts.scans:
        if scan.number == item.number:
            columns = f"{sentences.part(scan.columns, scan.of_columns)} columns"
            files = f", {sentences.part(scan.files, scan.of_files)} files" if scan.files is not None else ""
            return "scan", [f"scan{number}", scan.table, columns + files, *sentences.filters(scan)]
    if item.name == "BroadcastExchange":
        return "broadcast", [f"broadcast{number}", "sent whole to every task"]
    if item.name == "ReusedExchange":
        return "exchange", [f"exchange used once more{number}", f"that of ({item.detail('Reuses')})"]
    name = "aggregate" if item.name.endswith("Aggregate") else item.name.lower()
    half = "partial " if name == "aggregate" and "partial_" in item.detail("Functions") else ""
    told = _detail(item)
    return "other", [f"{half}{name}{number}", *([told] if told else [])]


def _detail(item: Operator) -> str:
    """What a step works on: an aggregate's keys, a filter's condition, a sort's columns, a window's functions."""
    arguments = queries.without_column_ids(item.detail("Arguments"))
    if item.detail("Keys"):
        return ", ".join(simple(queries.split_list(item.detail("Keys"))))
    if item.detail("Condition"):
        return condition(queries.without_column_ids(item.detail("Condition")))
    if item.name == "Sort":
        columns = queries.split_list(arguments.rsplit("], ", 1)[0] + "]")
        return ", ".join(simple([column.replace(" ASC NULLS FIRST", "") for column in columns]))
    return ", ".join(FUNCTION.findall(arguments)) or arguments


def _cut(line: str) -> str:
    return line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}…"
