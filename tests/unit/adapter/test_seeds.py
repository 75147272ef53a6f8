"""Seeds have agate's types and values for any cells."""

from __future__ import annotations

import ast
import csv
import json
import re
from pathlib import Path
from typing import Any

import agate
import pytest
from dbt_common.clients import agate_helper
from dbt_common.exceptions import DbtRuntimeError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dbt.adapters.penstock import seeds
from dbt.adapters.penstock.impl import PenstockAdapter

CELLS = st.one_of(
    st.sampled_from(
        [
            *("", "null", "NULL", " ", "1", "-1", "007", "1.0", "1.50", "2.25", "$3", "1,000", "50%", "1e5", "NaN"),
            *("Infinity", "99999999999999999999", "0.0000000000000000000000000000001", " 12 ", "1_000", "--1"),
            *("true", "FALSE", "True", "yes", "2024-01-31", "2024-1-5", "2024-02-30", " 2024-01-31"),
            *("2024-01-31 10:11:12", "2024-01-31 10:11:61", "2024-01-31T10:11:12Z", "2024-01-31T10:11:12.5+02:00"),
            *("20240131T101112", "abc", "it's", "a\\b", 'say "x"', "é ${env:HOME}", "two\nlines", "٣", "²"),
        ]
    ),
    st.integers().map(str),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.isoformat(sep=" ", timespec="seconds")),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=5),
)


def converted(table: Any, index: int) -> str:
    """Return the Spark type that dbt gives a column."""
    return str(PenstockAdapter.convert_type(table, index))


def rows_of(seed: seeds.Seed) -> list[list[str | None]]:
    """Return the rows in the SQL of a seed."""
    found = []
    for part in seed.parts:
        for literal in re.findall(r"^\('((?:[^'\\]|\\.)*)'\)", part, re.MULTILINE | re.DOTALL):
            found += json.loads(re.sub(r"\\(.)", r"\1", literal))
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "seed.csv"


@example(cells=[("true", "x"), (",", "y")])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_types_and_values_are_those_of_agate(file: Path, cells: list[tuple[str, str]]) -> None:
    """Also for columns of several kinds of cells and nulls."""
    with file.open("w", newline="", encoding="utf-8") as target:
        csv.writer(target, lineterminator="\n").writerows([("a", "b"), *cells])
    expected = agate_helper.from_csv(file, text_columns=())
    seed = seeds.read(file, {}, ",")
    assert list(seed.types) == [converted(expected, index) for index in range(2)]
    assert seed.count == len(expected.rows)
    for row, wanted in zip(rows_of(seed), expected.rows, strict=True):
        for cell, value, spark_type in zip(row, wanted, seed.types, strict=True):
            assert (cell is None) == (value is None)
            if value is None or value != value:
                continue
            if spark_type in ("bigint", "double"):
                assert float(cell or "") == float(int(value) if spark_type == "bigint" and value.is_finite() else value)
            elif spark_type == "boolean":
                assert ast.literal_eval(str(cell).title()) == value
            else:
                assert cell == str(value)


@pytest.mark.parametrize("text", ["a;b\n1;x,y\n", "﻿a;b\n1;x,y\n"])
def test_delimiter_and_byte_order_mark(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    seed = seeds.read(file, {}, ";")
    assert (seed.names, seed.types, rows_of(seed)) == (("a", "b"), ("bigint", "string"), [["1", "x,y"]])


def test_column_types_keep_the_cells_text(file: Path) -> None:
    """A zip code keeps its zeros; NULLs stay NULLs."""
    file.write_text("zip,n\n00501,1\n,2\n")
    seed = seeds.read(file, {"zip": "string", "n": "decimal(5,2)"}, ",")
    assert seed.types == ("string", "decimal(5,2)")
    assert rows_of(seed) == [["00501", "1"], [None, "2"]]


def test_short_rows_and_no_rows(file: Path) -> None:
    file.write_text("a,b\n1\n")
    assert rows_of(seeds.read(file, {}, ",")) == [["1", None]]
    file.write_text("a,b\n")
    seed = seeds.read(file, {}, ",")
    assert (seed.types, seed.count, seed.parts) == (("bigint", "bigint"), 0, ())


def test_wrong_files_are_refused(file: Path) -> None:
    file.write_text("a\n1,2\n")
    with pytest.raises(DbtRuntimeError, match="found: 2 in row 1"):
        seeds.read(file, {}, ",")
    with pytest.raises(DbtRuntimeError, match="one character as delimiter"):
        seeds.read(file, {}, "")
    file.write_text("")
    with pytest.raises(DbtRuntimeError, match="found: an empty file"):
        seeds.read(file, {}, ",")


def test_a_limit_keeps_the_types_of_all_rows(file: Path) -> None:
    file.write_text("a\n1\nx\n")
    seed = seeds.read(file, {}, ",", limit=0)
    assert (seed.types, seed.count, seed.parts) == (("string",), 0, ())


def test_a_large_seed_is_split_into_statements(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "CHARACTERS_PER_PART", 40_000)
    file.write_text("a,b\n" + "".join(f"{n},text {n}\n" for n in range(20_000)))
    seed = seeds.read(file, {}, ",")
    assert len(seed.parts) > 1
    assert rows_of(seed) == [[str(n), f"text {n}"] for n in range(20_000)]
    assert isinstance(seed.preview, agate.Table)
    assert len(seed.preview.rows) == 10
