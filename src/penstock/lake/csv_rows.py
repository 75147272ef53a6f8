"""Read a CSV file row by row, after the fast reader refused it, and name the row and column at fault.

The fast reader (pyarrow) refuses a row with more cells than the header and doesn't say where a byte is
wrong. Publishers did ship rows with blank cells beyond the header for years: those cells are left out
and counted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterator, Sequence
from typing import IO

from penstock.errors import PenstockError

# Longer cells than any sensible one; Python's own limit is 128 KiB.
CELL_LIMIT = 16 << 20


def text_of(raw: IO[bytes]) -> io.TextIOWrapper:
    """The text of a file's bytes; those that are no UTF-8 become surrogates, which `wrong_bytes` finds."""
    return io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")


def wrong_bytes(cell: str) -> str | None:
    """How a cell's bytes read when they are no UTF-8; None when they are."""
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        raw = cell.encode("utf-8", "surrogateescape")
        return f"the bytes {raw[:20].hex(' ')}, which are no UTF-8; in Windows-1252 they read {_latin(raw)!r}"
    return None


def _latin(raw: bytes) -> str:
    return raw[:20].decode("cp1252", "replace")


def header(raw: IO[bytes], name: str) -> tuple[list[str], int]:
    """(names of the columns, how many blank cells the header has after them).

    Raises:
        PenstockError: there is none, or a name that is no UTF-8 text.
    """
    needed = f"a first line with column names in {name}"
    try:
        cells = next(row for row in csv.reader(text_of(raw)) if any(cell.strip() for cell in row))
    except (StopIteration, csv.Error):
        raise PenstockError(needed, "none that is text", "check the file") from None
    for number, cell in enumerate(cells, 1):
        if wrong := wrong_bytes(cell):
            raise PenstockError(needed + " as UTF-8", f"in column {number} {wrong}", _convert(name))
    names = list(cells)
    while names and not names[-1].strip():
        names.pop()
    return names, len(cells) - len(names)


def _convert(name: str) -> str:
    return f"convert it, as in `iconv -f WINDOWS-1252 -t UTF-8 {name}`"


def rows(raw: IO[bytes], names: Sequence[str], wanted: Container[str], name: str) -> Iterator[tuple[list[str], bool]]:
    """Each data row's cells, as many as the header has, and whether it had blank ones beyond them.

    Args:
        raw: the file's bytes from their start.
        names: the header's columns.
        wanted: the columns that land; the others' bytes don't matter.
        name: the file's, for messages.

    Raises:
        PenstockError: a row with fewer cells, with text beyond the header, with bytes that are no UTF-8, a NUL,
            or a quote that isn't closed. The row is named, the first data row is 1, and the column.
    """
    csv.field_size_limit(CELL_LIMIT)
    number = -1  # of the header 0
    found = _lines(csv.reader(text_of(raw)), len(names), name)
    for cells, is_last in found:
        number += 1
        if number:
            _check_quotes(cells, names, name, number, is_last)
            _check_text(cells, names, wanted, name, number)
            _check_width(cells, len(names), name, number)
            yield cells[: len(names)], len(cells) > len(names)


def _lines(found: Iterator[list[str]], width: int, name: str) -> Iterator[tuple[list[str], bool]]:
    """The rows that aren't blank lines, the header first, and whether each is the last one."""
    before: list[str] | None = None
    while True:
        try:
            cells = next(found, None)
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
        if cell.count(",") >= len(names) - 1 or (is_last and cell.endswith(("\n", "\r"))):
            found = f"one that begins in row {number:,} and takes in what follows it"
            raise PenstockError(f"closed quotes in column `{column}` of {name}", found, "correct the file")


def _check_text(cells: list[str], names: Sequence[str], wanted: Container[str], name: str, number: int) -> None:
    for column, cell in zip(names, cells, strict=False):
        if column not in wanted:
            continue
        needed = f"column `{column}` of {name} as UTF-8 text"
        if wrong := wrong_bytes(cell):
            raise PenstockError(needed, f"in row {number:,} {wrong}", _convert(name))
        if "\0" in cell:
            raise PenstockError(needed, f"a NUL byte in row {number:,}", "correct the file")


def _check_width(cells: list[str], width: int, name: str, number: int) -> None:
    if len(cells) < width:
        found = f"{len(cells)} cells in row {number:,}"
        raise PenstockError(f"{width} cells in each row of {name}, as in its header", found, "correct the file")
    for at, cell in enumerate(cells[width:], width + 1):
        if cell.strip():
            found = f"`{_shown(cell)}` in cell {at} of row {number:,}"
            raise PenstockError(f"nothing but blanks beyond the {width} columns of {name}", found, "correct the file")


def _shown(cell: str) -> str:
    return cell.encode("utf-8", "backslashreplace").decode()[:100]
