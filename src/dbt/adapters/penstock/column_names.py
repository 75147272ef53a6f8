"""Compare column names and ignore letter case, as Spark does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from dbt.adapters.penstock.errors import AdapterCompilationError
from penstock.sql import names

T = TypeVar("T")


class Names(list[str]):
    """A list of names. Its `in` operator ignores letter case."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(name.lower() == item.lower() for item in self)


def matched(values: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Return the values of some columns, by column name. Letter case is ignored when names are compared.

    Args:
        values: the values by column name, in any letter case.
        names: the column names, which become the keys of the result. Columns without a value are left out.
    """
    known = {name.lower(): value for name, value in values.items()}
    return {name: known[name.lower()] for name in names if name.lower() in known}


def without(columns: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Return the columns whose names are not among the names of `others`."""
    known = Names(column.name for column in others)
    return [column for column in columns if column.name not in known]


def distinct_names(columns: Iterable[Any]) -> list[str]:
    """Return distinct SQL names for a query's columns, or an empty list if the column names are already distinct."""
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
    """Return the `column_types` of a seed. The keys are the column names in the letter case of the seed's header.

    Args:
        types: the configured types, by column name in any letter case.
        names: the column names in the header.
        seed: the seed's name, for the error message.

    Raises:
        AdapterCompilationError: a key of `types` is not a column.
    """
    listed = list(names)
    if unknown := [name for name in types if name not in Names(listed)]:
        raise AdapterCompilationError(
            f"columns of {seed} as keys of column_types",
            f"{', '.join(unknown)}; the header has {', '.join(listed)}",
            "correct column_types in its yml, or the header",
        )
    return matched(types, listed)
