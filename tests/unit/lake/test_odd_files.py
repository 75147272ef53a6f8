"""Files with one defect each: they land, or the message names the row, the column and the cause."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from penstock.lake import landing

from .conftest import Project, green_table

ROWS = 20
FLAG = "store_and_fwd_flag"
TABLE = green_table(ROWS).drop(["ehail_fee"])
NAMES = TABLE.schema.names
AT = NAMES.index(FLAG)


def lines(rows: int = ROWS) -> list[bytes]:
    """Return the lines of a green CSV, the header first."""
    sink = pa.BufferOutputStream()
    pacsv.write_csv(green_table(rows).drop(["ehail_fee"]), sink, pacsv.WriteOptions(quoting_style="needed"))
    return [line for line in sink.getvalue().to_pybytes().split(b"\n") if line]


def joined(rows: list[bytes], end: bytes = b"\n") -> bytes:
    return end.join(rows) + end


def with_cell(row: int, cell: bytes, column: str = FLAG, rows: int = ROWS) -> bytes:
    """Return the CSV with one changed cell; row 0 is the header."""
    found = lines(rows)
    cells = found[row].split(b",")
    cells[NAMES.index(column)] = cell
    found[row] = b",".join(cells)
    return joined(found)


def with_row(row: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return the CSV with one changed row."""
    found = lines()
    found[row] = change(found[row])
    return joined(found)


def land(project: Project, tmp_path: Path, content: bytes, packed: bool = False) -> Any:
    """Land these bytes as a month, and check that a refusal leaves no files behind."""
    path = tmp_path / "odd.csv"
    path.write_bytes(gzip.compress(content) if packed else content)
    answer = project.penstock("land", "green", "--file", str(path), "--month", "2021-01")
    if answer.code:
        assert project.manifest.version() == 0
        assert not list((project.lake / ".staging").glob("*"))
        assert "CSV column" not in answer.text and "Traceback" not in answer.text
    return answer


