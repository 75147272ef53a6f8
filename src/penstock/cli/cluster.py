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
    """A small table of addresses a person can use.

    Args:
        key: the cluster's secret, for links that open its pages.
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
    uses = cluster.address in settings.server.master
    if uses and (running := server.current(settings)) and running.ui:
        table.add_row("driver", f"the server of target {settings.target}", running.ui)
    console.print(table)
    for node in cluster.nodes if key else []:
        # Not in the table: a terminal would break or cut the lines.
        console.print(f"link      {secret.link(node.ui, key)}", soft_wrap=True)
    console.print(f"logs      {folder(settings) / 'logs'}", soft_wrap=True)
    if not uses and addresses.standalone_masters(settings.server.master):
        console.print(
            f"[yellow]target {settings.target} has the master {settings.server.master}:[/yellow] "
            f"write {cluster.address} there, in penstock.yml",
            soft_wrap=True,
        )


def _settings() -> Settings:
    """Of the target that was named; without one, of the target `cluster` when there is one."""
    from penstock.config import profiles

    settings = load()
    known = profiles.read(settings.root).targets
    named = settings.target != profiles.read(settings.root).default
    return settings if named or "cluster" not in known else load(settings.root, "cluster")


def register(app: typer.Typer) -> None:
    """Add the cluster's commands to the program."""
    group = typer.Typer(help="A standalone Spark cluster on this machine, to try and to test.", no_args_is_help=True)
    app.add_typer(group, name="cluster")

    @group.command()
    def up(
        workers: Annotated[int, typer.Option(help="How many workers there shall be.")] = 2,
        cores: Annotated[int, typer.Option(help="Cores that each offers.")] = 2,
        memory: Annotated[str, typer.Option(help="Memory that each offers to executors, as in 2g.")] = "2g",
    ) -> None:
        """Start a master and workers; when some have died, those again: the others go on."""
        settings = _settings()
        before = control.current(settings)
        with console.status("starting") as status:
            cluster, started = control.up(settings, workers, cores, memory, lambda text: status.update(text))
        words = f"started {', '.join(started)}" if before and started else "already up" if before else "up"
        console.print(f"[green]{words}[/green]")
        _show(settings, cluster)

    @group.command()
    def status(
        show_secret: Annotated[bool, typer.Option("--show-secret", help="Print links that open the pages.")] = False,
    ) -> None:
        """Say which of the cluster's processes live, and where. Exit code 1 unless all do."""
        settings = _settings()
        cluster = control.current(settings)
        if cluster is None:
            console.print("down (`penstock cluster up` starts one)")
            raise typer.Exit(1)
        console.print(
            "[red]not whole: `penstock cluster up` starts what died[/red]" if cluster.dead else "[green]up[/green]"
        )
        _show(settings, cluster, secret.read(folder(settings)) if show_secret else "")
        if cluster.dead:
            raise typer.Exit(1)

    @group.command()
    def down() -> None:
        """End the cluster's processes with their executors."""
        settings = _settings()
        cluster = control.current(settings)
        with console.status("stopping"):
            ended = control.down(settings)
        console.print("down" if ended else "nothing was up")
        if cluster and cluster.address in settings.server.master and server.current(settings):
            words = f"the server of target {settings.target} is left without executors"
            console.print(f"[yellow]{words}:[/yellow] `penstock down --target {settings.target}`", soft_wrap=True)
