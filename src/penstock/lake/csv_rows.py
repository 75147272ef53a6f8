"""Read a CSV file row by row. Landing uses this reader for files that pyarrow's CSV reader can't read.

pyarrow's reader is faster, but it refuses a row with more cells than the header, and it doesn't report the position of
bytes that are not UTF-8. In the files of some publishers, rows have blank cells after the last column. This
reader omits these cells and counts the rows that have them. Its error messages name the row and the column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterator, Sequence
from typing import IO

from penstock.errors import PenstockError

# Maximum size of a cell in bytes, far above any real cell. Python's default limit is 128 KiB.
CELL_LIMIT = 16 << 20


def decode(raw: IO[bytes]) -> io.TextIOWrapper:
    """Return a file's text. Bytes that are not UTF-8 become surrogates, which `describe_invalid_bytes` detects."""
    return io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")


def describe_invalid_bytes(cell: str) -> str | None:
    """Return a description of a cell's bytes if they are not valid UTF-8. Otherwise, return None."""
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        raw = cell.encode("utf-8", "surrogateescape")
        return f"the bytes {raw[:20].hex(' ')}, which are not UTF-8; in Windows-1252 they read {_latin(raw)!r}"
    return None


def _latin(raw: bytes) -> str:
    return raw[:20].decode("cp1252", "replace")


def read_header(raw: IO[bytes], name: str) -> tuple[list[str], int]:
    """Return (names of the columns, number of blank cells after the last name in the header).

    Args:
        raw: the file's bytes from the start of the file.
        name: the file's name in error messages.

    Raises:
        PenstockError: the file has no header, or a column name is not UTF-8.
    """
    needed = f"a first line with column names in {name}"
    try:
        cells = next(row for row in csv.reader(decode(raw)) if any(cell.strip() for cell in row))
    except (StopIteration, csv.Error):
        raise PenstockError(needed, "none that is text", "check the file") from None
    for number, cell in enumerate(cells, 1):
        if invalid := describe_invalid_bytes(cell):
            raise PenstockError(needed + " as UTF-8", f"in column {number} {invalid}", _convert(name))
    names = list(cells)
    while names and not names[-1].strip():
        names.pop()
    return names, len(cells) - len(names)


def _convert(name: str) -> str:
    return f"convert it, as in `iconv -f WINDOWS-1252 -t UTF-8 {name}`"


def read_rows(
    raw: IO[bytes], names: Sequence[str], wanted: Container[str], name: str
) -> Iterator[tuple[list[str], bool]]:
    """Yield (cells, whether blank cells after the last column were omitted) for each data row.

    Args:
        raw: the file's bytes from the start of the file.
        names: the names of the columns in the header.
        wanted: the columns that land. The encoding of other columns is not checked.
        name: the file's name in error messages.

    Raises:
        PenstockError: a row has too few cells, text after the last column, bytes that are not UTF-8, a NUL byte, or a
            quote that isn't closed. The message names the column and the row. The first data row has the number 1.
    """
    csv.field_size_limit(CELL_LIMIT)
    for number, (cells, is_last) in enumerate(_without_blank_lines(csv.reader(decode(raw)), len(names), name)):
        if number:  # row 0 is the header
            _check_quotes(cells, names, name, number, is_last)
            _check_text(cells, names, wanted, name, number)
            _check_width(cells, len(names), name, number)
            yield cells[: len(names)], len(cells) > len(names)


def _without_blank_lines(reader: Iterator[list[str]], width: int, name: str) -> Iterator[tuple[list[str], bool]]:
    """Yield (cells, whether this is the last row) for each row that is not blank. The first row is the header."""
    before: list[str] | None = None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise PenstockError(f"rows of cells in {name}", str(error), "correct the file") from None
        if cells is not None and not any(cell.strip() for cell in cells) and (before is None or len(cells) < width):
            continue
        if before is not None:
            yield before, cells is None
        if cells is None:
            return
        before = cells


def _check_quotes(cells: list[str], names: Sequence[str], name: str, number: int, is_last: bool) -> None:
    for column, cell in zip(names, cells, strict=False):
        if "\n" not in cell and "\r" not in cell:
            continue
        # A cell with line breaks is the result of an unclosed quote if it contains as many commas as a row, or if it
        # extends to the end of the file.
        if cell.count(",") >= len(names) - 1 or (is_last and cell.endswith(("\n", "\r"))):
            found = f"one that begins in row {number:,} and is never closed"
            raise PenstockError(f"closed quotes in column `{column}` of {name}", found, "correct the file")


def _check_text(cells: list[str], names: Sequence[str], wanted: Container[str], name: str, number: int) -> None:
    for column, cell in zip(names, cells, strict=False):
        if column not in wanted:
            continue
        needed = f"column `{column}` of {name} as UTF-8 text"
        if invalid := describe_invalid_bytes(cell):
            raise PenstockError(needed, f"in row {number:,} {invalid}", _convert(name))
        if "\0" in cell:
            raise PenstockError(needed, f"a NUL byte in row {number:,}", "correct the file")


def _check_width(cells: list[str], width: int, name: str, number: int) -> None:
    if len(cells) < width:
        found = f"{len(cells)} cells in row {number:,}"
        raise PenstockError(f"{width} cells in each row of {name}, as in its header", found, "correct the file")
    for at, cell in enumerate(cells[width:], width + 1):
        if cell.strip():
            found = f"`{_display(cell)}` in cell {at} of row {number:,}"
            raise PenstockError(f"nothing but blanks beyond the {width} columns of {name}", found, "correct the file")


def _display(cell: str) -> str:
    return cell.encode("utf-8", "backslashreplace").decode()[:100]
