"""Columns as DESCRIBE says them, with their comments, and what sort of type each has.

dbt's macros ask a column for its sort; dbt itself knows PostgreSQL's names of the types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.column import Column
from dbt.adapters.spark.column import SparkColumn

from penstock.sql import names
from penstock.sql.data_types import parse

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

# DESCRIBE of a view gives the columns that it was made with, unless its schema mode is EVOLUTION.
VIEW_MODE, EVOLVES = "View Schema Mode", "EVOLUTION"
LENGTH = re.compile(r"\((\d+)\)")
QUALIFIED = re.compile(r"\w+\.\w+")
# A fixture's value: a cast of a literal. Its type is that of the cast, whatever the literal.
VALUE = re.compile(r"try_cast\((?:'(?:[^'\\]|\\.)*'|[\w.+-]+) as ", re.IGNORECASE | re.DOTALL)
REPEATED_ROW = re.compile(r"^(select [^\n]+)(?:\s*\nunion all\n\s*\1)+", re.MULTILINE)


def without_values(sql: str) -> str:
    """Return a unit test's query with one row, without values, in place of each fixture's rows."""
    return REPEATED_ROW.sub(r"\1", VALUE.sub("try_cast(? as ", sql))


def _cached_name(name: str) -> str | None:
    """A relation as `schema.name` in lower case; None for a temporary view or a path, which are not cached."""
    plain = name.replace("`", "").lower()
    return plain if QUALIFIED.fullmatch(plain) else None


@dataclass
class PenstockColumn(SparkColumn):
    """dbt-spark's column, by Spark's names: https://spark.apache.org/docs/latest/sql-ref-datatypes.html

    Attributes:
        column_comment: the column's own comment.
        table_comment: that of its table or view.
    """

    column_comment: str | None = None
    table_comment: str | None = None

    @property
    def quoted(self) -> str:
        """Its name as SQL takes it."""
        return names.quote_identifier(self.column)

    @property
    def _kind(self) -> str:
        """The type's name, without its length, precision or collation."""
        return re.split(r"[( ]", self.dtype.lower().strip())[0]

    @classmethod
    def string_type(cls, size: int | None = None) -> str:
        """Return the type of a text: Spark's has no length."""
        return "string"

    @classmethod
    def numeric_type(cls, dtype: str, precision: Any, scale: Any) -> str:
        """Return the type of a number of some digits; an integer or binary fraction has none."""
        plain = cls("", dtype)
        if precision is None or plain.is_integer() or plain.is_float():
            return dtype if plain.is_integer() or plain.is_float() else str(super().numeric_type(dtype, None, None))
        return f"decimal({precision},{scale or 0})"

    @classmethod
    def from_description(cls, name: str, raw_data_type: str) -> PenstockColumn:
        """Return the column that a row of DESCRIBE tells of; a type's digits stay in it."""
        return cls(name, raw_data_type)

    def string_size(self) -> int:
        """Return a text's length; dbt's own 256 where it has none.

        Raises:
            DbtRuntimeError: it is no text.
        """
        length = LENGTH.search(self.dtype)
        return int(length[1]) if length and self.is_string() else int(super().string_size())

    def literal(self, value: Any) -> str:
        """Return a value as SQL of this type."""
        return f"cast({value} as {self.data_type})"

    def is_string(self) -> bool:
        """Whether it holds text."""
        return self._kind in ("string", "varchar", "char", "character")

    def is_integer(self) -> bool:
        """Whether it holds whole numbers."""
        return self._kind in ("tinyint", "byte", "smallint", "short", "int", "integer", "bigint", "long")

    def is_float(self) -> bool:
        """Whether it holds binary fractions."""
        return self._kind in ("float", "real", "double")

    def is_numeric(self) -> bool:
        """Whether it holds decimal fractions."""
        return self._kind in ("decimal", "dec", "numeric")

    @property
    def data_type(self) -> str:
        """Its type as SQL takes it, whatever the names in a struct."""
        return parse(self.dtype).sql

    @property
    def stored_type(self) -> str:
        """The type that a table's column of it has: a string for NULL literals."""
        return parse(self.dtype).storable.sql

    def takes(self, other: Column) -> bool:
        """Whether another column's values have this one's type."""
        return parse(self.dtype).accepts(parse(other.dtype))

    def can_expand_to(self, other_column: Column) -> bool:
        """Whether dbt should make it longer: Spark's text has no length to grow out of."""
        return False


class ColumnReader:
    """The columns of relations and queries, with DESCRIBE results cached for a run.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter

    def describe_extended(self, relation: BaseRelation) -> Any:
        """Return the rows of DESCRIBE TABLE EXTENDED; sent once for a relation that does not change."""
        name = relation.render()

        def describe() -> tuple[Any, bool]:
            _, table = self._adapter.execute(f"describe extended {name}", fetch=True)
            return table, not any(row[0] == VIEW_MODE and EVOLVES in str(row[1]) for row in table.rows)

        key = _cached_name(name)
        if key is None:
            return describe()[0]
        return self._adapter.connections.descriptions.get("describe extended", key, key.__eq__, describe)

    def of_query(self, sql: str) -> list[PenstockColumn]:
        """Return a query's columns with their whole types. The query isn't run."""
        _, table = self._adapter.execute(f"describe query\n{sql}", fetch=True)
        return [PenstockColumn(column=row[0], dtype=row[1]) for row in table.rows]

    def of_unit_test(self, sql: str) -> list[PenstockColumn]:
        """Return the columns of a unit test's query; unit tests that differ only in their rows share one DESCRIBE."""
        shape = without_values(sql)
        text = shape.replace("`", "").lower()

        def reads(relation: str) -> bool:
            return re.search(rf"\b{re.escape(relation.rpartition('.')[2])}\b", text) is not None

        connections = self._adapter.connections
        key = f"{sorted(connections.conf.items())}\n{shape}"
        columns: list[PenstockColumn] = connections.descriptions.get(
            "describe query", key, reads, lambda: (self.of_query(sql), True)
        )
        return columns


def with_comments(columns: Iterable[SparkColumn], raw_rows: Any) -> list[PenstockColumn]:
    """Return dbt-spark's columns with the comments in the rows of DESCRIBE TABLE EXTENDED."""
    rows = [(row["col_name"], row["data_type"], row["comment"]) for row in raw_rows]
    names = [name for name, _, _ in rows]
    # The columns end at the first empty or headed row; the table's own properties come after.
    end = next((index for index, name in enumerate(names) if not name or name.startswith("#")), len(rows))
    comments = {name: comment or None for name, _, comment in rows[:end]}
    table = next((value for name, value, _ in rows[end:] if name == "Comment"), None) or None
    return [
        PenstockColumn(
            **{field.name: getattr(column, field.name) for field in fields(SparkColumn)},
            column_comment=comments.get(column.column),
            table_comment=table,
        )
        for column in columns
    ]


def catalog_rows(columns: Iterable[PenstockColumn]) -> Iterator[dict[str, Any]]:
    """Yield a relation's rows of the catalog: one a column, counted from 1 as in other databases' catalogs."""
    for column in columns:
        row = column.to_column_dict()
        row.update(column_name=row.pop("column"), column_type=row.pop("dtype"), table_database=None)
        row["column_index"] += 1
        yield {"column_comment": None, "table_comment": None, **row}
