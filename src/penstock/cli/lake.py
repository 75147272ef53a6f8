"""The lake's commands: `penstock land`, `remove`, `sample`, `clean` and `lake`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penstock.cli.interruption import interruptible
from penstock.config import settings
from penstock.errors import PenstockError
from penstock.lake import catalog as catalogs
from penstock.lake import cleanup as cleaning
from penstock.lake import month_ranges as months_
from penstock.lake import removal as removing
from penstock.lake import sample as samples
from penstock.lake import source_files as sources
from penstock.lake.catalog import Catalog, Dataset
from penstock.lake.landing import land as land_month
from penstock.lake.landing_report import Bar, Line, show_lake, show_lines
from penstock.lake.manifest import Manifest
from penstock.lake.source_files import Located
from penstock.lake.staging import downloads, made, writable
from penstock.lake.verification import require
from penstock.storage.locations import Folder

Find = Callable[[], Located]


def register(app: typer.Typer) -> None:
    """Add the lake's commands to the program."""
    app.command()(land)
    app.command()(remove)
    app.command()(sample)
    app.command()(clean)
    app.command()(lake)


def land(
    dataset: Annotated[str, typer.Argument(help="A dataset of lake.yml, as in green.")],
    months: Annotated[
        list[str] | None, typer.Argument(help="2021-01, a list 2021-01,2021-03, a range 2021-01..2021-06, or all.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Folder or address to land from, instead of the published one.")
    ] = None,
    file: Annotated[str | None, typer.Option(help="One file, whatever its name.")] = None,
    month: Annotated[str | None, typer.Option(help="The month that --file is for.")] = None,
) -> None:
    """Land months of a dataset, each as a transaction of its own."""
    project = settings.load()
    catalog = catalogs.load(project.root)
    chosen = catalog.dataset(dataset)
    console = Console()
    if file is not None:
        if months or from_:
            raise PenstockError("--file with --month alone", "months or --from too", "leave them out")
        wanted = [_single(chosen, file, month)]
    else:
        if month is not None:
            raise PenstockError("--month beside --file", "--month alone", "write the months without --month")
        wanted = several(chosen, months or [], from_, project.root)
    lines: list[Line] = []
    options = [("--from", from_), ("--file", file), ("--month", month)]
    typed = ["land", dataset, *(months or []), *(word for name, value in options if value for word in (name, value))]
    with interruptible(console, lines, typed) as interrupts, Bar(console) as bar:
        for one, find in wanted:
            interrupts.check()
            try:
                lines.append(land_one(catalog, chosen, one, find(), project.lake_dir, bar))
            except PenstockError as error:
                lines.append(Line(chosen.name, one, "refused", error=error))
    if not show_lines(console, lines):
        raise typer.Exit(1)


def _single(dataset: Dataset, file: str, month: str | None) -> tuple[date, Find]:
    """The one month of --file; without --month it is read from the file's name."""
    found = sources.located(file)
    named = dataset.month_of(found.name)
    if month is None and named is None:
        raise PenstockError(f"the month of {found.name}", "a name that does not tell it", "add --month 2021-01")
    return months_.parse_month(month) if month else named[1] if named else date.min, lambda: found


def several(dataset: Dataset, words: list[str], from_: str | None, root: Path) -> list[tuple[date, Find]]:
    """The months that are asked for, each with the way to its file."""
    chosen = months_.parse(words)
    where = from_ or dataset.published
    if where is None:
        do = f"add --from FOLDER, or `published` to {dataset.name} in lake.yml"
        raise PenstockError(f"a place to land {dataset.name} from", "none", do)
    if from_ is None and "://" not in where:
        where = str(root / where)
    listed = sources.listing(dataset, where)
    if chosen is None:
        if listed is None:
            do = "name the months, or give --from a folder"
            raise PenstockError("a folder that can be listed, to land `all`", f"the address {where}", do)
        if not listed:
            do = f"check --from and file_name of {dataset.name} in lake.yml"
            raise PenstockError(f"{dataset.name} files in {where}", "none", do)
        chosen = tuple(sorted(listed))
    return [(month, partial(sources.find, dataset, month, where, listed)) for month in chosen]


