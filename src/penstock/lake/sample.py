"""Generate sample months. They need no download, and land through the same code as real months."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penstock.errors import PenstockError
from penstock.lake.catalog import Catalog
from penstock.lake.landing import is_up_to_date, land
from penstock.lake.landing_report import ProgressUpdate, ReportLine
from penstock.lake.manifest import SAMPLE_PREFIX, Manifest
from penstock.lake.removal import remove_where
from penstock.lake.sample_files import DATASETS, make_trips
from penstock.lake.source_files import local_file
from penstock.lake.staging import work_folder
from penstock.storage.locations import Location

ROWS = 200_000
# Increase this number in a change that makes the same seed generate different trips.
GENERATOR = 1
# Number of rows that are generated at once.
BATCH_ROWS = 50_000
ROW_GROUP_ROWS = 300_000
# The column types in the files of the TLC (New York's Taxi and Limousine Commission) change in 2023-02, so these months
# include both versions.
_LONG = tuple(date(y, m, 1) for y, m in ((2022, 11), (2022, 12), (2023, 1), (2023, 2), (2023, 3), (2023, 4)))
MONTHS = {"green": _LONG, "yellow": _LONG, "fhvhv": _LONG[2:4]}
SHARES = {"green": 0.2, "yellow": 0.6, "fhvhv": 0.2}


@dataclass(frozen=True)
class SampleMonth:
    """A generated month of a dataset."""

    dataset: str
    month: date
    rows: int
    seed: int

    @property
    def source(self) -> str:
        """Return the address to record in the manifest. Samples with the same content have the same address."""
        name = f"{self.dataset}/{self.month:%Y-%m}"
        return f"{SAMPLE_PREFIX}{name}?rows={self.rows}&seed={self.seed}&generator={GENERATOR}"


def plan_sample(
    catalog: Catalog, rows: int, seed: int, months: Sequence[date] | None, datasets: Sequence[str]
) -> list[SampleMonth]:
    """Distribute exactly `rows` rows over datasets and months, with at least one row per month.

    Args:
        catalog: the datasets in `lake.yml`.
        rows: total number of rows.
        seed: seed of the random numbers.
        months: months to generate; None for the default months of each dataset.
        datasets: datasets to generate; empty for all datasets that have a sample.

    Raises:
        PenstockError: a dataset has no sample, or there are fewer rows than months.
    """
    for name in datasets:
        catalog.dataset(name)
        if name not in DATASETS:
            do = f"choose one of them, or land files of {name}"
            raise PenstockError(f"a dataset with a sample: {', '.join(DATASETS)}", f"`{name}`", do)
    chosen = [name for name in DATASETS if name in catalog.datasets and (not datasets or name in datasets)]
    slots = [(name, month) for name in chosen for month in (months or MONTHS[name])]
    if rows < len(slots):
        raise PenstockError("at least a row for each month", f"{rows} rows, {len(slots)} months", "raise --rows")
    weights = [SHARES[name] / len(months or MONTHS[name]) for name, _ in slots]
    remaining = rows - len(slots)
    ends = [0] + [round(remaining * share) for share in np.cumsum(weights) / sum(weights)]
    return [SampleMonth(name, month, 1 + ends[i + 1] - ends[i], seed) for i, (name, month) in enumerate(slots)]


def _batches(sample: SampleMonth) -> Iterator[pa.Table]:
    for number, start in enumerate(range(0, sample.rows, BATCH_ROWS)):
        month = sample.month.year * 12 + sample.month.month
        rng = np.random.default_rng([sample.seed, DATASETS.index(sample.dataset), month, number])
        yield make_trips(sample.dataset, sample.month, min(BATCH_ROWS, sample.rows - start), rng)


def write_raw(sample: SampleMonth, path: Path, progress: Callable[[int], None] = lambda done: None) -> None:
    """Write the raw parquet file of a sample month, with the schema of the TLC's file for the same month.

    Args:
        sample: the sample month.
        path: path of the file.
        progress: called with the number of rows generated so far.
    """
    writer: pq.ParquetWriter | None = None
    pending: list[pa.Table] = []
    done = 0
    try:
        for table in _batches(sample):
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=1)
            pending.append(table)
            done += len(table)
            if len(pending) * BATCH_ROWS >= ROW_GROUP_ROWS or done == sample.rows:
                group = pa.concat_tables(pending)
                writer.write_table(group, row_group_size=len(group))
                pending.clear()
            progress(done)
    finally:
        if writer:
            writer.close()


def land_sample_month(
    catalog: Catalog, sample: SampleMonth, lake_dir: Location, progress: ProgressUpdate
) -> ReportLine:
    """Generate and land a sample month, and return its line in the report.

    If a real file is live for the month, it is kept. If the same sample is live and undamaged, nothing changes.

    Args:
        catalog: the datasets in `lake.yml`.
        sample: the sample month.
        lake_dir: location of the lake.
        progress: called with (step, unit, done so far, total) while the month is generated and landed.
    """
    dataset = catalog.dataset(sample.dataset)
    live = Manifest(lake_dir).live().get((sample.dataset, sample.month))
    if live and not live.source.startswith(SAMPLE_PREFIX):
        return ReportLine(sample.dataset, sample.month, "kept", live)
    if live and live.source == sample.source and is_up_to_date(lake_dir, live, dataset):
        return ReportLine(sample.dataset, sample.month, "unchanged", live)
    step = f"{sample.dataset} {sample.month:%Y-%m}"
    name = dataset.official_name(sample.month)
    with work_folder(lake_dir, "sample-") as folder:
        path = folder / name
        write_raw(sample, path, lambda done: progress(f"make {step}", "rows", done, sample.rows))
        # Release the memory that generation used, before landing allocates memory.
        pa.default_memory_pool().release_unused()
        file = local_file(path, name, sample.source)
        result = land(catalog, dataset, sample.month, file, lake_dir, partial(progress, step, "rows"))
    return ReportLine(sample.dataset, sample.month, result.outcome, result.entry)


def remove_samples(lake_dir: Location) -> list[ReportLine]:
    """Remove all sample months from the lake. `penstock clean` deletes the landed folders later."""
    return remove_where(lake_dir, lambda entry: entry.source.startswith(SAMPLE_PREFIX))
