"""Convert seeds to a few SQL literals, with the column types that dbt infers.

dbt reads a seed with agate. agate tests every cell against every type and creates a Python object for each cell, which
takes minutes for a hundred thousand rows. This module uses the same type testers (dbt_common.clients.agate_helper), but
it tests each distinct value of a column once and stops at the first type that fits. The adapter sends the rows as JSON,
and Spark casts the cells to the column types.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

import agate
from dbt_common.clients import agate_helper

from dbt.adapters.penstock.column_names import seed_column_types
from dbt.adapters.penstock.columns import PenstockColumn
from dbt.adapters.penstock.errors import AdapterCompilationError, AdapterError
from penstock.sql.data_types import parse
from penstock.sql.names import string_literal

# agate's base classes of the type testers for numbers and text.
NUMBER, TEXT = agate.Number, agate.Text
NULLS = ("", "null")
INTEGER = re.compile(r"-?[0-9]{1,18}")
DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Increase this number when a change to this module creates a different table from the same file.
FORMAT = 1
FINGERPRINT = "penstock.seed"
ROWS_PER_LITERAL = 5000
# The approximate largest number of characters in one statement. Hive's Thrift server accepts messages of up to 100 MB.
CHARACTERS_PER_PART = 16_000_000


@dataclass(frozen=True)
class Seed:
    """A seed's rows, ready for SQL.

    Attributes:
        names: the columns.
        types: the Spark type of each column, either inferred or from `column_types`.
        count: the number of rows.
        parts: queries whose only column `r` is an array of a row's cells. Each query fits in one statement.
        preview: the first rows, for `dbt seed --show`.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    count: int
    parts: tuple[str, ...]
    preview: Any

    @property
    def columns(self) -> list[PenstockColumn]:
        """The columns, with their types."""
        return [PenstockColumn(name, data_type) for name, data_type in zip(self.names, self.types, strict=True)]


def is_null(cell: str | None) -> bool:
    """Return whether dbt reads a cell as NULL."""
    return cell is None or cell.strip().lower() in NULLS


def read(path: Path, column_types: dict[str, str], delimiter: str, limit: int | None = None) -> Seed:
    """Read a seed.

    Args:
        path: the CSV file.
        column_types: Spark types of columns whose type is not inferred.
        delimiter: the character between the cells of a row.
        limit: the number of rows to keep. Types are inferred from all rows.

    Raises:
        DbtRuntimeError: the file is empty, a row has more cells than columns, or a key of `column_types` is not a
            column.
    """
    names, rows = _cells(path, delimiter)
    column_types = seed_column_types(column_types, names, f"the seed {path.stem}")
    columns = list(zip_longest(*rows)) if rows else []
    columns += [(None,) * len(rows)] * (len(names) - len(columns))
    testers = [_tester(name, column, column_types) for name, column in zip(names, columns, strict=True)]
    types = [
        _storable_type(column_types[name]) if column_types.get(name) else _spark_type(tester, column)
        for name, tester, column in zip(names, testers, columns, strict=True)
    ]
    texts = map(_cells_to_cast, testers, types, columns)
    kept = list(zip(*texts, strict=True))[:limit]
    preview = agate.Table(rows[:10], names, column_types=testers)
    return Seed(names, tuple(types), len(kept), tuple(_part_queries(kept)), preview)


def fingerprint(node: Mapping[str, Any]) -> str | None:
    """Return a hash of a seed's file and configuration, or None for a file above 1 MB, since dbt does not hash it."""
    checksum = node.get("checksum") or {}
    if checksum.get("name") != "sha256":
        return None
    columns = {name: column.get("description") for name, column in (node.get("columns") or {}).items()}
    parts = [FORMAT, checksum["checksum"], node["config"], node.get("description"), columns]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _storable_type(data_type: str) -> str:
    """Return a configured type with STRING in place of VOID, because a table cannot store VOID."""
    parsed = parse(data_type.strip().lower())
    return parsed.storable.sql if parsed.has_void else data_type


def _cells(path: Path, delimiter: str) -> tuple[tuple[str, ...], list[list[str]]]:
    text = path.read_text(encoding="utf-8").removeprefix(agate_helper.BOM)
    if len(delimiter) != 1:
        raise AdapterCompilationError(f"one character as delimiter of {path}", repr(delimiter), "correct it")
    try:
        header, *rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    except ValueError:
        raise AdapterError("a header with the columns' names", f"an empty file, {path}", "write one") from None
    except csv.Error as error:
        raise AdapterError("a CSV file", f"{error}, in {path}", "correct it") from None
    names: tuple[str, ...] = agate.utils.deduplicate(header, column_names=True)
    for number, row in enumerate(rows, start=1):
        if len(row) > len(names):
            raise AdapterError(
                f"{len(names)} cells in each row of {path}",
                f"{len(row)} in row {number}",
                "quote cells that contain the delimiter, or set `delimiter`",
            )
    return names, rows