def land_one(catalog: Catalog, dataset: Dataset, month: date, source: Located, lake_dir: Folder, bar: Bar) -> Line:
    """Land one month from where it was found; the bar shows download and landing.

    Raises:
        PenstockError: the month is refused, or the lake can't be written.
    """
    step = f"{dataset.name} {month:%Y-%m}"
    place, show = downloads(lake_dir), partial(bar.update, f"download {step}", "bytes")
    with writable(lake_dir):
        made(lake_dir)
    with writable(lake_dir), sources.fetched(source, place, show) as file:
        result = land_month(
            catalog, dataset, month, file, lake_dir, lambda done, total: bar.update(step, "rows", done, total)
        )
    return Line(dataset.name, month, result.outcome, result.entry, result.extra)


def remove(
    dataset: Annotated[str, typer.Argument(help="A dataset with live months, as in green.")],
    months: Annotated[
        list[str] | None, typer.Argument(help="2021-01, a list 2021-01,2021-03, a range 2021-01..2021-06, or all.")
    ] = None,
) -> None:
    """Take months out of the lake; their files stay until `penstock clean`."""
    project = settings.load()
    chosen = months_.parse(months or [])
    if not show_lines(Console(), removing.remove(catalogs.load(project.root), project.lake_dir, dataset, chosen)):
        raise typer.Exit(1)


def sample(
    rows: Annotated[int, typer.Option(min=1, help="Rows in all, over every dataset and month.")] = samples.ROWS,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other trips.")] = 1,
    months: Annotated[str | None, typer.Option(help="Months instead of the usual ones.")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Only this dataset; may be repeated.")] = None,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing when any month is live.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take every sample month out of the lake.")] = False,
) -> None:
    """Land made trips that have the shape and the defects of real ones."""
    project = settings.load()
    catalog = catalogs.load(project.root)
    console = Console()
    if remove:
        show_lines(console, samples.remove(project.lake_dir))
        return
    if if_empty and (live := Manifest(project.lake_dir).live()):
        console.print(f"the lake has {len(live)} live months; no sample is needed", highlight=False)
        return
    chosen = months_.parse([months]) if months else None
    if months and chosen is None:
        raise PenstockError("months for a sample", "`all`", "name them, as in --months 2022-11..2023-04")
    todo = samples.plan(catalog, rows, seed, chosen, dataset or [])
    lines: list[Line] = []
    options = [("--months", months), *(("--dataset", name) for name in dataset or [])]
    typed = ["sample", "--rows", str(rows), "--seed", str(seed)]
    typed += [word for name, value in options if value for word in (name, value)]
    with interruptible(console, lines, typed), Bar(console) as bar:
        for piece in todo:
            lines.append(samples.land_sample(catalog, piece, project.lake_dir, bar.update))
    show_lines(console, lines)


def clean(
    grace: Annotated[str, typer.Option(help="Keep what was superseded more recently: 7d, 12h, 30m, 0d.")] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove superseded folders and what broken-off landings left behind."""
    project = settings.load()
    removed = cleaning.clean(project.lake_dir, cleaning.parse_grace(grace), dry_run=dry_run)
    console = Console()
    for item in removed:
        console.print(f"{item.path}  {item.why}  {item.bytes:,} bytes", soft_wrap=True, markup=False, highlight=False)
    verb = "would be removed" if dry_run else "removed"
    total = sum(item.bytes for item in removed)
    console.print(f"{len(removed)} {verb}, {total:,} bytes", highlight=False)


def lake(
    verify: Annotated[bool, typer.Option("--verify", help="Also check every live file's size and hash.")] = False,
) -> None:
    """Show the live months of the lake."""
    project = settings.load()
    manifest = Manifest(project.lake_dir)
    version = manifest.version()
    live = manifest.live(version)
    console = Console()
    show_lake(console, live, catalogs.load(project.root), version)
    if verify:
        require(project.lake_dir, [live[key] for key in sorted(live)], read=True)
        console.print("every live file is as it landed", highlight=False)
