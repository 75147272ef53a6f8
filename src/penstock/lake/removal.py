"""Remove months from the lake, with one commit for each month. `penstock clean` deletes the landed folders later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH, format_intervals
from penstock.lake.catalog import Catalog
from penstock.lake.landing_report import ReportLine
from penstock.lake.manifest import Entry, Manifest
from penstock.lake.staging import explain_write_errors, lake_lock
from penstock.storage.locations import Location


def remove_where(lake_dir: Location, wanted: Callable[[Entry], bool]) -> list[ReportLine]:
    """Remove the live months whose entries meet a condition, in order of dataset and month.

    Args:
        lake_dir: location of the lake.
        wanted: returns whether to remove the month of an entry.

    Returns:
        one line of the report for each removed month.

    Raises:
        PenstockError: the manifest is damaged, or can't be written.
    """
    manifest = Manifest(lake_dir)
    lines: list[ReportLine] = []
    with explain_write_errors(lake_dir), lake_lock(lake_dir):
        while True:
            version = manifest.version()
            remaining = [entry for _, entry in sorted(manifest.live(version).items()) if wanted(entry)]
            if not remaining:
                return lines
            # Remove one month at a time. If another writer commits first, read the live months and check them again.
            if removed := manifest.commit_after(version, remaining[0].model_copy(update={"action": "remove"})):
                lines.append(ReportLine(removed.dataset, removed.file_month, "removed", removed))


def remove(catalog: Catalog, lake_dir: Location, dataset: str, months: Sequence[date] | None) -> list[ReportLine]:
    """Remove months of a dataset. If a month isn't live, it is reported as refused, and the other months are removed.

    The dataset may be missing in `lake.yml`, so that the months of a deleted dataset can be removed.

    Args:
        catalog: the datasets in `lake.yml`.
        lake_dir: location of the lake.
        dataset: name of the dataset.
        months: the months to remove, in order; None for all live months.

    Returns:
        one line of the report for each month.

    Raises:
        PenstockError: the dataset has no live months and is not in `lake.yml`, all months are requested but none is
            live, or the manifest is damaged or can't be written.
    """
    live = sorted(month for name, month in Manifest(lake_dir).live() if name == dataset)
    if not live:
        catalog.dataset(dataset)
    if months is None and not live:
        raise PenstockError(f"live months of {dataset}", "none", "`penstock lake` shows what is live")
    wanted = set(live if months is None else months)
    removed = remove_where(lake_dir, lambda entry: entry.dataset == dataset and entry.file_month in wanted)
    found = f"no such month; live: {format_intervals(live, GRAINS[MONTH])}"
    refused = [
        ReportLine(
            dataset, month, "refused", error=PenstockError(f"{dataset} {month:%Y-%m} live", found, "choose one of them")
        )
        for month in sorted(wanted - {line.month for line in removed})
    ]
    return sorted([*removed, *refused], key=lambda line: line.month)
