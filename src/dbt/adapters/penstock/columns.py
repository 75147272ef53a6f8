"""Columns with Spark's types and comments, which the adapter reads with DESCRIBE.

dbt's macros check whether a column is a string, a number or an integer. dbt's own checks know only PostgreSQL's type
names, so this module replaces them.
"""

from __future__ import annotations

import itertools
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

# For a view, DESCRIBE returns the columns with which the view was created. In the schema mode EVOLUTION, it returns the
# current columns of the view's inputs.
VIEW_MODE, EVOLVES = "View Schema Mode", "EVOLUTION"
LENGTH = re.compile(r"\((\d+)\)")
EXTENDED = "describe extended"
QUALIFIED = re.compile(r"\w+\.\w+(\.\w+)?")
# The beginning of a value in a unit test: a cast of a literal to the column's type.
VALUE = re.compile(r"try_cast\((?:'(?:[^'\\]|\\.)*'|[\w.+-]+) as ", re.IGNORECASE | re.DOTALL)
REPEATED_ROW = re.compile(r"^(select [^\n]+)(?:\s*\nunion all\n\s*\1)+", re.MULTILINE)


def query_shape(sql: str) -> str:
    """Return a unit test's query with placeholders for the values, and with identical adjacent rows merged."""
    return REPEATED_ROW.sub(r"\1", VALUE.sub("try_cast(? as ", sql))


def _cached_name(name: str) -> str | None:
    """Return the lower-case name under which a relation's description is cached, or None if it is not cached.

    The descriptions of temporary views and of paths are not cached.
    """
    plain = name.replace("`", "").lower()
    return plain if QUALIFIED.fullmatch(plain) else None


@dataclass
class PenstockColumn(SparkColumn):
    """dbt-spark's column with Spark's type names: https://spark.apache.org/docs/latest/sql-ref-datatypes.html

    Attributes:
        column_comment: the column's comment.
        table_comment: the comment of the column's table or view.
    """

    column_comment: str | None = None
    table_comment: str | None = None

    @property
    def quoted(self) -> str:
        """The column's name in backticks."""
        return names.quote_identifier(self.column)

    @property
    def _kind(self) -> str:
        """The name of the column's type, without length, precision and collation."""
        return re.split(r"[( ]", self.dtype.lower().strip())[0]

    @classmethod
    def string_type(cls, size: int | None = None) -> str:
        """Return Spark's string type. The type has no length, so `size` is ignored."""
        return "string"

    @classmethod
    def numeric_type(cls, dtype: str, precision: Any, scale: Any) -> str:
        """Return a numeric type as SQL. Only decimals have a precision and a scale."""
        plain = cls("", dtype)
        if precision is None or plain.is_integer() or plain.is_float():
            return dtype if plain.is_integer() or plain.is_float() else str(super().numeric_type(dtype, None, None))
        return f"decimal({precision},{scale or 0})"

    @classmethod
    def from_description(cls, name: str, raw_data_type: str) -> PenstockColumn:
        """Return the column of a row of DESCRIBE. The column's type keeps its length or precision."""
        return cls(name, raw_data_type)

    def string_size(self) -> int:
        """Return the length of a string column, or dbt's default of 256 if the column's type has no length.

        Raises:
            DbtRuntimeError: the column is not a string.
        """
        length = LENGTH.search(self.dtype)
        return int(length[1]) if length and self.is_string() else int(super().string_size())

    def literal(self, value: Any) -> str:
        """Return a SQL expression that casts a value to this column's type."""
        return f"cast({value} as {self.data_type})"

    def is_string(self) -> bool:
        """Return whether the column is a string."""
        return self._kind in ("string", "varchar", "char", "character")

    def is_integer(self) -> bool:
        """Return whether the column is an integer."""
        return self._kind in ("tinyint", "byte", "smallint", "short", "int", "integer", "bigint", "long")

    def is_float(self) -> bool:
        """Return whether the column is a float or double."""
        return self._kind in ("float", "real", "double")

    def is_numeric(self) -> bool:
        """Return whether the column is a decimal."""
        return self._kind in ("decimal", "dec", "numeric")

    @property
    def data_type(self) -> str:
        """The column's type as SQL, with quoted names of struct fields."""
        return parse(self.dtype).sql

    @property
    def stored_type(self) -> str:
        """The type with which a table stores this column. NULL literals are stored as strings."""
        return parse(self.dtype).storable.sql

    def takes(self, other: Column) -> bool:
        """Return whether this column's type accepts the values of another column."""
        return parse(self.dtype).accepts(parse(other.dtype))

    def can_expand_to(self, other_column: Column) -> bool:
        """Return False, so that dbt never widens a string column. Spark's string type has no length."""
        return False


