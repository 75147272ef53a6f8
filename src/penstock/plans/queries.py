"""Find the joins, exchanges, scans and windows of a plan."""

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


def without_column_ids(text: str) -> str:
    """Return an expression without the ids that Spark appends to columns, `zone#12` as `zone`."""
    return ATTRIBUTE.sub("", text)


def split_list(text: str) -> tuple[str, ...]:
    """Split a bracketed list at the commas outside nested brackets, and remove column ids."""
    inner = without_column_ids(text).strip()
    inner = inner[1:-1] if inner.startswith("[") and inner.endswith("]") else inner
    items, depth, start = [], 0, 0
    for position, letter in enumerate(inner):
        depth += (letter in "([<{") - (letter in ")]>}")
        if letter == "," and depth == 0:
            items.append(inner[start:position].strip())
            start = position + 1
    return tuple(item for item in [*items, inner[start:].strip()] if item)


@dataclass(frozen=True)
class Join:
    """A join of a physical plan.

    Attributes:
        operator: the operator that performs the join.
        kind: the join strategy, as in `broadcast hash join`.
        type: the join type, `Inner`, `LeftOuter` …
        built: the side that is broadcast or hashed, `left` or `right`; empty if neither is.
        left_keys, right_keys: the expressions that must be equal.
        condition: the join condition without the equalities of the keys; empty if nothing else remains.
        left, right: the stored tables that each side reads, `schema.table` in lower case.
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
        """Return whether one side is broadcast."""
        return self.operator.name.startswith("Broadcast")

    def __str__(self) -> str:
        keys = ", ".join(f"{a} = {b}" for a, b in zip(self.left_keys, self.right_keys, strict=False))
        on = keys or self.condition
        return f"{self.operator.name} {self.type}{f' on {on}' if on else ', without a condition'}"


def joins(plan: Plan) -> list[Join]:
    """Return every join, the outermost first."""
    numbers = plan.by_number()
    return [_join(item, numbers) for item in plan.walk() if item.name in JOINS]


def _join(item: Operator, numbers: dict[int, Operator]) -> Join:
    built = BUILT.search(item.title)
    condition = without_column_ids(item.detail("Join condition"))
    join_type = item.detail("Join type") or item.title.removeprefix(item.name).split(" Build")[0].strip() or "Inner"
    left, right = item.children if len(item.children) == 2 else (item, item)
    return Join(
        item,
        JOINS[item.name],
        join_type,
        built[1].lower() if built else "",
        split_list(item.detail("Left keys")),
        split_list(item.detail("Right keys")),
        "" if condition in ("None", "true") else condition,
        tables(left, numbers),
        tables(right, numbers),
    )


def tables(item: Operator, numbers: dict[int, Operator]) -> frozenset[str]:
    """Return the stored tables that an operator and its inputs read, directly or through reused exchanges."""
    names: set[str] = set()
    for below in item.walk():
        reused = numbers.get(int(below.detail("Reuses") or 0))
        if below.name == "ReusedExchange" and reused is not None and reused is not below:
            names |= tables(reused, numbers)
        elif name := table_of(below):
            names.add(name)
    return frozenset(names)


def table_of(item: Operator) -> str:
    """Return the table that a scan reads, `schema.table` in lower case; empty for a path or another operator."""
    match = SCAN.match(item.title) if item.name in ("Scan", "BatchScan") else None
    name = (match and match["table"]) or ""
    return ".".join(part.strip("`") for part in name.split(".")[-2:]).lower() if "." in name else ""


@dataclass(frozen=True)
class Exchange:
    """A shuffle.

    Attributes:
        partitioning: `hash`, `range`, `SinglePartition` …
        keys: the expressions that rows are partitioned by.
        partitions: the planned number of partitions; None if Spark does not print it.
        origin: Spark's shuffle origin, as in `ENSURE_REQUIREMENTS` or `REPARTITION_BY_NUM`.
    """

    operator: Operator
    partitioning: str
    keys: tuple[str, ...]
    partitions: int | None
    origin: str

    def __str__(self) -> str:
        return f"{self.partitioning}({', '.join(self.keys)})" if self.keys else self.partitioning


def exchanges(plan: Plan) -> list[Exchange]:
    """Return every shuffle that runs, the outermost first; a reused shuffle runs once."""
    return [_exchange(item) for item in plan.walk() if item.name == "Exchange"]


def _exchange(item: Operator) -> Exchange:
    arguments = split_list(f"[{item.detail('Arguments')}]")
    match = PARTITIONING.match(arguments[0]) if arguments else None
    keys = list(split_list(match[2])) if match and match[2] else []
    count = int(keys.pop()) if keys and keys[-1].isdigit() else 1 if match and match[1] == "SinglePartition" else None
    name = match[1].removesuffix("partitioning") if match else item.title
    origin = next((argument for argument in arguments[1:] if argument.isupper()), "")
    return Exchange(item, name, tuple(keys), count, origin)


@dataclass(frozen=True)
class Scan:
    """A scan of a table or of files: the columns it reads, and the filters that skip files and rows."""

    operator: Operator
    table: str
    columns: tuple[str, ...]
    partition_filters: tuple[str, ...]
    pushed_filters: tuple[str, ...]


def scans(plan: Plan) -> list[Scan]:
    """Return every scan of stored rows."""
    return [
        Scan(
            item,
            table_of(item) or item.title.removeprefix("Scan "),
            split_list(item.detail("Output")),
            split_list(item.detail("PartitionFilters")),
            split_list(item.detail("PushedFilters")),
        )
        for item in plan.walk()
        if item.name in ("Scan", "BatchScan") and not item.title.startswith(("Scan OneRow", "Scan ExistingRDD"))
    ]


def cartesian_joins(plan: Plan) -> list[Join]:
    """Return the joins that pair every row with every row."""
    return [
        join
        for join in joins(plan)
        if join.operator.name == "CartesianProduct" or not (join.left_keys or join.condition)
    ]


def single_partition_windows(plan: Plan) -> list[Operator]:
    """Return the windows without `partition by`, which send all rows to one task."""
    return [item for item in plan.walk() if item.name.startswith("Window") and _partitioning(item) == "SinglePartition"]


def _partitioning(item: Operator) -> str:
    """Return the partitioning of the nearest exchange below an operator, or an empty string."""
    while len(item.children) == 1:
        item = item.children[0]
        if item.name == "Exchange":
            return _exchange(item).partitioning
    return ""