def _tester(name: str, column: Sequence[str | None], column_types: dict[str, str]) -> Any:
    """Return the first of dbt's type testers that fits every cell.

    If the column's type is configured, no type is inferred, and the result is the tester for text.
    """
    testers = agate_helper.build_type_tester(())._possible_types
    if name in column_types:
        return testers[-1]
    distinct = {cell for cell in column if cell is not None}
    return next(tester for tester in testers if _fits(tester, distinct))


def _fits(tester: Any, cells: Iterable[str]) -> bool:
    """Return whether a type fits every cell. Cells that match the type's pattern are not parsed."""
    if isinstance(tester, TEXT):
        return True
    matches = _pattern(tester)
    return all(matches(cell) or tester.test(cell) for cell in cells)


def _pattern(tester: Any) -> Callable[[str], Any]:
    """Return a fast check of a cell. If the check succeeds, the type fits. If it fails, the type may still fit."""
    if isinstance(tester, NUMBER):
        return DECIMAL.fullmatch
    pattern = {agate.Date: DATE, agate.DateTime: TIMESTAMP}.get(type(tester))
    if pattern is None:
        return lambda cell: False

    def valid(cell: str) -> bool:
        if not pattern.fullmatch(cell):
            return False
        try:
            datetime.fromisoformat(cell)
        except ValueError:
            return False
        return True

    return valid


def _number(tester: Any, cell: str) -> Decimal:
    number: Decimal = Decimal(cell) if DECIMAL.fullmatch(cell) else tester.cast(cell)
    return number


def _spark_type(tester: Any, column: Sequence[str | None]) -> str:
    """Return the Spark type of a column, converted from agate's type as in dbt-spark."""
    if isinstance(tester, agate_helper.Integer):
        return "bigint"
    if isinstance(tester, NUMBER):
        distinct = {cell for cell in column if not is_null(cell)}
        if all(INTEGER.fullmatch(str(cell)) for cell in distinct):
            return "bigint"
        return "double" if agate.utils.max_precision([_number(tester, str(cell)) for cell in distinct]) else "bigint"
    for kind, name in ((agate.Boolean, "boolean"), (agate.DateTime, "timestamp"), (agate.Date, "date")):
        if isinstance(tester, kind):
            return name
    return "string"


def _cells_to_cast(tester: Any, spark_type: str, column: Sequence[str | None]) -> list[str | None]:
    """Return a column's cells as text that Spark casts to the column's type."""
    text = _text(tester, spark_type)
    return [None if cell is None or is_null(cell) else text(cell) for cell in column]


def _text(tester: Any, spark_type: str) -> Callable[[str], str | None]:
    if isinstance(tester, NUMBER):
        plain = INTEGER if spark_type == "bigint" else DECIMAL

        def number(cell: str) -> str:
            if plain.fullmatch(cell):
                return cell
            value = _number(tester, cell)
            return str(int(value)) if spark_type == "bigint" and value.is_finite() else str(value)

        return number
    matches = _pattern(tester)
    if isinstance(tester, agate.Date | agate.DateTime):
        return lambda cell: cell if matches(cell) else str(tester.cast(cell))
    if isinstance(tester, agate.Boolean):

        def boolean(cell: str) -> str | None:
            # agate removes commas first, so it reads a cell of only commas as NULL.
            value = tester.cast(cell)
            return None if value is None else str(value).lower()

        return boolean
    return str


def _literal(rows: Sequence[Sequence[str | None]]) -> str:
    """Return rows as a SQL literal that contains JSON: an array of rows, each an array of strings."""
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    # With spark.sql.variable.substitute, Spark replaces ${…} in statements, even inside literals.
    text = text.replace("$", "\\u0024")
    return string_literal(text)


def _part_queries(rows: Sequence[Sequence[str | None]]) -> Iterable[str]:
    literals: list[str] = []
    for start in range(0, len(rows), ROWS_PER_LITERAL):
        literals.append(_literal(rows[start : start + ROWS_PER_LITERAL]))
        if sum(map(len, literals)) >= CHARACTERS_PER_PART:
            yield _query(literals)
            literals = []
    if literals:
        yield _query(literals)


def _query(literals: Sequence[str]) -> str:
    values = ",\n".join(f"({literal})" for literal in literals)
    return f"select explode(from_json(j, 'array<array<string>>')) as r from values\n{values}\nas v(j)"
