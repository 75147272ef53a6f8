"""Landing one month as a transaction: checked, cast, written aside, renamed, committed.

Layout of a lake:

    <dataset>/file_month=2021-01-01/<16 hex digits>/part-0.parquet    landed files; a folder never changes
    manifest/log/, manifest/snapshots/                                which folders are live
    .staging/                                                         work in progress, safe to lose

The last one lies in this user's temporary folder when the lake is in a store.

A folder is named after the source's bytes and the dataset's columns, so the same month from the
same file always has the same name. `file_month` stands in the folder's name alone: as a column of
the file too it would clash in readers that take partition columns from the path.
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
from penstock.lake.activation import Outcome, refuse_twice, switch
from penstock.lake.casting import Target, cast, check_kind
from penstock.lake.catalog import PARTITION, Catalog, Dataset
from penstock.lake.file_type import sniff
from penstock.lake.manifest import Entry, Manifest
from penstock.lake.source_files import Fetched
from penstock.lake.source_reader import Match, Reader, match_columns, opened
from penstock.lake.staging import workplace
from penstock.lake.verification import problems
from penstock.storage.files import FILE, sha256_of, sync_folder
from penstock.storage.locations import Folder

ROW_GROUP_ROWS = 262_144

Rows = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Landed:
    """What became of a month.

    Attributes:
        outcome: `unchanged` when the same bytes were live already; `repaired` when they were, and
            their landed file was damaged.
        entry: the month's live entry.
        extra: columns of the source that `lake.yml` doesn't know and that didn't land.
    """

    outcome: Outcome
    entry: Entry
    extra: tuple[str, ...] = ()


def is_whole(lake_dir: Folder, entry: Entry | None, dataset: Dataset) -> bool:
    """Whether an entry's file is what landing wrote, and with the dataset's present columns."""
    return (
        entry is not None and entry.schema_fingerprint == dataset.schema_fingerprint and not problems(lake_dir, [entry])
    )


def land(
    catalog: Catalog,
    dataset: Dataset,
    month: date,
    file: Fetched,
    lake_dir: Folder,
    rows: Rows = lambda done, total: None,
    source: str | None = None,
) -> Landed:
    """Land a file as the dataset's month; afterwards either the month is live or nothing changed.

    The same bytes under the same name change nothing, unless the landed file is damaged.

    Args:
        rows: called with (rows so far, rows in all or None).
        source: what to record as the address instead of the file's.

    Raises:
        PenstockError: the file is broken, of another shape, holds a value that can't land, or is live
            elsewhere; or the lake can't be written.
    """
    manifest = Manifest(lake_dir)
    live = manifest.live()
    previous = live.get((dataset.name, month))
    same = previous and (previous.sha256, previous.source_file) == (file.sha256, file.name)
    if previous and same and is_whole(lake_dir, previous, dataset):
        return Landed("unchanged", previous)
    named = dataset.month_of(file.name)
    if named and named[1] != month:
        found = f"{file.name}, by its name the file of {named[1]:%Y-%m}"
        raise PenstockError(f"a file for {month:%Y-%m}", found, f"give --month {named[1]:%Y-%m}, or rename the file")
    refuse_twice(live, dataset.name, month, file.name, file.sha256)
    kind = sniff(file.path, file.name)
    with workplace(lake_dir) as staging:
        with opened(file.path, kind, file.name) as reader:
            match = match_columns(dataset, reader.schema.names, file.name, catalog)
            written, rounded = _write(reader, match, dataset, file.name, staging / FILE, rows)
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
            rows=written,
            rounded_values=sum(rounded.values()),
            rounded_by_column=rounded,
            blank_beyond=blank_beyond,
            schema_found=schema_found,
            file_bytes=(staging / FILE).stat().st_size,
            file_sha256=_digest(staging / FILE),
        )
        sync_folder(staging)
        return Landed(*switch(manifest, staging, entry), match.extra)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return sha256_of(file)


def _folder_name(file: Fetched, dataset: Dataset) -> str:
    return hashlib.sha256((file.sha256 + dataset.schema_fingerprint).encode()).hexdigest()[:16]


def _write(
    reader: Reader, match: Match, dataset: Dataset, name: str, path: Path, rows: Rows
) -> tuple[int, dict[str, int]]:
    """Cast all rows into the landed file. Returns (rows, rounded money values by column)."""
    targets = {column: Target(name, column, settings.type) for column, settings in dataset.columns.items()}
    if not reader.text:
        for column, found in match.source.items():
            if found is not None:
                check_kind(reader.schema.field(found).type, targets[column])
    wanted = [found for found in match.source.values() if found is not None]
    done, rounded = 0, dict.fromkeys(targets, 0)
    pending: list[pa.RecordBatch] = []
    with path.open("wb") as out:
        with pq.ParquetWriter(
            out, dataset.landed_schema, compression="zstd", compression_level=1, store_decimal_as_integer=True
        ) as writer:
            for batch in reader.batches(wanted):
                arrays = []
                for column, target in targets.items():
                    found = match.source[column]
                    piece = pa.nulls(batch.num_rows) if found is None else batch.column(found)
                    array, changed = cast(piece, target, done + 1, text=reader.text)
                    rounded[column] += changed
                    arrays.append(array)
                arrays.append(pa.repeat(pa.scalar(name, pa.string()), batch.num_rows))
                arrays.append(pa.array(np.arange(done + 1, done + 1 + batch.num_rows, dtype=np.int64)))
                pending.append(pa.RecordBatch.from_arrays(arrays, schema=dataset.landed_schema))
                done += batch.num_rows
                if sum(piece.num_rows for piece in pending) >= ROW_GROUP_ROWS:
                    _flush(writer, pending)
                rows(done, reader.rows)
            _flush(writer, pending)
        out.flush()
        os.fsync(out.fileno())
    if done == 0:
        raise PenstockError(f"rows in {name}", "a header and no row", "download it again, or leave the month out")
    return done, {column: count for column, count in rounded.items() if count}


def _flush(writer: pq.ParquetWriter, pending: list[pa.RecordBatch]) -> None:
    if pending:
        table = pa.Table.from_batches(pending)
        writer.write_table(table, row_group_size=len(table))
        pending.clear()
