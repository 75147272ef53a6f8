"""`penstock up | down | status | doctor`."""

from __future__ import annotations

import shlex
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from penstock.config import addresses, profiles
from penstock.config.profiles import typed_command
from penstock.config.settings import FILE_NAME, Settings, load
from penstock.errors import help_command
from penstock.spark import doctor, iceberg_catalogs
from penstock.spark.access import authentication, exposure, secret
from penstock.spark.ports import LOOPBACK
from penstock.spark.server import control
from penstock.spark.server.record import Record

console = Console(highlight=False)
MARKS = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "bad": "[red]bad [/red]"}


def _show(settings: Settings, running: Record) -> None:
    """Print the server's addresses and state, and what its settings expose to other users or machines."""
    table = Table.grid(padding=(0, 2))
    ports = running.ports
    if len(profiles.read(settings.root).targets) > 1:
        table.add_row("target", _target(settings))
    table.add_row("SQL (Thrift)", f"127.0.0.1:{ports.thrift}")
    table.add_row("Python (Connect)", f"sc://localhost:{ports.connect}")
    table.add_row("Hive metastore", _metastore(settings, running))
    for name, catalog in settings.server.catalogs.items():
        table.add_row(f"catalog {name}", iceberg_catalogs.describe(catalog))
    table.add_row("master", _master(settings, running))
    table.add_row("Spark UI", running.ui or "off")
    if running.java:
        table.add_row("Java", running.java)
    table.add_row("processes", " ".join(str(process.pid) for process in running.processes))
    idle = settings.server.idle_minutes
    stops = f"after {idle:g} minutes without a client" if idle else f"with `{typed_command('down')}` only"
    table.add_row("stops", stops)
    console.print(table)
    for text in exposure.list_exposures(settings):
        console.print(f"[yellow]open:[/yellow] {text}", soft_wrap=True)
    if control.settings_changed(settings, running):
        console.print(
            f"[yellow]settings changed since it started:[/yellow] type `{typed_command('down')}`; "
            "the next start applies them"
        )


def _show_secret(settings: Settings, running: Record) -> None:
    """Print the addresses and logins for a client, a notebook and a browser."""
    jdbc = f"jdbc:hive2://{LOOPBACK}:{running.ports.thrift}"
    file = settings.state_dir / secret.FILE
    shown = {
        "JDBC URL": f"{jdbc}/default"
        if authentication.has_custom_login(settings)
        else f"{jdbc}/default;user={secret.USER};password={running.token}",
        "user": secret.USER,
        "password": running.token,
        "beeline": f"beeline -u {jdbc} -n {secret.USER} -w {shlex.quote(str(file))}",
        "Spark Connect": f"sc://localhost:{running.ports.connect}/;token={running.token}",
        "Spark UI": running.ui_link or "off",
    }
    console.print()
    for name, text in shown.items():
        # Print plain lines and no table, because a narrow terminal wraps the lines of a table.
        console.print(f"{name:<16}  {text}", soft_wrap=True, markup=False)


def _target(settings: Settings) -> str:
    """Return the name of the target and, if the target shares its server with other targets, the reason."""
    if settings.state_dir != settings.shared_dir:
        return settings.target
    return f"{settings.target} ({FILE_NAME} has no section `targets.{settings.target}`: the server of its top level)"


def _metastore(settings: Settings, running: Record) -> str:
    """Return the address of the metastore, with its database if penstock manages the metastore."""
    if running.shared:
        return f"{settings.metastore} (not managed by penstock)"
    database = settings.metastore if settings.metastore != addresses.DERBY else f"Derby, {settings.state}/metastore_db"
    return f"thrift://{LOOPBACK}:{running.ports.metastore} ({database})"


def _master(settings: Settings, running: Record) -> str:
    """Return the master's address and, on a cluster, the number of executors and their Python version."""
    if addresses.is_local(settings.server.master):
        return f"{settings.server.master} (no executors)"
    requested = settings.server.executors.count
    executors = f"{running.executors} of {requested} executors answered, with the same Python {running.python} as here"
    return f"{settings.server.master} ({executors})"


def _who_starts_it(settings: Settings) -> str:
    """Return which commands start the server, or why no dbt command starts the server."""
    if not (settings.root / "dbt_project.yml").exists():
        return f"there is no dbt project in {settings.root}; `{typed_command('up')}` starts a server here"
    kind = profiles.target_type(settings.root, settings.target)
    if kind not in ("", "penstock"):
        return f"no dbt command starts it, because target {settings.target} in profiles.yml has type {kind}"
    return f"any dbt command that runs SQL starts it, or `{typed_command('up')}`"


def register(app: typer.Typer) -> None:
    """Add the server's commands to the program."""

    @app.command()
    def up() -> None:
        """Start the Spark server with its metastore, or show the addresses of the running one."""
        settings = load()
        was_up = control.current(settings) is not None
        with console.status("starting") as status:
            running = control.up(settings, lambda text: status.update(text))
        state = "already up" if was_up else f"up after {running.ready_seconds:g} s"
        console.print(f"[green]{state}[/green]")
        _show(settings, running)

    @app.command()
    def down() -> None:
        """Stop the server and all its processes."""
        with console.status("stopping"):
            stopped = control.down(load())
        console.print("down" if stopped else "nothing was up")

    @app.command()
    def status(
        show_secret: Annotated[
            bool, typer.Option("--show-secret", help="Print what other clients need to connect, including the secret.")
        ] = False,
    ) -> None:
        """Show whether the server is up, and its addresses. The exit code is 1 if the server is down."""
        settings = load()
        control.refuse_remote(settings)
        running = control.current(settings)
        if running is None:
            console.print(f"down ({_who_starts_it(settings)})")
            raise typer.Exit(1)
        minutes = (time.time() - running.started_at) / 60
        console.print(f"[green]up[/green] for {minutes:.0f} minutes")
        _show(settings, running)
        if show_secret:
            _show_secret(settings, running)
        else:
            console.print(f"connection details for other programs: `{typed_command('status --show-secret')}`")

    @app.command(name="doctor")
    def doctor_command() -> None:
        """Check Java, packages, memory, disk and ports, and explain each problem."""
        findings = doctor.examine(load())
        for finding in findings:
            console.print(f"{MARKS[finding.level]} {finding.subject}: {finding.found}", soft_wrap=True)
            if finding.do:
                console.print(f"       do: {finding.do}", soft_wrap=True, markup=False)
            if finding.entry:
                console.print(f"       more: {help_command(finding.entry)}", soft_wrap=True, markup=False)
        if any(finding.level == "bad" for finding in findings):
            raise typer.Exit(1)
