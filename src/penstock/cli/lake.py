"""The lake's commands: `penstock land`, `remove`, `sample`, `clean` and `lake`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Console

from penstock.cli.interruption import interruptible
from penstock.config import settings
from penstock.errors import PenstockError
from penstock.lake import catalog as catalogs
from penstock.lake import cleanup, landing_requests, month_ranges, removal
from penstock.lake import sample as samples
from penstock.lake.landing_report import ProgressBar, ReportLine, show_lake, show_lines
from penstock.lake.manifest import Manifest
from penstock.lake.verification import require_intact


def register(app: typer.Typer) -> None:
    """Add the lake's commands to the program."""
    app.command()(land)
    app.command()(remove)
    app.command()(sample)
    app.command()(clean)
    app.command()(lake)


def land(
    dataset: Annotated[str, typer.Argument(help="A dataset of lake.yml, for example green.")],
    months: Annotated[
        list[str] | None, typer.Argument(help="2021-01, a list 2021-01,2021-03, a range 2021-01..2021-06, or all.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Folder or address of the files. Default: the address in lake.yml.")
    ] = None,
    file: Annotated[str | None, typer.Option(help="Land this one file, whatever its name.")] = None,
    month: Annotated[str | None, typer.Option(help="Month of --file. Default: the month in the file's name.")] = None,
) -> None:
    """Land months of a dataset: check their files and add them to the lake. Each month is a separate transaction."""
    project = settings.load()
    catalog = catalogs.load(project.root)
    chosen = catalog.dataset(dataset)
    console = Console()
    if file is not None:
        if months or from_:
            raise PenstockError("--file with --month alone", "months or --from too", "leave them out")
        requests = [landing_requests.request_file(chosen, file, month)]
    else:
        if month is not None:
            raise PenstockError("--month beside --file", "--month alone", "write the months without --month")
        requests = landing_requests.request_months(chosen, months or [], from_, project.root)
    lines: list[ReportLine] = []
    options = _options([("--from", from_), ("--file", file), ("--month", month)])
    arguments = ["land", dataset, *(months or []), *options]
    with interruptible(console, lines, arguments) as interrupt, ProgressBar(console) as bar:
        for request in requests:
            interrupt.check()
            lines.append(landing_requests.land_request(catalog, chosen, request, project.lake_dir, bar.update))
    if not show_lines(console, lines):
        raise typer.Exit(1)


def _options(values: Iterable[tuple[str, str | None]]) -> list[str]:
    """Return the command-line arguments for the options that have a value."""
    return [text for name, value in values if value for text in (name, value)]


def remove(
    dataset: Annotated[str, typer.Argument(help="A dataset with months in the lake, for example green.")],
    months: Annotated[
        list[str] | None, typer.Argument(help="2021-01, a list 2021-01,2021-03, a range 2021-01..2021-06, or all.")
    ] = None,
) -> None:
    """Remove months from the lake. `penstock clean` deletes their files later."""
    project = settings.load()
    chosen = month_ranges.parse_months(months or [])
    if not show_lines(Console(), removal.remove(catalogs.load(project.root), project.lake_dir, dataset, chosen)):
        raise typer.Exit(1)


def sample(
    rows: Annotated[int, typer.Option(min=1, help="Total number of rows of all datasets and months.")] = samples.ROWS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers. Another seed gives other trips.")] = 1,
    months: Annotated[str | None, typer.Option(help="Generate these months, not the default months.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Generate only this dataset. Repeat it for several.")
    ] = None,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing if the lake has a month.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove every sample month from the lake.")] = False,
) -> None:
    """Land generated trips, which have the columns and the data defects of real trips."""
    project = settings.load()
    catalog = catalogs.load(project.root)
    console = Console()
    if remove:
        show_lines(console, samples.remove_samples(project.lake_dir))
        return
    if if_empty and (live := Manifest(project.lake_dir).live()):
        console.print(f"the lake has {len(live)} live months; no sample is needed", highlight=False)
        return
    chosen = month_ranges.parse_months([months]) if months else None
    if months and chosen is None:
        raise PenstockError("months for a sample", "`all`", "name them, as in --months 2022-11..2023-04")
    plan = samples.plan_sample(catalog, rows, seed, chosen, dataset or [])
    lines: list[ReportLine] = []
    options = _options([("--months", months), *(("--dataset", name) for name in dataset or [])])
    arguments = ["sample", "--rows", str(rows), "--seed", str(seed), *options]
    with interruptible(console, lines, arguments), ProgressBar(console) as bar:
        for sample_month in plan:
            lines.append(samples.land_sample_month(catalog, sample_month, project.lake_dir, bar.update))
    show_lines(console, lines)


def clean(
    grace: Annotated[
        str, typer.Option(help="Keep files that came out of use within this time: 7d, 12h, 30m, 0d.")
    ] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what the command would delete.")] = False,
) -> None:
    """Delete the files of replaced and removed months, and the files that interrupted landings left."""
    project = settings.load()
    removed = cleanup.clean(project.lake_dir, cleanup.parse_grace(grace), dry_run=dry_run)
    console = Console()
    for item in removed:
        text = f"{item.path}  {item.reason}  {item.bytes:,} bytes"
        console.print(text, soft_wrap=True, markup=False, highlight=False)
    verb = "would be removed" if dry_run else "removed"
    total = sum(item.bytes for item in removed)
    console.print(f"{len(removed)} {verb}, {total:,} bytes", highlight=False)


def lake(
    verify: Annotated[
        bool, typer.Option("--verify", help="Also check size and hash of all files of these months.")
    ] = False,
) -> None:
    """Show the live months, which are the months that are in the lake now."""
    project = settings.load()
    manifest = Manifest(project.lake_dir)
    version = manifest.version()
    live = manifest.live(version)
    console = Console()
    show_lake(console, live, catalogs.load(project.root), version)
    if verify:
        require_intact(project.lake_dir, [live[key] for key in sorted(live)], read=True)
        console.print("every live file is as it landed", highlight=False)
