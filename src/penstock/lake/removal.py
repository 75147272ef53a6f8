"""Taking months out of the lake: a commit each; the landed folder stays until `clean`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from penstock.errors import PenstockError
from penstock.lake.catalog import Catalog
from penstock.lake.landing_report import Line
from penstock.lake.manifest import Entry, Manifest
from penstock.lake.source_files import spans
from penstock.lake.staging import lake_lock, writable
from penstock.storage.locations import Folder


def remove_where(lake_dir: Folder, wanted: Callable[[Entry], bool]) -> list[Line]:
    """Take out every live month whose entry is wanted, in order.

    Raises:
        PenstockError: the manifest is damaged, or can't be written.
    """
    manifest = Manifest(lake_dir)
    lines: list[Line] = []
    with writable(lake_dir), lake_lock(lake_dir):
        while True:
            version = manifest.version()
            todo = [entry for _, entry in sorted(manifest.live(version).items()) if wanted(entry)]
            if not todo:
                return lines
            # One at a time: a month that another writer replaced meanwhile is looked at again.
            if gone := manifest.commit_after(version, todo[0].model_copy(update={"action": "remove"})):
                lines.append(Line(gone.dataset, gone.file_month, "removed", gone))


def remove(catalog: Catalog, lake_dir: Folder, dataset: str, months: Sequence[date] | None) -> list[Line]:
    """Take months of a dataset out; a month that isn't live is refused, the others go.

    A dataset that `lake.yml` no longer names may still have live months, and they may go.

    Args:
        months: in order; None for all that are live.

    Raises:
        PenstockError: there is no such dataset; the manifest is damaged, or can't be written.
    """
    live = sorted(month for name, month in Manifest(lake_dir).live() if name == dataset)
    if not live:
        catalog.dataset(dataset)
    if months is None and not live:
        raise PenstockError(f"live months of {dataset}", "none", "`penstock lake` shows what is live")
    wanted = set(live if months is None else months)
    gone = remove_where(lake_dir, lambda entry: entry.dataset == dataset and entry.file_month in wanted)
    found = f"no such month; live: {spans(live) or 'none'}"
    missing = [
        Line(
            dataset, month, "refused", error=PenstockError(f"{dataset} {month:%Y-%m} live", found, "choose among them")
        )
        for month in sorted(wanted - {line.month for line in gone})
    ]
    return sorted([*gone, *missing], key=lambda line: line.month)
