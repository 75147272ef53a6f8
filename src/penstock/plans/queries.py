"""What people ask of a plan: its joins, exchanges, scans and windows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock.plans.operators import Operator, Plan

ATTRIBUTE = re.compile(r"#\d+L?")
JOINS = {
    "BroadcastHashJoin": "broadcast hash join",
    "ShuffledHashJoin": "shuffle hash join",
    "SortMergeJoin": "sort-merge join",
    "BroadcastNestedLoopJoin": "broadcast nested-loop join",
    "CartesianProduct": "cartesian product",
}
BUILT = re.compile(r"Build(Left|Right)")
SCAN = re.compile(r"^(?:Batch)?Scan (?:\w+ )?(?P<table>[\w.`-]+)?")
PARTITIONING = re.compile(r"^(\w+)(?:\((.*)\))?$", re.DOTALL)
SHUFFLES = ("Exchange", "CollectLimit", "TakeOrderedAndProject")


def plain(text: str) -> str:
    """An expression without the numbers that Spark gives to columns."""
    return ATTRIBUTE.sub("", text)


def listed(text: str) -> tuple[str, ...]:
    """The items of a bracketed list, split at the commas that stand outside brackets."""
    inner = plain(text).strip()
    inner = inner[1:-1] if inner.startswith("[") and inner.endswith("]") else inner
    items, depth, start = [], 0, 0
    for place, letter in enumerate(inner):
        depth += (letter in "([<{") - (letter in ")]>}")
        if letter == "," and depth == 0:
            items.append(inner[start:place].strip())
            start = place + 1
    return tuple(item for item in [*items, inner[start:].strip()] if item)


@dataclass(frozen=True)
class Join:
    """A join as Spark does it.

    Attributes:
        operator: where in the plan.
        kind: in the field's words, `broadcast hash join`.
        type: `Inner`, `LeftOuter` …
        built: the side that is broadcast or hashed, `left` or `right`; empty for neither.
        left_keys, right_keys: the equal expressions.
        condition: what else must hold; empty without.
        left, right: the stored tables read on each side, `schema.table` in lower case.
    """

    operator: Operator
    kind: str
    type: str
    built: str
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    condition: str
    left: frozenset[str]
    right: frozenset[str]

    @property
    def is_broadcast(self) -> bool:
        """Whether one side is sent whole to every task."""
        return self.operator.name.startswith("Broadcast")

    def __str__(self) -> str:
        keys = ", ".join(f"{a} = {b}" for a, b in zip(self.left_keys, self.right_keys, strict=False))
        on = keys or self.condition
        return f"{self.operator.name} {self.type}{f' on {on}' if on else ', without a condition'}"


def joins(plan: Plan) -> list[Join]:
    """Every join, the outermost first."""
    numbers = plan.by_number()
    return [_join(item, numbers) for item in plan.walk() if item.name in JOINS]


def _join(item: Operator, numbers: dict[int, Operator]) -> Join:
    built = BUILT.search(item.title)
    condition = plain(item.detail("Join condition"))
    kind = item.detail("Join type") or item.title.removeprefix(item.name).split(" Build")[0].strip() or "Inner"
    left, right = item.children if len(item.children) == 2 else (item, item)
    return Join(
        item,
        JOINS[item.name],
        kind,
        built[1].lower() if built else "",
        listed(item.detail("Left keys")),
        listed(item.detail("Right keys")),
        "" if condition in ("None", "true") else condition,
        tables(left, numbers),
        tables(right, numbers),
    )


def tables(item: Operator, numbers: dict[int, Operator]) -> frozenset[str]:
    """The stored tables read below an operator, those behind a reused exchange included."""
    found: set[str] = set()
    for below in item.walk():
        reused = numbers.get(int(below.detail("Reuses") or 0))
        if below.name == "ReusedExchange" and reused is not None and reused is not below:
            found |= tables(reused, numbers)
        elif name := table_of(below):
            found.add(name)
    return frozenset(found)


def table_of(item: Operator) -> str:
    """The table that a scan reads, `schema.table` in lower case; empty for none, or for files by path."""
    match = SCAN.match(item.title) if item.name in ("Scan", "BatchScan") else None
    name = (match and match["table"]) or ""
    return ".".join(part.strip("`") for part in name.split(".")[-2:]).lower() if "." in name else ""


@dataclass(frozen=True)
class Exchange:
    """A shuffle: how rows are put into partitions, by which keys, and who asked for it."""

    operator: Operator
    partitioning: str
    keys: tuple[str, ...]
    partitions: int | None
    asked_by: str

    def __str__(self) -> str:
        return f"{self.partitioning}({', '.join(self.keys)})" if self.keys else self.partitioning


def exchanges(plan: Plan) -> list[Exchange]:
    """Every shuffle that is done, the outermost first; a reused one is done once."""
    return [_exchange(item) for item in plan.walk() if item.name == "Exchange"]


def _exchange(item: Operator) -> Exchange:
    arguments = listed(f"[{item.detail('Arguments')}]")
    match = PARTITIONING.match(arguments[0]) if arguments else None
    keys = list(listed(match[2])) if match and match[2] else []
    count = int(keys.pop()) if keys and keys[-1].isdigit() else 1 if match and match[1] == "SinglePartition" else None
    name = match[1].removesuffix("partitioning") if match else item.title
    asked = next((word for word in arguments[1:] if word.isupper()), "")
    return Exchange(item, name, tuple(keys), count, asked)


@dataclass(frozen=True)
class Scan:
    """A table or file read: its columns, and the filters that spare files and rows."""

    operator: Operator
    table: str
    columns: tuple[str, ...]
    partition_filters: tuple[str, ...]
    pushed_filters: tuple[str, ...]


def scans(plan: Plan) -> list[Scan]:
    """Every scan of stored rows."""
    return [
        Scan(
            item,
            table_of(item) or item.title.removeprefix("Scan "),
            listed(item.detail("Output")),
            listed(item.detail("PartitionFilters")),
            listed(item.detail("PushedFilters")),
        )
        for item in plan.walk()
        if item.name in ("Scan", "BatchScan") and not item.title.startswith(("Scan OneRow", "Scan ExistingRDD"))
    ]


def cartesian(plan: Plan) -> list[Join]:
    """Joins that pair every row with every row."""
    every = joins(plan)
    return [i for i in every if i.operator.name == "CartesianProduct" or not (i.left_keys or i.condition)]


def single_partition_windows(plan: Plan) -> list[Operator]:
    """Windows that bring all rows into one task: those over the whole input."""
    return [item for item in plan.walk() if item.name.startswith("Window") and _below(item) == "SinglePartition"]


def _below(item: Operator) -> str:
    """The partitioning of the nearest exchange below, through operators that keep it."""
    while len(item.children) == 1:
        item = item.children[0]
        if item.name == "Exchange":
            return _exchange(item).partitioning
    return ""
