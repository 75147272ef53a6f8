"""A sample lake without any download: made months that land through the same code as real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penstock.errors import PenstockError
from penstock.lake.catalog import Catalog
from penstock.lake.landing import is_whole, land
from penstock.lake.landing_report import Line
from penstock.lake.manifest import SAMPLE, Manifest
from penstock.lake.removal import remove_where
from penstock.lake.sample_files import DATASETS, chunk
from penstock.lake.source_files import local_file
from penstock.lake.staging import workplace
from penstock.storage.locations import Folder

ROWS = 200_000
# Raise it when the same seed makes other trips.
GENERATOR = 1
CHUNK_ROWS = 50_000
ROW_GROUP_ROWS = 300_000
# Both sides of the change of types between 2023-01 and 2023-02.
_LONG = tuple(date(y, m, 1) for y, m in ((2022, 11), (2022, 12), (2023, 1), (2023, 2), (2023, 3), (2023, 4)))
MONTHS = {"green": _LONG, "yellow": _LONG, "fhvhv": _LONG[2:4]}
SHARES = {"green": 0.2, "yellow": 0.6, "fhvhv": 0.2}

Update = Callable[[str, str, int, int | None], None]


@dataclass(frozen=True)
class Piece:
    """One made month."""

    dataset: str
    month: date
    rows: int
    seed: int

    @property
    def source(self) -> str:
        """What the manifest calls it; equal for equal content."""
        name = f"{self.dataset}/{self.month:%Y-%m}"
        return f"{SAMPLE}{name}?rows={self.rows}&seed={self.seed}&generator={GENERATOR}"


def plan(catalog: Catalog, rows: int, seed: int, months: Sequence[date] | None, datasets: Sequence[str]) -> list[Piece]:
    """Share the rows out over datasets and months; the sum is exact, a month gets at least one row.

    Raises:
        PenstockError: a dataset that no trips can be made for, or fewer rows than months.
    """
    for name in datasets:
        catalog.dataset(name)
        if name not in DATASETS:
            do = f"choose among them, or land files of {name}"
            raise PenstockError(f"a dataset with a sample: {', '.join(DATASETS)}", f"`{name}`", do)
    chosen = [name for name in DATASETS if name in catalog.datasets and (not datasets or name in datasets)]
    slots = [(name, month) for name in chosen for month in (months or MONTHS[name])]
    if rows < len(slots):
        raise PenstockError("at least a row for each month", f"{rows} rows, {len(slots)} months", "raise --rows")
    weights = [SHARES[name] / len(months or MONTHS[name]) for name, _ in slots]
    free = rows - len(slots)
    ends = [0] + [round(free * part) for part in np.cumsum(weights) / sum(weights)]
    return [Piece(name, month, 1 + ends[i + 1] - ends[i], seed) for i, (name, month) in enumerate(slots)]


def _chunks(piece: Piece) -> Iterator[pa.Table]:
    for number, start in enumerate(range(0, piece.rows, CHUNK_ROWS)):
        month = piece.month.year * 12 + piece.month.month
        rng = np.random.default_rng([piece.seed, DATASETS.index(piece.dataset), month, number])
        yield chunk(piece.dataset, piece.month, min(CHUNK_ROWS, piece.rows - start), rng)


def write_raw(piece: Piece, path: Path, rows: Callable[[int], None] = lambda done: None) -> None:
    """Write the month's raw parquet file in its era's schema, chunk by chunk.

    Args:
        rows: called with the rows written so far.
    """
    writer: pq.ParquetWriter | None = None
    pending: list[pa.Table] = []
    done = 0
    try:
        for table in _chunks(piece):
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=1)
            pending.append(table)
            done += len(table)
            if len(pending) * CHUNK_ROWS >= ROW_GROUP_ROWS or done == piece.rows:
                group = pa.concat_tables(pending)
                writer.write_table(group, row_group_size=len(group))
                pending.clear()
            rows(done)
    finally:
        if writer:
            writer.close()


def land_sample(catalog: Catalog, piece: Piece, lake_dir: Folder, update: Update) -> Line:
    """Make and land one month, unless it is live and whole, or a real file is live in its place.

    Args:
        update: called with (step, unit, done, total) as the work goes on.
    """
    dataset = catalog.dataset(piece.dataset)
    live = Manifest(lake_dir).live().get((piece.dataset, piece.month))
    if live and not live.source.startswith(SAMPLE):
        return Line(piece.dataset, piece.month, "kept", live)
    if live and live.source == piece.source and is_whole(lake_dir, live, dataset):
        return Line(piece.dataset, piece.month, "unchanged", live)
    step = f"{piece.dataset} {piece.month:%Y-%m}"
    name = dataset.official_name(piece.month)
    with workplace(lake_dir, "sample-") as folder:
        path = folder / name
        write_raw(piece, path, lambda done: update(f"make {step}", "rows", done, piece.rows))
        # What making the file took is given back before landing takes its own.
        pa.default_memory_pool().release_unused()
        file = local_file(path, name, piece.source)
        result = land(
            catalog, dataset, piece.month, file, lake_dir, lambda done, total: update(step, "rows", done, total)
        )
    return Line(piece.dataset, piece.month, result.outcome, result.entry)


def remove(lake_dir: Folder) -> list[Line]:
    """Take every sample month out of the live ones; its folder stays until `clean`."""
    return remove_where(lake_dir, lambda entry: entry.source.startswith(SAMPLE))
