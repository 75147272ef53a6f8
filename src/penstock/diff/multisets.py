"""Compare tables without a unique key: as multisets, where each distinct row has a number of occurrences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.diff.row_changes import ADDED, REMOVED, Example, RowChanges
from penstock.diff.source_rows import ComparedRows


@dataclass(frozen=True)
class DuplicateKeys:
    """Keys that are in more than one row.

    Attributes:
        keys: the number of these keys, before and after the change.
        rows: the number of their rows, before and after the change.
        examples: some of these keys, those with the most rows first.
    """

    keys: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)
    examples: tuple[Example, ...] = ()

    def __bool__(self) -> bool:
        return any(self.keys)


def duplicates_query(rows: ComparedRows, limit: int) -> str:
    """Return the query of keys that are in more than one row of a table."""
    keys = ", ".join(rows.key_names)
    texts = ", ".join(rows.columns[name].text(name) for name in rows.key_names)
    tables = " union all ".join(
        f"select {'true' if is_after else 'false'} as is_after, {keys} from ({rows.table(is_after)})"
        for is_after in (False, True)
    )
    return (
        f"select is_after, keys, times, occurrences, {texts} from ("
        "select *, count(*) over (partition by is_after) as keys, "
        "sum(occurrences) over (partition by is_after) as times, "
        f"row_number() over (partition by is_after order by occurrences desc, {keys}) as place from ("
        f"select is_after, {keys}, count(*) as occurrences from ({tables}) group by is_after, {keys} "
        f"having count(*) > 1)) where place <= {max(limit, 1)} order by occurrences desc, {keys}"
    )


def parse_duplicates(result: Iterable[Sequence[Any]], limit: int) -> DuplicateKeys:
    """Return the duplicate keys from the rows of `duplicates_query`."""
    keys, rows = [0, 0], [0, 0]
    examples: dict[tuple[Any, ...], Example] = {}
    for is_after, number, times, occurrences, *key in result:
        side = int(is_after)
        keys[side], rows[side] = int(number), int(times)
        examples.setdefault(tuple(key), Example(tuple(key), times=int(occurrences)))
    return DuplicateKeys((keys[0], keys[1]), (rows[0], rows[1]), tuple(examples.values())[:limit])


def differences_query(rows: ComparedRows, buckets: Iterable[int], limit: int) -> str:
    """Return the query that counts the added and removed rows, with examples.

    The result has a row for each example, with these columns: the kind (added or removed), the number of all rows of
    this kind, how often the example was added or removed, and the example as JSON.

    Args:
        rows: the compared rows. The columns of a key are compared like all other columns.
        buckets: the buckets to compare.
        limit: the largest number of examples of each kind.
    """
    wanted = list(buckets)
    names = ", ".join(rows.columns)
    row = ", ".join(f"{column.text(name)} as {name}" for name, column in rows.columns.items())
    tables = " union all ".join(
        f"select {sign} as sign, * from ({rows.table(is_after, wanted)})" for sign, is_after in ((-1, False), (1, True))
    )
    return (
        f"select kind, total, abs(net), to_json(struct({row}), map('ignoreNullFields', 'false')) from ("
        "select *, sum(abs(net)) over (partition by kind) as total, "
        f"row_number() over (partition by kind order by {names}) as place from ("
        f"select {names}, sum(sign) as net, if(sum(sign) > 0, '{ADDED}', '{REMOVED}') as kind "
        f"from ({tables}) group by {names} having sum(sign) <> 0)) where place <= {max(limit, 1)} order by kind, place"
    )


def parse_differences(rows: ComparedRows, result: Iterable[Sequence[Any]], limit: int) -> RowChanges:
    """Return the differences from the rows of `differences_query`."""
    changes = RowChanges()
    for kind, total, times, text in result:
        values = _values(text, rows.columns)
        setattr(changes, str(kind), int(total))
        examples = changes.examples.setdefault(str(kind), [])
        if len(examples) < limit:
            examples.append(Example(values, times=int(times)))
    return changes


def _values(text: str, names: Iterable[str]) -> tuple[str | None, ...]:
    """Return the values of a JSON object in the order of some names."""
    data = json.loads(text)
    return tuple(data.get(name) for name in names)
