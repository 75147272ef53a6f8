"""The command `penstock init`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penstock.config import dbt_credentials
from penstock.errors import PenstockError
from penstock.lake.landing_report import ProgressBar
from penstock.scaffold import dbt_spark_differences, existing_project, new_project, template_files

DEFAULT_TEMPLATE = "minimal"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(init)


def init(
    name: Annotated[str | None, typer.Argument(help="Name of the new project and of its folder.")] = None,
    template: Annotated[
        str | None,
        typer.Option(
            help=f"Contents of the project ({' or '.join(template_files.TEMPLATES)}). The default is minimal."
        ),
    ] = None,
    here: Annotated[bool, typer.Option("--here", help="Add a target to the dbt project in this folder.")] = False,
) -> None:
    """Write a new dbt project that runs, or add penstock to an existing one (--here)."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if here:
        if name or template:
            raise PenstockError("--here alone", "a name or a template too", "leave out one of them")
        _add_here(console)
        return
    if name is None:
        do = "type `penstock init shop`, or `penstock init --here` in an existing dbt project"
        raise PenstockError("a name for the new project", "none", do)
    chosen = template_files.named(template or DEFAULT_TEMPLATE)
    with ProgressBar(console) as bar:
        made = new_project.create(Path.cwd(), name, chosen, bar.update)
    console.print(f"created {name}: {made.files} files; landed {made.rows:,} rows of its raw data")
    if folder := os.environ.get("DBT_PROFILES_DIR"):
        console.print(f"DBT_PROFILES_DIR is set: dbt reads {folder}, not the profiles.yml of the project; unset it")
    console.print(f"next:\n  cd {name}\n  dbt build")


def _add_here(console: Console) -> None:
    """Add a target to the project in the working folder, and print what else changes."""
    project = existing_project.find(Path.cwd())
    target, written = existing_project.add(project)
    if project.file not in written:
        console.print(
            f"profile {project.profile} has a target of type penstock, `{target}`; {project.file} is unchanged"
        )
    for path in written:
        console.print(
            f"wrote {path}" + (f": target `{target}` of profile {project.profile}" if path == project.file else "")
        )
    if project.read_now and project.read_now != project.file and project.outputs:
        console.print(
            f"dbt now reads {project.file}. The other targets of this profile are in {project.read_now}: use them with "
            f"`--profiles-dir {project.read_now.parent}`"
        )
    failure: PenstockError | None = None
    target_type = "penstock"
    try:
        with console.status("reading the profile with dbt"):
            target_type = str(dbt_credentials.load_profile(project.root, target).to_target_dict()["type"])
    except PenstockError as error:
        failure = error
    console.print("what else changes from dbt-spark:")
    for note in dbt_spark_differences.notes(project.root, project.content, project.previous, target_type):
        console.print(f"- {note}")
    if failure:
        raise failure
    console.print(f"next:\n  dbt build --target {target}")
