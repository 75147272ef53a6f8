"""`penstock cluster up | status | down`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from penstock.config import addresses
from penstock.config.settings import Settings, load
from penstock.spark.access import secret
from penstock.spark.cluster import control
from penstock.spark.cluster.record import Cluster, folder
from penstock.spark.server import control as server

console = Console(highlight=False)


def _show(settings: Settings, cluster: Cluster, key: str = "") -> None:
    """Print the cluster's nodes, with their addresses and sizes.

    Args:
        settings: the project's settings.
        cluster: the cluster.
        key: the cluster's secret. If it is given, print links that open the nodes' web pages.
    """
    table = Table.grid(padding=(0, 2))
    if cluster.master:
        state = "" if cluster.master.alive else "[red]dead[/red]"
        table.add_row("master", cluster.address, cluster.master.ui, f"process {cluster.master.process.pid}", state)
    for number in range(cluster.wanted):
        node = cluster.workers.get(number)
        offer = f"{cluster.cores} cores, {cluster.memory}"
        if node is None or not node.alive:
            table.add_row(f"worker {number}", offer, "", "", "[red]dead[/red]")
        else:
            table.add_row(f"worker {number}", offer, node.ui, f"process {node.process.pid}")
    is_used = cluster.address in settings.server.master
    if is_used and (running := server.current(settings)) and running.ui:
        table.add_row("driver", f"the server of target {settings.target}", running.ui)
    console.print(table)
    for node in cluster.nodes if key else []:
        # Print the links below the table, because a narrow terminal wraps or truncates the lines of a table.
        console.print(f"link      {secret.ui_link(node.ui, key)}", soft_wrap=True)
    console.print(f"logs      {folder(settings) / 'logs'}", soft_wrap=True)
    if not is_used and addresses.standalone_masters(settings.server.master):
        console.print(
            f"[yellow]target {settings.target} has the master {settings.server.master}:[/yellow] "
            f"write {cluster.address} there, in penstock.yml",
            soft_wrap=True,
        )


def _settings() -> Settings:
    """Return the settings of the target that the user chose.

    If the user chose no target, use the target `cluster` if the profile has it, and otherwise the default target.
    """
    from penstock.config import profiles

    settings = load()
    profile = profiles.read(settings.root)
    chosen = settings.target != profile.default
    return settings if chosen or "cluster" not in profile.targets else load(settings.root, "cluster")


def register(app: typer.Typer) -> None:
    """Add the cluster's commands to the program."""
    group = typer.Typer(
        help="Run a standalone Spark cluster on this machine, for trials and tests.", no_args_is_help=True
    )
    app.add_typer(group, name="cluster")

    @group.command()
    def up(
        workers: Annotated[int, typer.Option(help="Number of workers.")] = 2,
        cores: Annotated[int, typer.Option(help="Cores of each worker.")] = 2,
        memory: Annotated[str, typer.Option(help="Memory that each worker gives to executors, for example 2g.")] = "2g",
    ) -> None:
        """Start a master and workers. If the cluster is already up, start only missing or dead nodes."""
        settings = _settings()
        was_up = control.current(settings) is not None
        with console.status("starting") as status:
            cluster, started = control.up(settings, workers, cores, memory, lambda text: status.update(text))
        state = f"started {', '.join(started)}" if was_up and started else "already up" if was_up else "up"
        console.print(f"[green]{state}[/green]")
        _show(settings, cluster)

    @group.command()
    def status(
        show_secret: Annotated[
            bool, typer.Option("--show-secret", help="Also print links that open the nodes' web pages.")
        ] = False,
    ) -> None:
        """Show the cluster's nodes and their addresses. The exit code is 1 if any node is down."""
        settings = _settings()
        cluster = control.current(settings)
        if cluster is None:
            console.print("down (`penstock cluster up` starts one)")
            raise typer.Exit(1)
        console.print(
            "[red]incomplete: `penstock cluster up` restarts dead nodes[/red]" if cluster.dead else "[green]up[/green]"
        )
        _show(settings, cluster, secret.read(folder(settings)) if show_secret else "")
        if cluster.dead:
            raise typer.Exit(1)

    @group.command()
    def down() -> None:
        """Stop the cluster's nodes and their executors."""
        settings = _settings()
        cluster = control.current(settings)
        with console.status("stopping"):
            stopped = control.down(settings)
        console.print("down" if stopped else "nothing was up")
        if cluster and cluster.address in settings.server.master and server.current(settings):
            warning = f"the server of target {settings.target} has no executors any more"
            console.print(f"[yellow]{warning}:[/yellow] `penstock down --target {settings.target}`", soft_wrap=True)
