"""Columns that a model declares against those that it returns; for SQL models and Python models alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from penstock.python_runtime.model_errors import ModelError
from penstock.python_runtime.schema_changes import types
from penstock.sql.data_types import of, parse
from penstock.sql.names import quoted

# Without it Spark makes a string of a cast to VARCHAR or CHAR. Set for descriptions alone: Delta can't write them.
KEEP_LENGTHS = "spark.sql.preserveCharVarcharTypeInfo"
# Names that Spark has for a type beside its own.
ALIASES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "real": "float"}
OWN = re.compile(r"string|boolean|tinyint|smallint|int|bigint|float|double|date|binary|decimal\(\d+,\d+\)")
WITHOUT_DIGITS = ("decimal", "dec", "numeric")


class UnknownType(Exception):
    """A declared type that Spark doesn't know: the column, and what was written for it."""

    def __init__(self, column: str, words: str) -> None:
        self.column, self.words = column, words
        super().__init__(column, words)

    def parts(self, name: str) -> tuple[str, str, str]:
        """Return what was needed, found and to be done, for a model of some name."""
        needed = f"a Spark type for column {self.column} of {name}"
        return needed, f"data_type: {self.words}", "correct data_type in its yml"


def casts(words: Sequence[str]) -> str:
    """Return a query with one column of each of these types."""
    return "select " + ", ".join(f"cast(null as {item}) as c{number}" for number, item in enumerate(words))


def declared_types(
    describe: Callable[[str], Sequence[str]], declared: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return declared types in Spark's own spelling: `integer` and `INT` are both `int`.

    Args:
        describe: gives the types of a query's columns in Spark's own spelling, the length of a text included.
        declared: data types as a person wrote them, by column; None for any type.

    Raises:
        UnknownType: a type that Spark doesn't know.
    """
    found: dict[str, str | None] = {}
    asked: dict[str, str] = {}
    for column, words in declared.items():
        plain = (words or "").strip().lower()
        plain = ALIASES.get(plain, "decimal" if plain in WITHOUT_DIGITS else plain)
        found[column] = plain or None
        if plain and plain != "decimal" and not OWN.fullmatch(plain):
            asked[column] = str(words)
    if not asked:
        return found
    try:
        return {**found, **dict(zip(asked, describe(casts(list(asked.values()))), strict=True))}
    except Exception:
        for column, words in asked.items():
            try:
                describe(casts([words]))
            except Exception:
                raise UnknownType(column, words) from None
        raise


def differences(declared: Mapping[str, str | None], found: Mapping[str, str]) -> list[str]:
    """Return every way in which returned columns aren't the declared ones, in words; names without case."""
    have = {name.lower(): (name, words) for name, words in found.items()}
    want = {name.lower(): (name, words) for name, words in declared.items()}
    missing = [f"{name} is missing" for key, (name, _) in want.items() if key not in have]
    extra = [f"{name} ({words}) is not declared" for key, (name, words) in have.items() if key not in want]
    wrong = [
        f"{name} is {have[key][1]}, declared {words}"
        for key, (name, words) in want.items()
        if key in have and words and not parse(words).takes(parse(have[key][1]))
    ]
    return missing + extra + wrong


def parts(name: str, found: Sequence[str]) -> tuple[str, str, str]:
    """Return what was needed, found and to be done when a model's columns aren't the declared ones."""
    return f"the declared columns of {name}", "; ".join(found), "change the model or its yml"


def enforce(session: Any, declared: Mapping[str, str | None], schema: Any, name: str) -> dict[str, str]:
    """Check a result's columns against the declared ones.

    Returns:
        The declared types, in Spark's own spelling.

    Raises:
        ModelError: they differ; every difference is named.
    """

    def describe(query: str) -> list[str]:
        return [of(item.dataType).sql for item in session.sql(query).schema.fields]

    with _lengths_kept(session):
        try:
            wanted = declared_types(describe, declared)
        except UnknownType as error:
            raise ModelError.of(*error.parts(name)) from None
    if found := differences(wanted, types(schema)):
        raise ModelError.of(*parts(name, found))
    return {column: words for column, words in wanted.items() if words}


@contextmanager
def _lengths_kept(session: Any) -> Iterator[None]:
    before = session.conf.get(KEEP_LENGTHS, "false")
    session.conf.set(KEEP_LENGTHS, "true")
    try:
        yield
    finally:
        session.conf.set(KEEP_LENGTHS, before)


def storable(columns: Mapping[str, str], declared: Mapping[str, str]) -> list[str]:
    """Return the select list that makes columns such as a table can hold; empty when they already are.

    A VOID column, the type of a NULL literal, becomes the declared type, or a string.

    Args:
        columns: SQL types by name.
        declared: likewise, of declared columns.
    """
    kinds = {name: parse(words) for name, words in columns.items()}
    if not any(kind.has_void for kind in kinds.values()):
        return []
    wanted = {name.lower(): words for name, words in declared.items()}
    return [
        f"cast({quoted(name)} as {wanted.get(name.lower(), kind.stored.sql)}) as {quoted(name)}"
        if kind.has_void
        else quoted(name)
        for name, kind in kinds.items()
    ]
