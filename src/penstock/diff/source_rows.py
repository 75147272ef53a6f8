"""The SQL that reads the compared rows of both tables, with the same column names on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from penstock.diff.columns import ComparedColumn

BUCKETS = 1024
SAMPLE_PARTS = 1_000_000
# Number of columns whose NULLs fit into the bits of one integer.
MASK_BITS = 60


@dataclass(frozen=True)
class ComparedRows:
    """The rows of two tables that are compared.

    The SQL names the columns of the key `k0`, `k1`, … and the other columns `v0`, `v1`, …

    Attributes:
        before, after: the tables as SQL, each with a version if it is not the current one.
        key: the columns of the key; empty if rows are compared by all their values.
        values: the other columns.
        where: the condition that selects rows of both tables, for interval models; empty for all rows.
        sample: the share of rows to compare.
    """

    before: str
    after: str
    key: Sequence[ComparedColumn]
    values: Sequence[ComparedColumn]
    where: str = ""
    sample: float = 1.0
    columns: dict[str, ComparedColumn] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named = {f"k{place}": column for place, column in enumerate(self.key)}
        named |= {f"v{place}": column for place, column in enumerate(self.values)}
        object.__setattr__(self, "columns", named)

    @property
    def key_names(self) -> list[str]:
        """Return the SQL names of the key's columns."""
        return [f"k{place}" for place in range(len(self.key))]

    @property
    def value_names(self) -> list[str]:
        """Return the SQL names of the other columns."""
        return [f"v{place}" for place in range(len(self.values))]

    def table(self, is_after: bool, buckets: Iterable[int] = ()) -> str:
        """Return the query of one table's rows.

        Args:
            is_after: whether to read the table after the change.
            buckets: the buckets to read; empty for all.
        """
        listed = ", ".join(f"{column.value(is_after)} as {name}" for name, column in self.columns.items())
        where = f" where {self.where}" if self.where else ""
        rows = f"select {listed} from {self.after if is_after else self.before}{where}"
        conditions = []
        if self.sample < 1:
            hashed = self._hash(self.key_names or self.value_names, "'sample'")
            conditions.append(f"pmod({hashed}, {SAMPLE_PARTS}) < {round(self.sample * SAMPLE_PARTS)}")
        wanted = sorted(set(buckets))
        if wanted and len(wanted) < BUCKETS:
            conditions.append(f"{self.bucket} in ({', '.join(map(str, wanted))})")
        return f"select * from ({rows}) where {' and '.join(conditions)}" if conditions else rows

    @property
    def bucket(self) -> str:
        """Return the SQL expression of a row's bucket: a hash of its key, or of all its values if there is no key."""
        return f"pmod({self._hash(self.key_names or self.value_names)}, {BUCKETS})"

    @property
    def row_hash(self) -> str:
        """Return the SQL expression of the hash of all values. A mask of NULLs is included, as the hash skips NULLs."""
        names = list(self.columns)
        masks = [
            " + ".join(f"if({name} is null, {1 << bit}L, 0L)" for bit, name in enumerate(names[at : at + MASK_BITS]))
            for at in range(0, len(names), MASK_BITS)
        ]
        return self._hash(names, *masks)

    def _hash(self, names: Iterable[str], *more: str) -> str:
        parts = [part for name in names for part in self.columns[name].hashed(name)]
        return f"xxhash64({', '.join([*parts, *more])})"
