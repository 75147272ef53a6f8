"""Comparisons of column names: Spark's names don't know letter case, so that none of ours does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.meta import available
from dbt.adapters.spark.impl import SparkAdapter
from dbt_common.exceptions import CompilationError

from dbt.adapters.penstock.error_messages import in_three

T = TypeVar("T")


class Names(list[str]):
    """A list of names; one is in it whatever its letter case."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(name.lower() == item.lower() for item in self)


def matched(values: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Return the values of some columns by the columns' own names.

    Args:
        values: by name, in any letter case.
        names: the columns; those without a value are left out.
    """
    known = {name.lower(): value for name, value in values.items()}
    return {name: known[name.lower()] for name in names if name.lower() in known}


def without(columns: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Return the columns that are not among the others, by name."""
    known = Names(column.name for column in others)
    return [column for column in columns if column.name not in known]


def typed(types: Mapping[str, str], names: Iterable[str], where: str) -> dict[str, str]:
    """Return the `column_types` of a seed by the names in its header.

    Raises:
        CompilationError: a key is no column.
    """
    listed = list(names)
    if unknown := [name for name in types if name not in Names(listed)]:
        raise CompilationError(
            in_three(
                f"columns of {where} as keys of column_types",
                f"{', '.join(unknown)}; the header has {', '.join(listed)}",
                "correct column_types in its yml, or the header",
            )
        )
    return matched(types, listed)


class NamedColumns(SparkAdapter):
    """dbt-spark's adapter, with what macros ask of column names."""

    @available
    def names(self, columns: Iterable[Any]) -> Names:
        """The names of columns, in which a name is found whatever its letter case."""
        return Names(column.name for column in columns)

    @available
    def matched(self, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Values by the columns' own names; see column_names.py."""
        return matched(values, names)

    @available
    def columns_without(self, columns: Iterable[Any], others: Iterable[Any]) -> list[Any]:
        """The columns that are not among the others."""
        return without(columns, others)

    @available.parse_list
    def get_missing_columns(self, from_relation: BaseRelation, to_relation: BaseRelation) -> list[Any]:
        """The columns of one relation that another one lacks."""
        return without(self.get_columns_in_relation(from_relation), self.get_columns_in_relation(to_relation))

    @available.parse_none
    def assert_valid_snapshot_target_given_strategy(
        self, relation: BaseRelation, column_names: dict[str, str], strategy: Any
    ) -> None:
        """Refuse a table that isn't a snapshot of this strategy; dbt looks some names up in lower case."""
        lower = {key: name and name.lower() for key, name in column_names.items()}
        super().assert_valid_snapshot_target_given_strategy(relation, lower, strategy)
