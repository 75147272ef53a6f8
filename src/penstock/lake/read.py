"""Reading a source file in a stream of small batches, whatever its kind."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from penstock.errors import PenstockError
from penstock.lake.catalog import Catalog, Dataset, folded
from penstock.lake.sniff import Kind

BATCH_ROWS = 65_536
# Bytes: what a column chunk of a parquet file, or a CSV, is read in.
PARQUET_BUFFER, CSV_BLOCK = 1 << 20, 4 << 20


@dataclass(frozen=True)
class Reader:
    """An open source file.

    Attributes:
        schema: its columns as found; those of a CSV are strings.
        rows: how many rows it has; None for a CSV, which says so only at its end.
        text: whether the columns are the text of a CSV.
    """

    schema: pa.Schema
    rows: int | None
    text: bool
    _source: pq.ParquetFile | tuple[Path, Kind]
    _name: str

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
            stream = self._source.iter_batches(BATCH_ROWS, columns=columns, use_threads=False)
        else:
            stream = _csv_batches(*self._source, columns, self.schema.names)
        for batch in stream:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS).select(columns)


def _bytes(path: Path, kind: Kind) -> IO[bytes]:
    """The unpacked bytes of a text file."""
    return cast("IO[bytes]", gzip.open(path)) if kind == "csv.gz" else path.open("rb")


def _csv_batches(path: Path, kind: Kind, columns: list[str], names: list[str]) -> Iterator[pa.RecordBatch]:
    convert = pacsv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        include_columns=columns,
        null_values=[""],
        strings_can_be_null=True,
    )
    read = pacsv.ReadOptions(use_threads=False, block_size=CSV_BLOCK)
    with _bytes(path, kind) as raw, pacsv.open_csv(raw, read_options=read, convert_options=convert) as stream:
        yield from stream


def _header(path: Path, kind: Kind, name: str) -> list[str]:
    with _bytes(path, kind) as raw:
        text = io.TextIOWrapper(raw, "utf-8-sig", newline="")
        try:
            return next(row for row in csv.reader(text) if any(cell.strip() for cell in row))
        except (StopIteration, UnicodeDecodeError, csv.Error):
            needed = f"a first line with column names in {name}"
            raise PenstockError(needed, "none that is text", "check the file") from None


@contextmanager
def opened(path: Path, kind: Kind, name: str) -> Iterator[Reader]:
    """Open a file that `sniff` has let pass.

    Raises:
        PenstockError: it has no header, or two columns of one name.
    """
    if kind == "parquet":
        # Without pre-buffering and with a small buffer, a row group of any size is read page by page.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=PARQUET_BUFFER) as file:
            reader = Reader(file.schema_arrow, file.metadata.num_rows, False, file, name)
            _refuse_repeated(reader.schema.names, name)
            yield reader
        return
    names = _header(path, kind, name)
    _refuse_repeated(names, name)
    yield Reader(pa.schema([(column, pa.string()) for column in names]), None, True, (path, kind), name)


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
