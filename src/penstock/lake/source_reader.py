"""Read a parquet or CSV source file as a stream of small batches."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from penstock.errors import PenstockError
from penstock.lake import csv_rows, int96
from penstock.lake.source_checks import FileType

BATCH_ROWS = 65_536
# Number of bytes that pyarrow's CSV reader reads at once.
CSV_BLOCK = 4 << 20


@dataclass(frozen=True)
class SourceReader:
    """An open source file.

    Attributes:
        schema: the columns of the file. The columns of a CSV file are strings.
        rows: number of rows; None for a CSV file, because it is unknown before the end of the file.
        text: whether the file is a CSV file, so that all values are text.
        blank_beyond: the number of CSV rows with blank cells after the last column, under the key "rows". The number
            increases while the rows are read.
    """

    schema: pa.Schema
    rows: int | None
    text: bool
    _path: Path
    _source: pq.ParquetFile | FileType
    _name: str
    # Number of blank cells at the end of the header. pyarrow's CSV reader would treat them as columns.
    _blank_header: int = 0
    blank_beyond: Counter[str] = field(default_factory=Counter)

    @property
    def names_and_types(self) -> tuple[str, ...]:
        """Return `name:type` of each column, in the file's order."""
        return tuple(f"{field.name}:{field.type}" for field in self.schema)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in file order. The batches have only the given columns, in the given order.

        Raises:
            PenstockError: the file can't be read to its end.
        """
        try:
            yield from self._batches(list(columns))
        except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            found = " ".join(str(error).split())[:200]
            raise PenstockError(
                f"{self._name} readable to its end", found, "download it again, or correct the file"
            ) from None

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        if isinstance(self._source, pq.ParquetFile):
            stream = int96.read_batches(self._source, self._path, columns, BATCH_ROWS, self._name)
        else:
            stream = self._csv_batches(self._path, self._source, columns)
        for batch in stream:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS).select(columns)

    def _csv_batches(self, path: Path, kind: FileType, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches from pyarrow's CSV reader. If it fails, use the row-by-row reader for the remaining rows."""
        done = 0
        if not self._blank_header:
            try:
                with _open_text(path, kind) as raw:
                    lines = LineCounter(raw)
                    for batch in _read_with_pyarrow(lines, columns, self.schema.names):
                        if any(pc.any(pc.match_substring(column, "\0")).as_py() for column in batch.columns):
                            raise pa.ArrowInvalid("a NUL byte")
                        done += batch.num_rows
                        yield batch
                if done != lines.data_rows or lines.quotes % 2:
                    # The file has blank lines, cells with line breaks, or an unclosed quote. After an unclosed quote,
                    # pyarrow reads all text up to the next quote as one cell, without an error. Read the file again
                    # with the row-by-row reader, which raises an error for an unclosed quote.
                    with _open_text(path, kind) as raw:
                        for _ in csv_rows.read_rows(raw, self.schema.names, columns, self._name):
                            pass
                return
            except pa.ArrowInvalid:
                pass
        with _open_text(path, kind) as raw:
            rows = csv_rows.read_rows(raw, self.schema.names, columns, self._name)
            yield from self._collect(islice(rows, done, None), columns)

    def _collect(self, rows: Iterator[tuple[list[str], bool]], columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield rows from the row-by-row reader in batches. Count the rows with blank cells after the last column."""
        indexes = [self.schema.names.index(column) for column in columns]
        while batch := list(islice(rows, BATCH_ROWS)):
            self.blank_beyond["rows"] += sum(beyond for _, beyond in batch)
            arrays = [pa.array([cells[index] or None for cells, _ in batch], pa.string()) for index in indexes]
            yield pa.RecordBatch.from_arrays(arrays, columns)


class LineCounter:
    """A file object that counts lines and quotes while a text file is read through it."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._feeds, self._returns, self._last = raw, 0, 0, b""
        self.quotes, self.closed = 0, False

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        self._feeds += data.count(b"\n")
        self._returns += data.count(b"\r")
        self.quotes += data.count(b'"')
        self._last = data[-1:] or self._last
        return data

    def close(self) -> None:
        self.closed = True

    @property
    def data_rows(self) -> int:
        """Return the number of lines after the header line."""
        return (self._feeds or self._returns) - (self._last in (b"\n", b"\r"))


def _open_text(path: Path, kind: FileType) -> IO[bytes]:
    """Open a CSV file, which may be compressed, and return its uncompressed bytes."""
    return cast("IO[bytes]", gzip.open(path)) if kind == "csv.gz" else path.open("rb")


def _read_with_pyarrow(raw: LineCounter, columns: list[str], names: list[str]) -> Iterator[pa.RecordBatch]:
    convert = pacsv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        include_columns=columns,
        null_values=[""],
        strings_can_be_null=True,
    )
    read = pacsv.ReadOptions(use_threads=False, block_size=CSV_BLOCK)
    with pacsv.open_csv(cast("IO[bytes]", raw), read_options=read, convert_options=convert) as stream:
        yield from stream


@contextmanager
def open_source(path: Path, kind: FileType, name: str) -> Iterator[SourceReader]:
    """Open a source file.

    Args:
        path: path of the file.
        kind: type of the file, from `detect_file_type`.
        name: the file's name in error messages.

    Raises:
        PenstockError: the file has no header, or two columns with the same name.
    """
    if kind == "parquet":
        with pq.ParquetFile(path, **int96.OPTIONS) as file:
            reader = SourceReader(file.schema_arrow, file.metadata.num_rows, False, path, file, name)
            _refuse_repeated(reader.schema.names, name)
            yield reader
        return
    with _open_text(path, kind) as raw:
        names, blank = csv_rows.read_header(raw, name)
    _refuse_repeated(names, name)
    yield SourceReader(pa.schema([(column, pa.string()) for column in names]), None, True, path, kind, name, blank)


def _refuse_repeated(names: list[str], name: str) -> None:
    if repeated := [column for column, count in Counter(names).items() if count > 1]:
        raise PenstockError(f"each column once in {name}", f"`{repeated[0]}` more than once", "correct the file")
