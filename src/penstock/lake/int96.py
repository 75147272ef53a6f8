"""Parquet's INT96 times, read in microseconds, and refused where that isn't what the file says.

pyarrow reads INT96 as nanoseconds, which a 64-bit number holds from 1677 to 2262 only: the year 3019
becomes 1849, without a word. Microseconds hold any year that Spark writes; what they can't hold would wrap
around in the same way, and is found by reading the column in milliseconds too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penstock.errors import PenstockError
from penstock.lake.arrow_types import Values

# Bytes that a column chunk of a parquet file is read in.
BUFFER = 1 << 20
# Without pre-buffering and with a small buffer, a row group of any size is read page by page.
OPTIONS: dict[str, Any] = {"pre_buffer": False, "buffer_size": BUFFER, "coerce_int96_timestamp_unit": "us"}
NANOSECONDS = 1000


def columns_of(file: pq.ParquetFile) -> set[str]:
    """The columns that are INT96."""
    columns = (file.schema.column(index) for index in range(len(file.schema)))
    return {column.path for column in columns if column.physical_type == "INT96"}


def batches(file: pq.ParquetFile, path: Path, columns: list[str], rows: int, name: str) -> Iterator[pa.RecordBatch]:
    """The rows of a file opened with OPTIONS, in batches.

    Args:
        path: where the file is.
        columns: those to read.
        rows: how many a batch has at most.
        name: the file's, for messages.

    Raises:
        PenstockError: an INT96 time beyond what microseconds hold, or finer than they are; its column and row.
    """
    found = file.iter_batches(rows, columns=columns, use_threads=False)
    old = [column for column in columns if column in columns_of(file)]
    if not old:
        yield from found
        return
    with ExitStack() as stack:
        coarse, fine = (
            stack.enter_context(pq.ParquetFile(path, **{**OPTIONS, "coerce_int96_timestamp_unit": unit}))
            for unit in ("ms", "ns")
        )
        others = (other.iter_batches(rows, columns=old, use_threads=False) for other in (coarse, fine))
        done = 0
        for batch, in_ms, in_ns in zip(found, *others, strict=True):
            for column in old:
                _check(batch.column(column), in_ms.column(column), in_ns.column(column), column, name, done + 1)
            done += batch.num_rows
            yield batch


def _check(times: Values, in_ms: Values, in_ns: Values, column: str, name: str, first_row: int) -> None:
    us, ms, ns = (np.asarray(each.cast(pa.int64()).fill_null(0)) for each in (times, in_ms, in_ns))
    beyond = us // NANOSECONDS != ms
    near = np.abs(us) < np.iinfo(np.int64).max // NANOSECONDS
    finer = near & (ns != us * NANOSECONDS)
    if (wrong := beyond | finer).any():
        at = int(np.argmax(wrong))
        what = "a time beyond the years that 64-bit microseconds hold" if beyond[at] else "a part of a microsecond"
        needed = f"column `{column}` of {name} as times to the microsecond (INT96)"
        raise PenstockError(needed, f"{what} in row {first_row + at:,}", "correct the file")
