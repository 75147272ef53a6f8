"""Reading a source file in a stream of small batches, whatever its kind."""

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
from penstock.lake.catalog import Catalog, Dataset, folded
from penstock.lake.file_type import Kind

BATCH_ROWS = 65_536
# Bytes that a CSV is read in.
CSV_BLOCK = 4 << 20


@dataclass(frozen=True)
class Reader:
    """An open source file.

    Attributes:
        schema: its columns as found; those of a CSV are strings.
        rows: how many rows it has; None for a CSV, which says so only at its end.
        text: whether the columns are the text of a CSV.
        blank_beyond: rows of a CSV that had blank cells beyond its header; counted as they are read.
    """

    schema: pa.Schema
    rows: int | None
    text: bool
    _path: Path
    _source: pq.ParquetFile | Kind
    _name: str
    # Blank cells at the header's own end: the fast reader takes them for columns.
    _blank_header: int = 0
    blank_beyond: Counter[str] = field(default_factory=Counter)

    @property
    def names_and_types(self) -> tuple[str, ...]:
        """`name:type` of each column, in the file's order."""
        return tuple(f"{field.name}:{field.type}" for field in self.schema)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in file order, with these columns alone, in that order.

        Raises:
            PenstockError: the file's content can't be read to its end.
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
            stream = int96.batches(self._source, self._path, columns, BATCH_ROWS, self._name)
        else:
            stream = self._csv_batches(self._path, self._source, columns)
        for batch in stream:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS).select(columns)

    def _csv_batches(self, path: Path, kind: Kind, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The fast reader's batches; from the first row on that it can't read, those of the slow one."""
        done = 0
        if not self._blank_header:
            try:
                with _bytes(path, kind) as raw:
                    lines = Lines(raw)
                    for batch in _fast(lines, columns, self.schema.names):
                        if any(pc.any(pc.match_substring(column, "\0")).as_py() for column in batch.columns):
                            raise pa.ArrowInvalid("a NUL byte")
                        done += batch.num_rows
                        yield batch
                if done != lines.data_rows or lines.quotes % 2:
                    # Blank lines; or cells with line breaks: an open quote would take in all until the next one.
                    with _bytes(path, kind) as raw:
                        for _ in csv_rows.rows(raw, self.schema.names, columns, self._name):
                            pass
                return
            except pa.ArrowInvalid:
                pass
        with _bytes(path, kind) as raw:
            found = csv_rows.rows(raw, self.schema.names, columns, self._name)
            yield from self._slow(islice(found, done, None), columns)

    def _slow(self, found: Iterator[tuple[list[str], bool]], columns: list[str]) -> Iterator[pa.RecordBatch]:
        places = [self.schema.names.index(column) for column in columns]
        while piece := list(islice(found, BATCH_ROWS)):
            self.blank_beyond["rows"] += sum(beyond for _, beyond in piece)
            arrays = [pa.array([cells[place] or None for cells, _ in piece], pa.string()) for place in places]
            yield pa.RecordBatch.from_arrays(arrays, columns)


class Lines:
    """Counts the lines and quotes of a text file while it is read."""

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
        """Lines after the first one."""
        return (self._feeds or self._returns) - (self._last in (b"\n", b"\r"))


def _bytes(path: Path, kind: Kind) -> IO[bytes]:
    """The unpacked bytes of a text file."""
    return cast("IO[bytes]", gzip.open(path)) if kind == "csv.gz" else path.open("rb")


def _fast(raw: Lines, columns: list[str], names: list[str]) -> Iterator[pa.RecordBatch]:
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
def opened(path: Path, kind: Kind, name: str) -> Iterator[Reader]:
    """Open a file that `sniff` has let pass.

    Raises:
        PenstockError: it has no header, or two columns of one name.
    """
    if kind == "parquet":
        # Without pre-buffering and with a small buffer, a row group of any size is read page by page.
        with pq.ParquetFile(path, **int96.OPTIONS) as file:
            reader = Reader(file.schema_arrow, file.metadata.num_rows, False, path, file, name)
            _refuse_repeated(reader.schema.names, name)
            yield reader
        return
    with _bytes(path, kind) as raw:
        names, blank = csv_rows.header(raw, name)
    _refuse_repeated(names, name)
    yield Reader(pa.schema([(column, pa.string()) for column in names]), None, True, path, kind, name, blank)


def _refuse_repeated(names: list[str], name: str) -> None:
    if twice := [column for column, count in Counter(names).items() if count > 1]:
        raise PenstockError(f"each column once in {name}", f"`{twice[0]}` more than once", "correct the file")


@dataclass(frozen=True)
class Match:
    """How a file's columns serve a dataset.

    Attributes:
        source: for each landed column, the file's column it comes from; None where nulls go in.
        extra: columns of the file that the dataset doesn't know; they don't land.
    """

    source: dict[str, str | None]
    extra: tuple[str, ...]


def _attempt(dataset: Dataset, names: list[str]) -> tuple[Match, list[str], str | None]:
    """(match, required columns that are missing, column served by two of the file's)."""
    claims: dict[str, list[str]] = {}
    for name in names:
        claims.setdefault(folded(name), []).append(name)
    source: dict[str, str | None] = {}
    missing, doubled, used = [], None, set()
    for column, settings in dataset.columns.items():
        keys = {folded(alias) for alias in (column, *settings.also)}
        found = [name for key in keys for name in claims.get(key, [])]
        used.update(found)
        source[column] = found[0] if found else None
        if not found and not settings.optional:
            missing.append(column)
        if len(found) > 1:
            doubled = f"`{'` and `'.join(sorted(found))}` for `{column}`"
    if not used:
        missing = list(dataset.columns)
    return Match(source, tuple(name for name in names if name not in used)), missing, doubled


def match_columns(dataset: Dataset, names: list[str], name: str, catalog: Catalog) -> Match:
    """Find each of the dataset's columns in a file with these column names.

    Raises:
        PenstockError: a required column is missing (a file of another dataset is called that), or
            two columns of the file serve one of the dataset's.
    """
    match, missing, doubled = _attempt(dataset, names)
    if missing:
        others = [
            other for other in catalog.datasets.values() if other is not dataset and not _attempt(other, names)[1]
        ]
        if others:
            other = max(others, key=lambda candidate: len(candidate.columns)).name
            raise PenstockError(
                f"a {dataset.name} file",
                f"{name} has the columns of {other}: this is a {other} file",
                f"land it with `penstock land {other}`",
            )
        listed = ", ".join(f"`{column}`" for column in missing[:5]) + (", …" if len(missing) > 5 else "")
        there = ", ".join(f"`{column}`" for column in names[:5]) + (", …" if len(names) > 5 else "")
        raise PenstockError(
            f"the columns of {dataset.name} in {name}",
            f"{len(missing)} of {len(dataset.columns)} missing: {listed}; the file has {there}",
            "give a file of that dataset; if a later era renamed the column, add the name to its `also` in lake.yml",
        )
    if doubled:
        raise PenstockError(
            f"one column of {name} for each of {dataset.name}", doubled, "correct `also` in lake.yml, or the file"
        )
    return match
