"""Where the values of a column come from, and how they change on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

# The name that stands for the rows of a relation, as in `count(*)`.
ROWS = "*"


class Kind(str, Enum):
    """How a column gets its values from an input.

    DIRECT, TRANSFORMED and AGGREGATED are read from SQL. DECLARED is read from `meta` of a model, and GUESSED is
    a column with an equal name in an input of a Python model. The other kinds have no input column: a literal
    (CONSTANT), a function without inputs or a step of dbt (GENERATED), or an input that is not known (UNRESOLVED).
    """

    DIRECT = "direct"
    TRANSFORMED = "transformed"
    AGGREGATED = "aggregated"
    DECLARED = "declared"
    GUESSED = "guessed"
    CONSTANT = "constant"
    GENERATED = "generated"
    UNRESOLVED = "unresolved"


class Use(str, Enum):
    """How a column affects the rows of a query, but not a value."""

    FILTER = "filter"
    JOIN = "join"
    GROUP_BY = "group_by"
    SORT = "sort"


_STRENGTH = {Kind.DIRECT: 0, Kind.TRANSFORMED: 1, Kind.AGGREGATED: 2}


@dataclass(frozen=True, order=True)
class Origin:
    """One input of a column.

    Attributes:
        relation: the relation that has the input column; empty for CONSTANT, GENERATED and UNRESOLVED.
        column: the input column, in lower case, or ROWS. If `relation` is empty, `column` is the expression, or the
            reason why the input is not known.
        kind: how the column gets its values from the input.
    """

    relation: str
    column: str
    kind: Kind

    def lifted(self, kind: Kind) -> Origin:
        """Return this origin with the stronger of two kinds: its kind, and `kind` of an enclosing expression.

        Kinds that aren't read from SQL are the strongest, since the inputs in `meta` may be wrong. AGGREGATED is
        stronger than TRANSFORMED, which is stronger than DIRECT.
        """
        if self.kind not in _STRENGTH or _STRENGTH[self.kind] >= _STRENGTH.get(kind, len(_STRENGTH)):
            return self
        return replace(self, kind=kind)


def merged(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """Return origins without repetitions. If an input occurs with several kinds, the strongest remains."""
    found: dict[tuple[str, str], Origin] = {}
    for origin in origins:
        key = (origin.relation, origin.column)
        known = found.get(key)
        found[key] = origin if known is None or known.kind not in _STRENGTH else known.lifted(origin.kind)
    return tuple(found.values())


def without_constants(origins: Iterable[Origin]) -> Iterator[Origin]:
    """Yield the origins that are not constants. If all origins are constants, yield all."""
    listed = list(origins)
    others = [origin for origin in listed if origin.kind is not Kind.CONSTANT]
    return iter(others or listed)
