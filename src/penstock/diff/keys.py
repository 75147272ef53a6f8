"""Choose the columns that identify a row of a model's table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.sql.names import unquote_identifier

# Generic tests which check that a combination of columns is unique. Their argument with the columns has one of two
# names.
COMBINATION_TESTS = ("unique_combination_of_columns", "unique_combination")
COMBINATION_ARGUMENTS = ("combination_of_columns", "columns")
UNIQUE_CONSTRAINTS = ("primary_key", "unique")
SNAPSHOT_KEY = "dbt_scd_id"


@dataclass(frozen=True)
class Key:
    """The columns that identify a row.

    Attributes:
        columns: the names of the columns; empty without a key.
        source: where the key comes from, as in `unique_key`.
    """

    columns: tuple[str, ...] = ()
    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.columns)


def candidates(node: Any, tests: Iterable[Any]) -> Iterator[Key]:
    """Yield the possible keys of a node, the preferred one first.

    Args:
        node: dbt's node of a model, seed or snapshot.
        tests: dbt's nodes of the generic tests that are attached to the node.
    """
    if node.resource_type == "snapshot":
        yield Key((_snapshot_key(node),), "the snapshot's row id")
    else:
        yield from _configured(node)
    yield from sorted(_tested(tests), key=lambda key: len(key.columns))
    yield from _constrained(node)


def choose(possible: Iterable[Key], columns: Iterable[str]) -> Key:
    """Return the first key whose columns are all among the compared columns, or an empty key."""
    known = {name.casefold() for name in columns}
    return next((key for key in possible if all(name.casefold() in known for name in key.columns)), Key())


def _snapshot_key(node: Any) -> str:
    names = getattr(node.config, "snapshot_meta_column_names", None)
    return str(getattr(names, SNAPSHOT_KEY, None) or SNAPSHOT_KEY)


def _configured(node: Any) -> Iterator[Key]:
    """Yield the key in the node's configuration. It may be one name, names with commas, or a list."""
    configured = node.config.get("unique_key")
    if configured:
        parts = configured.split(",") if isinstance(configured, str) else configured
        yield Key(_names(map(str, parts)), "unique_key")


def _tested(tests: Iterable[Any]) -> Iterator[Key]:
    """Yield the keys that tests check for the whole table. Skip a test with a `where`: it checks only some rows."""
    for test in tests:
        metadata = test.test_metadata
        if metadata is None or test.config.get("where") or not test.config.get("enabled", True):
            continue
        arguments = _arguments(metadata.kwargs)
        if metadata.name == "unique" and arguments.get("column_name"):
            yield Key(_names([str(arguments["column_name"])]), "test unique")
        elif metadata.name in COMBINATION_TESTS:
            listed = next((arguments[name] for name in COMBINATION_ARGUMENTS if arguments.get(name)), ())
            if isinstance(listed, (list, tuple)) and listed:
                yield Key(_names(map(str, listed)), f"test {metadata.name}")


def _arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    nested = given.get("arguments")
    return {**given, **nested} if isinstance(nested, Mapping) else dict(given)


def _constrained(node: Any) -> Iterator[Key]:
    """Yield the keys that the model's constraints declare, primary keys first."""
    found = [(_kind(item), _names(item.columns or ())) for item in getattr(node, "constraints", None) or ()]
    for column in node.columns.values():
        found += [(_kind(item), _names([column.name])) for item in getattr(column, "constraints", None) or ()]
    for kind in UNIQUE_CONSTRAINTS:
        yield from (Key(names, f"constraint {kind}") for of, names in found if of == kind and names)


def _kind(constraint: Any) -> str:
    return str(getattr(constraint.type, "value", constraint.type))


def _names(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(unquote_identifier(name.strip()) for name in columns)


def requested(columns: Sequence[str]) -> Key:
    """Return the key of the option `--key`, whose values may contain commas."""
    return Key(_names(part for name in columns for part in name.split(",") if part.strip()), "--key")
