"""Columns as DESCRIBE says them, with their comments, and what sort of type each has.

dbt's macros ask a column for its sort; dbt itself knows PostgreSQL's names of the types.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.column import Column
from dbt.adapters.spark.column import SparkColumn
from dbt.adapters.spark.impl import SparkAdapter


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
    def _kind(self) -> str:
        """The type's name, without its length or precision."""
        return self.dtype.lower().split("(")[0].strip()

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

    def can_expand_to(self, other_column: Column) -> bool:
        """Whether dbt should make it longer: Spark's text has no length to grow out of."""
        return False


class DescribedColumns(SparkAdapter):
    """dbt-spark's adapter, with the comments of tables and columns."""

    Column = PenstockColumn

    def parse_describe_extended(self, relation: BaseRelation, raw_rows: Any) -> list[PenstockColumn]:
        """The columns of DESCRIBE TABLE EXTENDED's rows."""
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
            for column in super().parse_describe_extended(relation, raw_rows)
        ]

    def _get_columns_for_catalog(self, relation: BaseRelation) -> Iterable[dict[str, Any]]:
        """A relation's rows of the catalog: one a column, counted from 1 as in other databases' catalogs."""
        for column in self.get_columns_in_relation(relation):
            row = column.to_column_dict()
            row.update(column_name=row.pop("column"), column_type=row.pop("dtype"), table_database=None)
            row["column_index"] += 1
            yield {"column_comment": None, "table_comment": None, **row}
