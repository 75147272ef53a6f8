"""The boxes of the picture: one per operator, with its name, its arguments and its metrics.

Operators that pass rows on unchanged get no box.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import wrap

from penstock.explain import sentences
from penstock.explain.explanation import Explanation
from penstock.explain.keys import readable_condition, readable_keys
from penstock.explain.metrics import count_metric
from penstock.explain.server_facts import format_bytes
from penstock.plans.operators import Operator
from penstock.plans.queries import split_list, without_column_ids

LINE_HEIGHT = 15  # pixels
LINE_LETTERS = 36  # letters that fit into a line of a box
HIDDEN = ("Project", "ColumnarToRow", "RowToColumnar", "AQEShuffleRead", "AdaptiveSparkPlan", "InputAdapter")
# Operators that output as many rows as they read, but have no metric for the number of rows.
ROW_PRESERVING = ("Union", "Sort", "Window", "BatchEvalPython", "ArrowEvalPython")
WINDOW_FUNCTION = re.compile(r"(\w+\((?:[^()]|\([^()]*\))*\)) windowspecdefinition")
MAX_JOIN_CONDITIONS = 4


@dataclass
class Box:
    """A box of the picture.

    Attributes:
        kind: the box's style class.
        lines: the box's text.
        rows: the output rows; None if unknown.
        hover: the text of the tooltip.
        inputs: the boxes of the operators whose rows this operator reads.
        x, y: the middle of the box's top edge, in pixels.
    """

    kind: str
    lines: list[str]
    rows: int | None
    hover: str
    inputs: list[Box] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return LINE_HEIGHT * len(self.lines) + 12

    def walk(self) -> Iterator[Box]:
        """Yield this box and all boxes above it."""
        yield self
        for item in self.inputs:
            yield from item.walk()


def _is_hidden(item: Operator) -> bool:
    return len(item.children) == 1 and (item.name in HIDDEN or item.name.endswith("QueryStage"))


def operator_boxes(item: Operator, explanation: Explanation) -> Box:
    """Return the box of an operator, with the boxes of all operators below it as inputs."""
    while _is_hidden(item):
        item = item.children[0]
    metrics = explanation.metrics.get(item.number, {})
    rows = count_metric(metrics, "number of output rows", "shuffle records written")
    kind, lines = _kind_and_lines(item, explanation)
    if figures := ", ".join(filter(None, [sentences.row_count(rows), _bytes(item.number, explanation)])):
        lines.append(figures)
    details = (f"{name}: {without_column_ids(value)}" for name, value in item.details.items())
    hover = "\n".join([f"({item.number}) {item.title}", *details])
    inputs = [operator_boxes(child, explanation) for child in item.children]
    if rows is None and inputs and item.name in ROW_PRESERVING:
        known = [box.rows for box in inputs if box.rows is not None]
        rows = sum(known) if len(known) == len(inputs) else None
    return Box(kind, [_truncate(line) for line in lines], rows, hover, inputs)


def result_box(explanation: Explanation) -> Box:
    """Return the box of the result, with the boxes of the whole plan as inputs."""
    root = operator_boxes(explanation.plan.root, explanation)
    files = sentences.files(explanation.files) if explanation.files else []
    lines = [part for line in (explanation.relation, *files) for part in wrap(line, LINE_LETTERS)]
    title = "written to" if explanation.has_run else "result"
    return Box("other", [title, *lines], root.rows, explanation.relation, [root])


def _bytes(number: int, explanation: Explanation) -> str:
    by_number: Mapping[int, int | None] = {
        **{scan.number: scan.bytes for scan in explanation.scans},
        **{exchange.number: exchange.bytes for exchange in explanation.exchanges},
    }
    size = by_number.get(number)
    return format_bytes(size) if size is not None else ""


def _kind_and_lines(item: Operator, explanation: Explanation) -> tuple[str, list[str]]:
    """Return the style class of an operator's box, and its text."""
    number = f" ({item.number})"
    for join in explanation.joins:
        if join.number == item.number:
            more = ["…"] if len(join.on) > MAX_JOIN_CONDITIONS else []
            return "join", [join.kind + number, join.type, *join.on[:MAX_JOIN_CONDITIONS], *more]
    for exchange in explanation.exchanges:
        if exchange.number == item.number:
            partitions = sentences.exchange_partitions(exchange)
            return "exchange", [
                f"exchange{number}",
                f"{exchange.partitioning} {', '.join(exchange.keys)}",
                f"{partitions} partitions, for {exchange.asked_by}",
            ]
    for scan in explanation.scans:
        if scan.number == item.number:
            columns = f"{sentences.of_total(scan.columns, scan.of_columns)} columns"
            files = f", {sentences.of_total(scan.files, scan.of_files)} files" if scan.files is not None else ""
            return "scan", [f"scan{number}", scan.table, columns + files, *sentences.filters(scan)]
    if item.name == "BroadcastExchange":
        return "broadcast", [f"broadcast{number}", "sent whole to every task"]
    if item.name == "ReusedExchange":
        return "exchange", [f"reused exchange{number}", f"rows of ({item.detail('Reuses')})"]
    name = "aggregate" if item.name.endswith("Aggregate") else item.name.lower()
    phase = "partial " if name == "aggregate" and "partial_" in item.detail("Functions") else ""
    arguments = _arguments(item)
    return "other", [f"{phase}{name}{number}", *([arguments] if arguments else [])]


def _arguments(item: Operator) -> str:
    """Return an aggregate's keys, a filter's condition, a sort's columns or a window's functions."""
    arguments = without_column_ids(item.detail("Arguments"))
    if item.detail("Keys"):
        return ", ".join(readable_keys(split_list(item.detail("Keys"))))
    if item.detail("Condition"):
        return readable_condition(without_column_ids(item.detail("Condition")))
    if item.name == "Sort":
        columns = split_list(arguments.rsplit("], ", 1)[0] + "]")
        return ", ".join(readable_keys([column.replace(" ASC NULLS FIRST", "") for column in columns]))
    return ", ".join(WINDOW_FUNCTION.findall(arguments)) or arguments


def _truncate(line: str) -> str:
    return line if len(line) <= LINE_LETTERS else f"{line[: LINE_LETTERS - 1]}…"
