"""Compare column names without letter case, as Spark does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from dbt.adapters.penstock.errors import AdapterCompilationError
from penstock.sql import names

T = TypeVar("T")


class Names(list[str]):
    """A list of names whose `in` ignores letter case."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(name.lower() == item.lower() for item in self)


def matched(values: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Return the values of some columns by the columns' own names.

    Args:
        values: the values by name, in any letter case.
        names: the columns; a column without a value is left out.
    """
    known = {name.lower(): value for name, value in values.items()}
    return {name: known[name.lower()] for name in names if name.lower() in known}


def without(columns: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Return the columns that are not among the others, by name."""
    known = Names(column.name for column in others)
    return [column for column in columns if column.name not in known]


def distinct_names(columns: Iterable[Any]) -> list[str]:
    """Return distinct names for a query's columns, as SQL; an empty list when they are distinct already."""
    listed = list(columns)
    taken: set[str] = set()
    unique = []
    for column in listed:
        name, number = column.name, 1
        while name.lower() in taken:
            number += 1
            name = f"{column.name}_{number}"
        taken.add(name.lower())
        unique.append(name)
    return [] if unique == [column.name for column in listed] else list(map(names.quote_identifier, unique))


def seed_column_types(types: Mapping[str, str], names: Iterable[str], seed: str) -> dict[str, str]:
    """Return the `column_types` of a seed by the names in its header.

    Raises:
        AdapterCompilationError: a key is not a column.
    """
    listed = list(names)
    if unknown := [name for name in types if name not in Names(listed)]:
        raise AdapterCompilationError(
            f"columns of {seed} as keys of column_types",
            f"{', '.join(unknown)}; the header has {', '.join(listed)}",
            "correct column_types in its yml, or the header",
        )
    return matched(types, listed)
