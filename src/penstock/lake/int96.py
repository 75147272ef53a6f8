"""Read parquet's INT96 timestamps in microseconds, and refuse timestamps that don't fit.

By default, pyarrow reads INT96 as 64-bit nanoseconds, whose range is from 1677 to 2262. A later year overflows
silently: 3019 becomes 1849. The range of 64-bit microseconds includes every year that Spark writes. This module
therefore reads the column in microseconds. To detect an overflow, it also reads the column in milliseconds and compares
the values. To detect fractions of a microsecond, it also reads the column in nanoseconds and compares the values.
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

# Number of bytes that pyarrow reads at once from a column chunk of a parquet file.
BUFFER = 1 << 20
# Disable pre-buffering and use a small buffer, so that pyarrow reads a row group page by page, whatever its size.
OPTIONS: dict[str, Any] = {"pre_buffer": False, "buffer_size": BUFFER, "coerce_int96_timestamp_unit": "us"}


def int96_columns(file: pq.ParquetFile) -> set[str]:
    """Return the names of the columns with the physical type INT96."""
    columns = (file.schema.column(index) for index in range(len(file.schema)))
    return {column.path for column in columns if column.physical_type == "INT96"}


def read_batches(
    file: pq.ParquetFile, path: Path, columns: list[str], rows: int, name: str
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in batches.

    Args:
        file: the file, opened with OPTIONS.
        path: path of the file.
        columns: names of the columns to read.
        rows: maximum number of rows in a batch.
        name: the file's name in error messages.

    Raises:
        PenstockError: an INT96 timestamp is out of the range of 64-bit microseconds, or has a fraction of a
            microsecond. The message names the column and the row.
    """
    batches = file.iter_batches(rows, columns=columns, use_threads=False)
    checked = [column for column in columns if column in int96_columns(file)]
    if not checked:
        yield from batches
        return
    with ExitStack() as stack:
        in_milliseconds, in_nanoseconds = (
            stack.enter_context(pq.ParquetFile(path, **{**OPTIONS, "coerce_int96_timestamp_unit": unit}))
            for unit in ("ms", "ns")
        )
        others = (
            other.iter_batches(rows, columns=checked, use_threads=False) for other in (in_milliseconds, in_nanoseconds)
        )
        done = 0
        for batch, in_ms, in_ns in zip(batches, *others, strict=True):
            for column in checked:
                _check(batch.column(column), in_ms.column(column), in_ns.column(column), column, name, done + 1)
            done += batch.num_rows
            yield batch


def _check(times: Values, in_ms: Values, in_ns: Values, column: str, name: str, first_row: int) -> None:
    us, ms, ns = (np.asarray(each.cast(pa.int64()).fill_null(0)) for each in (times, in_ms, in_ns))
    overflows = us // 1000 != ms
    fits_nanoseconds = np.abs(us) < np.iinfo(np.int64).max // 1000
    has_fraction = fits_nanoseconds & (ns != us * 1000)
    if (wrong := overflows | has_fraction).any():
        at = int(np.argmax(wrong))
        what = (
            "a time beyond the years that 64-bit microseconds hold" if overflows[at] else "a fraction of a microsecond"
        )
        needed = f"column `{column}` of {name} as times to the microsecond (INT96)"
        raise PenstockError(needed, f"{what} in row {first_row + at:,}", "correct the file")
