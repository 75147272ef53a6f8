"""Determine the months that a landing command requests, find their source files, and land them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from penstock.errors import PenstockError
from penstock.lake import source_files
from penstock.lake.catalog import Catalog, Dataset
from penstock.lake.landing import land
from penstock.lake.landing_report import ProgressUpdate, ReportLine
from penstock.lake.month_ranges import parse_month, parse_months
from penstock.lake.source_files import SourceFile
from penstock.lake.staging import downloads_folder, explain_write_errors, make_staging_folder
from penstock.storage.locations import Location


@dataclass(frozen=True)
class LandingRequest:
    """A month to land.

    Attributes:
        month: the month's first day.
        find_source: returns the month's source file. Raises a PenstockError if the file does not exist.
    """

    month: date
    find_source: Callable[[], SourceFile]


def request_file(dataset: Dataset, address: str, month: str | None) -> LandingRequest:
    """Return the request for a single file.

    Args:
        dataset: the dataset.
        address: address of the file.
        month: the month as `YYYY-MM`; by default the month in the file's name.

    Raises:
        PenstockError: `month` is invalid, or it is omitted and the file's name contains no month.
    """
    source = source_files.source_file_at(address)
    named = dataset.month_of(source.name)
    if month:
        return LandingRequest(parse_month(month), lambda: source)
    if named is None:
        raise PenstockError(
            f"the month of {source.name}",
            "a file name without a month",
            "add --month 2021-01",
            entry="the-file-has-no-month",
        )
    return LandingRequest(named[1], lambda: source)


def request_months(dataset: Dataset, months: Sequence[str], source: str | None, root: Path) -> list[LandingRequest]:
    """Return the requests for months of a dataset, in order.

    Args:
        dataset: the dataset.
        months: months, lists and ranges of months, or `all`, as described in `penstock.lake.month_ranges`.
        source: folder or URL to land from; by default the key `published` of the dataset in `lake.yml`.
        root: the project's folder. A relative folder in `published` is relative to this folder.

    Raises:
        PenstockError: the months or the source are invalid, or `all` is requested from a URL that can't be listed.
    """
    requested = parse_months(months)
    address = source or dataset.published
    if address is None:
        do = f"add --from FOLDER, or `published` to {dataset.name} in lake.yml"
        raise PenstockError(f"a source to land {dataset.name} from", "none", do)
    if source is None and "://" not in address:
        address = str(root / address)
    listed = source_files.list_months(dataset, address)
    if requested is None:
        requested = _all_months(dataset, address, listed)
    return [
        LandingRequest(month, partial(source_files.find_month, dataset, month, address, listed)) for month in requested
    ]


def _all_months(dataset: Dataset, address: str, listed: dict[date, SourceFile] | None) -> tuple[date, ...]:
    if listed is None:
        do = "name the months, or give --from a folder"
        raise PenstockError("a folder that can be listed, to land `all`", f"the address {address}", do)
    if not listed:
        do = f"check --from and file_name of {dataset.name} in lake.yml"
        raise PenstockError(f"{dataset.name} files in {address}", "none", do)
    return tuple(sorted(listed))


def land_request(
    catalog: Catalog, dataset: Dataset, request: LandingRequest, lake_dir: Location, progress: ProgressUpdate
) -> ReportLine:
    """Find, download and land a requested month, and return its line in the report.

    This function does not raise a PenstockError. It returns a line with the outcome `refused` and the error instead.

    Args:
        catalog: the catalog, to recognize a file of another dataset.
        dataset: the dataset.
        request: the month to land.
        lake_dir: location of the lake.
        progress: called with (step, unit, done so far, total or None if it is unknown) during download and landing.
    """
    try:
        return _land(catalog, dataset, request.month, request.find_source(), lake_dir, progress)
    except PenstockError as error:
        return ReportLine(dataset.name, request.month, "refused", error=error)


def _land(
    catalog: Catalog, dataset: Dataset, month: date, source: SourceFile, lake_dir: Location, progress: ProgressUpdate
) -> ReportLine:
    step = f"{dataset.name} {month:%Y-%m}"
    with explain_write_errors(lake_dir):
        make_staging_folder(lake_dir)
    download_progress = partial(progress, f"download {step}", "bytes")
    with (
        explain_write_errors(lake_dir),
        source_files.fetch(source, downloads_folder(lake_dir), download_progress) as file,
    ):
        result = land(catalog, dataset, month, file, lake_dir, partial(progress, step, "rows"))
    return ReportLine(dataset.name, month, result.outcome, result.entry, result.extra)