TEXT = joined(lines())
WRONG = {
    "latin-1": (with_cell(3, b"N\xa0"), f"column `{FLAG}`", "in row 3 the bytes 4e a0, which are not UTF-8"),
    "utf-8 cut": (with_cell(20, b"N\xe2\x82"), f"column `{FLAG}`", "in row 20 the bytes 4e e2 82"),
    "a number's bytes": (with_cell(7, b"\xb17", "fare_amount"), "column `fare_amount`", "in row 7 the bytes b1 37"),
    "latin-1 header": (TEXT.replace(b"extra", b"extr\xe4", 1), "column names", "in column 11 the bytes 65 78"),
    "utf-16": (TEXT.decode().encode("utf-16"), "text in UTF-16LE", "iconv -f UTF-16LE -t UTF-8 odd.csv"),
    "utf-16 without a mark": (TEXT.decode().encode("utf-16-be"), "text in UTF-16BE", "iconv"),
    "nul": (with_cell(5, b"N\0"), f"column `{FLAG}`", "a NUL byte in row 5"),
    "nul far below": (with_cell(4990, b"N\0", rows=5000), f"column `{FLAG}`", "a NUL byte in row 4,990"),
    "text beyond": (with_row(4, lambda row: row + b",,x"), "beyond the 19 columns", "`x` in cell 21 of row 4"),
    "fewer cells": (with_row(9, lambda row: row.rsplit(b",", 2)[0]), "19 cells in each row", "17 cells in row 9"),
    "no cells": (with_row(9, lambda row: b"1"), "19 cells in each row", "1 cells in row 9"),
    "open quote": (with_cell(6, b'"N'), f"closed quotes in column `{FLAG}`", "begins in row 6"),
    "open quote at the end": (with_row(ROWS, lambda row: row.rsplit(b",", 1)[0] + b',"1'), "closed quotes", "row 20"),
    "two open quotes": (
        with_cell(2, b'"N').replace(lines()[9], lines()[9].replace(b",N,", b',N",'), 1),
        "quote",
        "row 2",
    ),
    "not a number": (with_cell(12, b"x", "fare_amount"), "column `fare_amount`", "`x` in row 12"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["csv", "gz"])
@pytest.mark.parametrize("kind", WRONG)
def test_row_column_and_cause_are_named(project: Project, tmp_path: Path, kind: str, packed: bool) -> None:
    content, *messages = WRONG[kind]
    answer = land(project, tmp_path, content, packed)
    assert answer.code == 1
    assert all(message in answer.text for message in messages), answer.text


BLANK = {
    "two each": joined([lines()[0]] + [row + b",," for row in lines()[1:]]),
    "some, and more": joined([row + b", ,," * (number % 3) for number, row in enumerate(lines())]),
    "a blank line below the header": joined([lines()[0], b""] + [row + b",," for row in lines()[1:]]),
    "in the header too": joined([row + b",," for row in lines()]),
}


@pytest.mark.parametrize("packed", [False, True], ids=["csv", "gz"])
@pytest.mark.parametrize("kind", BLANK)
def test_blank_cells_beyond_the_header_are_omitted_and_counted(
    project: Project, tmp_path: Path, kind: str, packed: bool
) -> None:
    answer = land(project, tmp_path, BLANK[kind], packed)
    assert answer.code == 0, answer.text
    (entry,) = project.manifest.live().values()
    beyond = {"some, and more": ROWS - ROWS // 3}.get(kind, ROWS)
    assert (entry.rows, entry.blank_beyond) == (ROWS, beyond)
    assert f"left out of {beyond} rows" in answer.text
    landed = project.rows("green", "2021-01")
    assert project.penstock("land", "green", "--file", _plain(tmp_path), "--month", "2021-02").code == 0
    assert landed.drop(["source_file"]).equals(project.rows("green", "2021-02").drop(["source_file"]))


def _plain(tmp_path: Path) -> str:
    path = tmp_path / "plain.csv"
    path.write_bytes(TEXT)
    return str(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + TEXT,
        joined(lines(), b"\r\n"),
        joined([lines()[0], b"", *lines()[1:5], b"", *lines()[5:], b"", b""]),
        joined(lines())[:-1],
        with_cell(3, b'"N"'),
        joined([b"note," + lines()[0], b"", *(b"\xa0" + b'"x"y,' + row for row in lines()[1:])]),
    ],
    ids=["bom", "crlf", "blank lines", "no end of line", "quoted", "what does not land"],
)
def test_other_csv_dialects_land_the_same_rows(project: Project, tmp_path: Path, content: bytes) -> None:
    assert land(project, tmp_path, content).code == 0
    assert project.penstock("land", "green", "--file", _plain(tmp_path), "--month", "2021-02").code in (0, 1)
    (first, *_) = project.manifest.entries()
    assert (first.rows, first.blank_beyond) == (ROWS, 0)
    assert project.rows("green", "2021-01").column(FLAG).to_pylist() == ["N"] * ROWS


def test_a_late_row_falls_back_to_the_row_by_row_reader_once(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row is repeated or skipped, whatever the batches, and the row numbers continue."""
    rows = 100_000
    monkeypatch.setattr(landing, "ROW_GROUP_ROWS", 30_000)
    found = lines(1)
    data = [found[1]] * rows
    data[90_000] += b",,"
    assert land(project, tmp_path, joined([found[0], *data])).code == 0
    (entry,) = project.manifest.live().values()
    assert (entry.rows, entry.blank_beyond) == (rows, 1)
    assert np.array_equal(project.rows("green", "2021-01").column("source_row").to_numpy(), np.arange(1, rows + 1))


def parquet(project: Project, tmp_path: Path, table: pa.Table, **options: Any) -> Any:
    """Land a table as a parquet file."""
    path = tmp_path / "odd.parquet"
    pq.write_table(table, path, **options)
    return project.penstock("land", "green", "--file", str(path), "--month", "2021-01")


def times(row: int, value: datetime) -> pa.Table:
    """Return the green table with one changed drop-off time."""
    name = "lpep_dropoff_datetime"
    found = TABLE.column(name).to_pylist()
    found[row] = value
    return TABLE.set_column(TABLE.schema.get_field_index(name), name, pa.array(found, pa.timestamp("us")))


@pytest.mark.parametrize("year", [1, 1582, 1677, 2263, 3019, 9999])
def test_any_year_lands_from_int96(project: Project, tmp_path: Path, year: int) -> None:
    """64-bit nanoseconds overflow before 1677 and after 2262."""
    value = datetime(year, 1, 5, 12, 0, 0, 123456)
    answer = parquet(project, tmp_path, times(4, value), use_deprecated_int96_timestamps=True)
    assert answer.code == 0, answer.text
    assert project.rows("green", "2021-01").column("lpep_dropoff_datetime")[4].as_py() == value


@pytest.mark.parametrize(
    ("days", "nanos", "message"),
    [(2**31 - 1, 0, "a time beyond the years"), (2_459_216, 1, "a fraction of a microsecond")],
)
def test_int96_that_microseconds_do_not_hold_is_refused(
    project: Project, tmp_path: Path, days: int, nanos: int, message: str
) -> None:
    """INT96 consists of a Julian day and the nanoseconds of the day."""
    path = tmp_path / "odd.parquet"
    marked = datetime(2021, 7, 7, 7, 7, 7)
    pq.write_table(
        times(4, marked), path, use_deprecated_int96_timestamps=True, use_dictionary=False, compression="none"
    )
    plain = struct.pack("<qi", (7 * 3600 + 7 * 60 + 7) * 10**9, 2_459_403)
    content = path.read_bytes()
    assert content.count(plain) >= 1
    path.write_bytes(content.replace(plain, struct.pack("<qi", nanos, days)))
    answer = project.penstock("land", "green", "--file", str(path), "--month", "2021-01")
    assert answer.code == 1
    assert f"{message}" in answer.text and "in row 5" in answer.text and "`lpep_dropoff_datetime`" in answer.text
    assert project.manifest.version() == 0


def test_parquet_text_that_is_not_utf8_is_refused(project: Project, tmp_path: Path) -> None:
    """pyarrow does not check it."""
    raw = pa.array([b"N"] * 6 + [b"N\xa0"] + [b"N"] * (ROWS - 7), pa.binary())
    text = pa.Array.from_buffers(pa.string(), ROWS, raw.buffers())
    answer = parquet(project, tmp_path, TABLE.set_column(AT, FLAG, text))
    assert answer.code == 1
    assert f"column `{FLAG}`" in answer.text and r"`N\xa0` in row 7" in answer.text
    assert project.manifest.version() == 0


def test_a_time_beyond_pythons_years_is_named(project: Project, tmp_path: Path) -> None:
    """Milliseconds hold years that microseconds can't."""
    name = "lpep_dropoff_datetime"
    found = pa.array([0] * 4 + [2**62] + [0] * (ROWS - 5), pa.timestamp("ms"))
    answer = parquet(project, tmp_path, TABLE.set_column(TABLE.schema.get_field_index(name), name, found))
    assert answer.code == 1
    assert f"`{2**62} ms since 1970` in row 5" in answer.text and f"column `{name}`" in answer.text
