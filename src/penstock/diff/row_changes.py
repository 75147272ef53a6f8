"""Compare rows by key: count the added, removed and changed rows, and read examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.diff.source_rows import ComparedRows

ADDED, REMOVED = "added", "removed"


@dataclass(frozen=True)
class Example:
    """One difference.

    Attributes:
        key: the values of the key's columns as text, None for NULL; without a key, the whole row.
        before, after: the values as text, None for NULL; both are None for added and removed rows.
        times: how many equal rows were added or removed.
    """

    key: tuple[str | None, ...]
    before: str | None = None
    after: str | None = None
    times: int = 1


@dataclass
class RowChanges:
    """The differences between the rows of two tables.

    Attributes:
        added, removed, changed: numbers of rows. Without a key, a changed row counts as a removed and an added row.
        columns: the number of changed rows by the SQL name of the column. Columns without changes are missing.
        examples: examples by the SQL name of a column, or by `added` or `removed`.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)


def _joined(rows: ComparedRows, buckets: Iterable[int]) -> str:
    wanted = list(buckets)
    on = " and ".join(f"b.{name} <=> a.{name}" for name in rows.key_names)
    tables = [
        f"(select *, true as present, {rows.bucket} as bucket from ({rows.table(is_after, wanted)})) {alias}"
        for alias, is_after in (("b", False), ("a", True))
    ]
    return f"{tables[0]} full outer join {tables[1]} on {on}"


def _differs(name: str) -> str:
    return f"(b.present and a.present and not (b.{name} <=> a.{name}))"


def counts_query(rows: ComparedRows, buckets: Iterable[int]) -> str:
    """Return the query that counts differences: one row for each bucket."""
    columns = [f"count_if({_differs(name)})" for name in rows.value_names]
    any_column = " or ".join(_differs(name) for name in rows.value_names) or "false"
    listed = ", ".join(
        [
            "coalesce(b.bucket, a.bucket)",
            "count_if(b.present is null)",
            "count_if(a.present is null)",
            f"count_if({any_column})",
            *columns,
        ]
    )
    return f"select {listed} from {_joined(rows, buckets)} group by 1"


@dataclass(frozen=True)
class BucketCounts:
    """The numbers of differences by kind, in total and in each bucket. A kind is `added`, `removed` or a column."""

    totals: RowChanges
    buckets: dict[int, dict[str, int]]

    def example_buckets(self, limit: int) -> list[int]:
        """Return buckets that together have as many examples of each kind as the limit allows.

        Args:
            limit: the largest number of examples of each kind.
        """
        found: dict[str, int] = {}
        chosen = []
        for bucket, counts in sorted(self.buckets.items()):
            if any(count and found.get(kind, 0) < limit for kind, count in counts.items()):
                chosen.append(bucket)
                for kind, count in counts.items():
                    found[kind] = found.get(kind, 0) + count
        return chosen


def parse_counts(rows: ComparedRows, result: Iterable[Sequence[Any]]) -> BucketCounts:
    """Return the counts from the rows of `counts_query`."""
    totals, buckets = RowChanges(), {}
    for bucket, added, removed, changed, *columns in result:
        totals.added += int(added)
        totals.removed += int(removed)
        totals.changed += int(changed)
        counts = {name: int(count) for name, count in zip(rows.value_names, columns, strict=True) if count}
        for name, count in counts.items():
            totals.columns[name] = totals.columns.get(name, 0) + count
        buckets[int(bucket)] = {**counts, ADDED: int(added), REMOVED: int(removed)}
    return BucketCounts(totals, buckets)


def examples_query(rows: ComparedRows, counts: BucketCounts, limit: int) -> str:
    """Return the query of examples, in the order of the key.

    The columns of the result are the kind, the value before, the value after, and the columns of the key.
    """
    items = [
        f"if(b.present is null, {_item(ADDED)}, null)",
        f"if(a.present is null, {_item(REMOVED)}, null)",
        *(
            f"if({_differs(name)}, {_item(name, *(rows.columns[name].text(f'{side}.{name}') for side in 'ba'))}, null)"
            for name in counts.totals.columns
        ),
    ]
    keys = ", ".join(f"coalesce(b.{name}, a.{name}) as {name}" for name in rows.key_names)
    texts = ", ".join(rows.columns[name].text(name) for name in rows.key_names)
    order = ", ".join(rows.key_names)
    joined = _joined(rows, counts.example_buckets(limit))
    return (
        f"select item.kind, item.old, item.new, {texts} from ("
        f"select *, row_number() over (partition by item.kind order by {order}) as place from ("
        f"select {keys}, explode(array_compact(array({', '.join(items)}))) as item from {joined})) "
        f"where place <= {limit} order by item.kind, place"
    )


def _item(kind: str, before: str = "null", after: str = "null") -> str:
    return f"struct('{kind}' as kind, cast({before} as string) as old, cast({after} as string) as new)"


def parse_examples(result: Iterable[Sequence[Any]]) -> dict[str, list[Example]]:
    """Return the examples from the rows of `examples_query`."""
    examples: dict[str, list[Example]] = {}
    for kind, before, after, *key in result:
        examples.setdefault(str(kind), []).append(Example(tuple(key), before, after))
    return examples