class ColumnReader:
    """Reads the columns of relations and queries, and caches DESCRIBE results for a run.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter
        # The columns of the models and seeds that this run builds, by unique id.
        self.built: dict[str, list[PenstockColumn]] = {}

    def describe_extended(self, relation: BaseRelation) -> Any:
        """Return the rows of DESCRIBE TABLE EXTENDED for a relation.

        The rows are cached until this process sends a statement that may change the relation. Rows of temporary views,
        of paths and of views in schema mode EVOLUTION are not cached.
        """
        name = relation.render()

        def describe() -> tuple[Any, bool]:
            _, table = self._adapter.execute(f"describe extended {name}", fetch=True)
            return table, not any(row[0] == VIEW_MODE and EVOLVES in str(row[1]) for row in table.rows)

        key = _cached_name(name)
        if key is None:
            return describe()[0]
        changed = ".".join(key.split(".")[-2:])
        return self._adapter.connections.descriptions.get(EXTENDED, key, changed.__eq__, describe)

    def cached_types(self, name: str) -> dict[str, str]:
        """Return the types of a relation's columns by name, from a cached DESCRIBE.

        If no DESCRIBE of the relation is cached, the result is empty.

        Args:
            name: the relation as `schema.table`.
        """
        table = self._adapter.connections.descriptions.cached(EXTENDED, name)
        rows = itertools.takewhile(lambda row: row[0] and not row[0].startswith("#"), table.rows if table else ())
        return {row[0]: row[1] for row in rows}

    def query_columns(self, sql: str) -> list[PenstockColumn]:
        """Return the columns of a query without running the query."""
        _, table = self._adapter.execute(f"describe query\n{sql}", fetch=True)
        return [PenstockColumn(column=row[0], dtype=row[1]) for row in table.rows]

    def unit_test_columns(self, sql: str) -> list[PenstockColumn]:
        """Return the columns of a unit test's query. Unit tests that differ only in their values share one DESCRIBE."""
        shape = query_shape(sql)
        text = shape.replace("`", "").lower()

        def reads(relation: str) -> bool:
            return re.search(rf"\b{re.escape(relation.rpartition('.')[2])}\b", text) is not None

        connections = self._adapter.connections
        key = f"{sorted(connections.conf.items())}\n{shape}"
        columns: list[PenstockColumn] = connections.descriptions.get(
            "describe query", key, reads, lambda: (self.query_columns(sql), True)
        )
        return columns


def with_details(columns: Iterable[SparkColumn], raw_rows: Any, database: str | None) -> list[PenstockColumn]:
    """Return dbt-spark's columns with comments, a database, and the owner, which is None if Spark names none.

    Args:
        columns: the columns without comments, and with the text `None` for a missing owner.
        database: the database of the columns' relation.
        raw_rows: the rows of DESCRIBE TABLE EXTENDED, which contain the comments.
    """
    rows = [(row["col_name"], row["data_type"], row["comment"]) for row in raw_rows]
    names = [name for name, _, _ in rows]
    # The first empty row or heading ends the columns. The rows after that contain the table's properties.
    end = next((index for index, name in enumerate(names) if not name or name.startswith("#")), len(rows))
    comments = {name: comment or None for name, _, comment in rows[:end]}
    details = {name: value for name, value, _ in reversed(rows[end:])}
    return [
        PenstockColumn(
            **{
                **{field.name: getattr(column, field.name) for field in fields(SparkColumn)},
                "table_database": database,
                "table_owner": details.get("Owner") or None,
            },
            column_comment=comments.get(column.column),
            table_comment=details.get("Comment") or None,
        )
        for column in columns
    ]


def catalog_rows(columns: Iterable[PenstockColumn]) -> Iterator[dict[str, Any]]:
    """Yield a row of dbt's catalog for each column of a relation. Column indexes begin with 1."""
    for column in columns:
        row = column.to_column_dict()
        row.update(column_name=row.pop("column"), column_type=row.pop("dtype"))
        row["column_index"] += 1
        yield {"table_database": None, "column_comment": None, "table_comment": None, **row}
