"""Land one month as a transaction: check and cast the source, write the landed file to staging, then activate it.

Layout of a lake:

    <dataset>/file_month=2021-01-01/<16 hex digits>/part-0.parquet    landed files, which never change
    manifest/log/, manifest/snapshots/                                records of the live folders
    .staging/                                                         work in progress, which is safe to lose

For a lake in a store (an object store or HDFS), the staging folder is in this machine's temporary folder.

The 16 hex digits are a hash of the source's content and the dataset's columns. If the same source lands again, its
folder has the same name. `file_month` is only in the path, not in the file. A column of the file with the same name
would conflict with the partition column that readers derive from the path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penstock.errors import PenstockError
from penstock.lake.activation import Outcome, activate, refuse_duplicate
from penstock.lake.casting import TargetColumn, cast, check_type
from penstock.lake.catalog import PARTITION, Catalog, Dataset
from penstock.lake.column_match import ColumnMatch, match_columns
from penstock.lake.manifest import LANDED_FILE, Entry, Manifest
from penstock.lake.source_checks import detect_file_type
from penstock.lake.source_files import LocalFile
from penstock.lake.source_reader import SourceReader, open_source
from penstock.lake.staging import work_folder
from penstock.lake.verification import find_problems
from penstock.storage.files import sha256_of, sync_folder
from penstock.storage.locations import Location

ROW_GROUP_ROWS = 262_144

# Called with (number of rows so far, total number of rows or None if it is unknown).
RowProgress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class LandingResult:
    """The outcome of landing a month.

    Attributes:
        outcome: `landed` for a new month, `replaced` if another file was live, `unchanged` if the same source was
            already live, or `repaired` if the same source was live but its landed file was damaged.
        entry: the month's live entry.
        extra: columns of the source that `lake.yml` doesn't name. They did not land.
    """

    outcome: Outcome
    entry: Entry
    extra: tuple[str, ...] = ()


def is_up_to_date(lake_dir: Location, entry: Entry | None, dataset: Dataset) -> bool:
    """Return whether an entry's landed file is undamaged and has the current columns of the dataset."""
    return (
        entry is not None
        and entry.schema_fingerprint == dataset.schema_fingerprint
        and not find_problems(lake_dir, [entry])
    )


def land(
    catalog: Catalog,
    dataset: Dataset,
    month: date,
    file: LocalFile,
    lake_dir: Location,
    progress: RowProgress = lambda done, total: None,
    source: str | None = None,
) -> LandingResult:
    """Land a file as a month of a dataset. If landing fails, the lake is unchanged.

    Landing the same file under the same name again changes nothing, unless the landed file is damaged.

    Args:
        catalog: the catalog, to recognize a file of another dataset.
        dataset: the dataset.
        month: first day of the month.
        file: the source file.
        lake_dir: location of the lake.
        progress: called with (number of rows so far, total number of rows or None if it is unknown).
        source: address to record in the manifest; by default the address of the file.

    Raises:
        PenstockError: the file is damaged, has the wrong columns, has a value that can't land, or is already live for
            another month; or the lake can't be written.
    """
    manifest = Manifest(lake_dir)
    live = manifest.live()
    previous = live.get((dataset.name, month))
    same_source = previous and (previous.sha256, previous.source_file) == (file.sha256, file.name)
    if previous and same_source and is_up_to_date(lake_dir, previous, dataset):
        return LandingResult("unchanged", previous)
    _check_month_of_name(dataset, month, file.name)
    refuse_duplicate(live, dataset.name, month, file.name, file.sha256)
    file_type = detect_file_type(file.path, file.name)
    with work_folder(lake_dir) as staging:
        landed_file = staging / LANDED_FILE
        with open_source(file.path, file_type, file.name) as reader:
            match = match_columns(dataset, reader.schema.names, file.name, catalog)
            rows, rounded = _write(reader, match, dataset, file.name, landed_file, progress)
            schema_found, blank_beyond = reader.names_and_types, reader.blank_beyond["rows"]
        file.check_unchanged()
        entry = Entry(
            dataset=dataset.name,
            file_month=month,
            folder=f"{dataset.name}/{PARTITION}={month.isoformat()}/{_folder_name(file, dataset)}",
            source=source or file.address,
            source_file=file.name,
            sha256=file.sha256,
            schema_fingerprint=dataset.schema_fingerprint,
            bytes=file.size,
            rows=rows,
            rounded_values=sum(rounded.values()),
            rounded_by_column=rounded,
            blank_beyond=blank_beyond,
            schema_found=schema_found,
            file_bytes=landed_file.stat().st_size,
            file_sha256=_digest(landed_file),
        )
        sync_folder(staging)
        return LandingResult(*activate(manifest, staging, entry), match.extra)


