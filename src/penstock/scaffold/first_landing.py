"""Land the first months of a new project, so that its first `dbt build` has rows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from penstock.config import settings
from penstock.errors import PenstockError
from penstock.lake import catalog as catalogs
from penstock.lake import sample
from penstock.lake.landing import land
from penstock.lake.landing_report import ProgressUpdate
from penstock.lake.source_files import local_file

# Folder of the raw files in a project.
RAW = "raw"
# The target of a new project.
TARGET = "dev"
SAMPLE_ROWS = 20_000
SAMPLE_SEED = 1


def land_raw_files(folder: Path, final_folder: Path, progress: ProgressUpdate) -> int:
    """Land the files in the project's folder `raw`, and return the number of rows.

    Args:
        folder: the temporary folder in which the project is created.
        final_folder: the project's folder when it is complete. The lake's manifest records the raw files' addresses in
            this folder.
        progress: called with (step, unit, done so far, total).

    Raises:
        PenstockError: a file can't land.
    """
    catalog, lake_dir, rows = catalogs.load(folder), settings.load(folder, TARGET).lake_dir, 0
    for path in sorted((folder / RAW).iterdir()):
        for dataset in catalog.datasets.values():
            if match := dataset.month_of(path.name):
                month = match[1]
                file = local_file(path, path.name, str(final_folder / RAW / path.name))
                step = partial(progress, f"{dataset.name} {month:%Y-%m}", "rows")
                rows += land(catalog, dataset, month, file, lake_dir, step).entry.rows
    return rows


def land_sample(folder: Path, final_folder: Path, progress: ProgressUpdate) -> int:
    """Land generated trips, as `penstock sample` does, and return the number of rows.

    Args:
        folder: the temporary folder in which the project is created.
        final_folder: not used, because the address of a sample month is not a path.
        progress: called with (step, unit, done so far, total).

    Raises:
        PenstockError: a month can't land.
    """
    catalog, lake_dir, rows = catalogs.load(folder), settings.load(folder, TARGET).lake_dir, 0
    for month in sample.plan_sample(catalog, SAMPLE_ROWS, SAMPLE_SEED, None, []):
        entry = sample.land_sample_month(catalog, month, lake_dir, progress).entry
        if entry is None:
            raise PenstockError(f"a landed month of {month.dataset}", "none", "report this as a bug of penstock")
        rows += entry.rows
    return rows
