"""Compare the columns that a model declares with the columns that it returns, for SQL models and Python models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from penstock.python_runtime.model_errors import RefusedModelError
from penstock.python_runtime.schema_changes import column_types
from penstock.sql.data_types import from_pyspark, parse
from penstock.sql.names import quote_identifier

# Without this setting Spark treats a cast to VARCHAR or CHAR as a cast to string. The setting is on only while a query
# is described, because Delta can't write VARCHAR or CHAR columns of a query.
KEEP_LENGTHS = "spark.sql.preserveCharVarcharTypeInfo"
# Alternative names of types, mapped to Spark's canonical names.
ALIASES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "real": "float"}
CANONICAL = re.compile(r"string|boolean|tinyint|smallint|int|bigint|float|double|date|binary|decimal\(\d+,\d+\)")
DECIMAL_WITHOUT_DIGITS = ("decimal", "dec", "numeric")


class UnknownType(Exception):
    """A model declares a column with a type that Spark doesn't know."""

    def __init__(self, column: str, data_type: str) -> None:
        self.column, self.data_type = column, data_type
        super().__init__(column, data_type)

    def parts(self, model: str) -> tuple[str, str, str]:
        """Return the three parts of the error message for a model."""
        needed = f"a Spark type for column {self.column} of {model}"
        return needed, f"data_type: {self.data_type}", "correct data_type in its yml"


def cast_query(data_types: Sequence[str]) -> str:
    """Return a query with one column for each data type."""
    columns = (f"cast(null as {data_type}) as c{number}" for number, data_type in enumerate(data_types))
    return "select " + ", ".join(columns)


def declared_types(
    describe: Callable[[str], Sequence[str]], declared: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return declared types in Spark's canonical spelling: `integer` and `INT` both become `int`.

    Args:
        describe: returns the types of a query's columns in canonical spelling, including the lengths of VARCHAR and
            CHAR.
        declared: data types as written in the yml, by column; None allows any type.

    Raises:
        UnknownType: Spark doesn't know a type.
    """
    types: dict[str, str | None] = {}
    to_describe: dict[str, str] = {}
    for column, written in declared.items():
        name = (written or "").strip().lower()
        name = ALIASES.get(name, "decimal" if name in DECIMAL_WITHOUT_DIGITS else name)
        types[column] = name or None
        if name and name != "decimal" and not CANONICAL.fullmatch(name):
            to_describe[column] = str(written)
    if not to_describe:
        return types
    try:
        described = describe(cast_query(list(to_describe.values())))
        return {**types, **dict(zip(to_describe, described, strict=True))}
    except Exception:
        for column, written in to_describe.items():
            try:
                describe(cast_query([written]))
            except Exception:
                raise UnknownType(column, written) from None
        raise


def differences(declared: Mapping[str, str | None], returned: Mapping[str, str]) -> list[str]:
    """Return a phrase for each difference between declared and returned columns, ignoring the case of names."""
    have = {name.lower(): (name, data_type) for name, data_type in returned.items()}
    want = {name.lower(): (name, data_type) for name, data_type in declared.items()}
    missing = [f"{name} is missing" for key, (name, _) in want.items() if key not in have]
    extra = [f"{name} ({data_type}) is not declared" for key, (name, data_type) in have.items() if key not in want]
    wrong = [
        f"{name} is {have[key][1]}, declared {data_type}"
        for key, (name, data_type) in want.items()
        if key in have and data_type and not parse(data_type).accepts(parse(have[key][1]))
    ]
    return missing + extra + wrong


def mismatch_parts(model: str, different: Sequence[str]) -> tuple[str, str, str]:
    """Return the three parts of the error message for a model whose columns differ from the declared columns."""
    return f"the declared columns of {model}", "; ".join(different), "change the model or its yml"


def enforce(session: Any, declared: Mapping[str, str | None], schema: Any, model: str) -> dict[str, str]:
    """Check the columns of a model's result against the declared columns.

    Returns:
        The declared types in Spark's canonical spelling.

    Raises:
        RefusedModelError: the columns differ. The message names every difference.
    """

    def describe(query: str) -> list[str]:
        return [from_pyspark(item.dataType).sql for item in session.sql(query).schema.fields]

    with _lengths_kept(session):
        try:
            types = declared_types(describe, declared)
        except UnknownType as error:
            raise RefusedModelError(*error.parts(model)) from None
    if different := differences(types, column_types(schema)):
        raise RefusedModelError(*mismatch_parts(model, different))
    return {column: data_type for column, data_type in types.items() if data_type}


@contextmanager
def _lengths_kept(session: Any) -> Iterator[None]:
    before = session.conf.get(KEEP_LENGTHS, "false")
    session.conf.set(KEEP_LENGTHS, "true")
    try:
        yield
    finally:
        session.conf.set(KEEP_LENGTHS, before)


def storable_select(columns: Mapping[str, str], declared: Mapping[str, str]) -> list[str]:
    """Return the select list that casts VOID columns, which a table can't hold; empty if there are none.

    VOID is the type of a NULL literal. A VOID column is cast to its declared type, or to string without one.

    Args:
        columns: SQL types of the columns by name.
        declared: SQL types of the declared columns by name.
    """
    types = {name: parse(data_type) for name, data_type in columns.items()}
    if not any(data_type.has_void for data_type in types.values()):
        return []
    declared_by_key = {name.lower(): data_type for name, data_type in declared.items()}
    return [
        f"cast({quote_identifier(name)} as {declared_by_key.get(name.lower(), data_type.storable.sql)}) "
        f"as {quote_identifier(name)}"
        if data_type.has_void
        else quote_identifier(name)
        for name, data_type in types.items()
    ]