def _check_month_of_name(dataset: Dataset, month: date, file_name: str) -> None:
    """Refuse a file whose name contains another month."""
    named = dataset.month_of(file_name)
    if named and named[1] != month:
        found = f"{file_name}, by its name the file of {named[1]:%Y-%m}"
        raise PenstockError(f"a file for {month:%Y-%m}", found, f"give --month {named[1]:%Y-%m}, or rename the file")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return sha256_of(file)


def _folder_name(file: LocalFile, dataset: Dataset) -> str:
    return hashlib.sha256((file.sha256 + dataset.schema_fingerprint).encode()).hexdigest()[:16]


class _BatchCaster:
    """Casts batches of a source file to the landed schema, in file order.

    Attributes:
        rows: number of rows cast so far.
        rounded: number of rounded money values so far, by column.
    """

    def __init__(self, reader: SourceReader, match: ColumnMatch, dataset: Dataset, name: str) -> None:
        self._reader, self._match, self._name, self._schema = reader, match, name, dataset.landed_schema
        self._targets = {column: TargetColumn(name, column, kind.type) for column, kind in dataset.columns.items()}
        self.rows, self.rounded = 0, dict.fromkeys(self._targets, 0)

    def check_types(self) -> None:
        """Refuse a parquet file with a column of the wrong type. All columns of a CSV file are text."""
        if self._reader.text:
            return
        for column, source_column in self._match.source.items():
            if source_column is not None:
                check_type(self._reader.schema.field(source_column).type, self._targets[column])

    def cast(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch with its columns cast to the landed schema."""
        arrays = []
        for column, target in self._targets.items():
            source_column = self._match.source[column]
            values = pa.nulls(batch.num_rows) if source_column is None else batch.column(source_column)
            array, rounded = cast(values, target, self.rows + 1, text=self._reader.text)
            self.rounded[column] += rounded
            arrays.append(array)
        first_row = self.rows + 1
        arrays.append(pa.repeat(pa.scalar(self._name, pa.string()), batch.num_rows))
        arrays.append(pa.array(np.arange(first_row, first_row + batch.num_rows, dtype=np.int64)))
        self.rows += batch.num_rows
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


def _write(
    reader: SourceReader, match: ColumnMatch, dataset: Dataset, name: str, path: Path, progress: RowProgress
) -> tuple[int, dict[str, int]]:
    """Cast all rows and write the landed file.

    Returns:
        (number of rows, number of rounded money values by column).
    """
    caster = _BatchCaster(reader, match, dataset, name)
    caster.check_types()
    source_columns = [column for column in match.source.values() if column is not None]
    pending: list[pa.RecordBatch] = []
    with path.open("wb") as out:
        with pq.ParquetWriter(
            out, dataset.landed_schema, compression="zstd", compression_level=1, store_decimal_as_integer=True
        ) as writer:
            for batch in reader.batches(source_columns):
                pending.append(caster.cast(batch))
                if sum(waiting.num_rows for waiting in pending) >= ROW_GROUP_ROWS:
                    _flush(writer, pending)
                progress(caster.rows, reader.rows)
            _flush(writer, pending)
        out.flush()
        os.fsync(out.fileno())
    if caster.rows == 0:
        raise PenstockError(f"rows in {name}", "a header and no row", "download it again, or leave the month out")
    return caster.rows, {column: count for column, count in caster.rounded.items() if count}


def _flush(writer: pq.ParquetWriter, pending: list[pa.RecordBatch]) -> None:
    if pending:
        table = pa.Table.from_batches(pending)
        writer.write_table(table, row_group_size=len(table))
        pending.clear()
