"""`penstock explain MODEL`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.explain import builder, dbt_model, picture, terminal
from penstock.explain.dbt_model import Model
from penstock.explain.explanation import Facts
from penstock.explain.server_facts import Rows, Server
from penstock.plans.parse import NotAPlan, parse
from penstock.plans.plan_store import CapturedPlan
from penstock.spark.server import control

EXPLAIN = "explain formatted\n"
NEW = "its code changed since: `--live` explains it as it is now, `dbt run --select {name}` runs it"


@contextmanager
def _session(model: Model) -> Iterator[Callable[[str], Rows]]:
    """Rows of statements in a session of dbt's adapter that has the model's settings."""
    from dbt_common.exceptions import DbtRuntimeError

    def ask(sql: str) -> Rows:
        try:
            _, cursor = model.adapter.connections.add_query(sql)
            names = [column[0].rsplit(".", 1)[-1] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except DbtRuntimeError as error:
            words = next((line for line in str(error.msg).splitlines() if line.strip()), "an error")
            raise PenstockError(
                "an answer to a statement", words.strip(), f"see `dbt compile -s {model.name}`"
            ) from None

    with model.adapter.connection_named("explain"):
        model.adapter.connections.use_conf(model.conf)
        try:
            yield ask
        finally:
            model.adapter.connections.use_conf({})
    model.adapter.cleanup_connections()


def _is_up(settings: Settings, model: Model) -> bool:
    """Whether a statement can be sent without starting a server; another's server is taken to be up."""
    return not model.adapter.config.credentials.managed or control.current(settings) is not None


def _ran(model: Model, plan: CapturedPlan) -> tuple[str, tuple[str, ...]]:
    """Which plan a kept one is, and what to know of it."""
    notes = (NEW.format(name=model.name),) if model.has_changed(plan) else ()
    executed = plan.executed
    if executed is None:
        return "the plan before its last run: what ran is not known", notes
    at = f" at {executed.started[:19].replace('T', ' ')} UTC" if executed.started else ""
    return f"the plan that ran{at}: execution {executed.execution} in Spark's UI, {executed.seconds:.1f} s", notes


def _planned(model: Model, plan: CapturedPlan, ask: Callable[[str], Rows]) -> CapturedPlan:
    """A compiled query with the plan that Spark would begin with now."""
    text = "\n".join(str(value) for row in ask(EXPLAIN + model.written(plan.sql)) for value in row.values())
    try:
        parse(text)
    except NotAPlan:
        # Spark answers an error in several rows: that it is one, what it is, and the query's tree.
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        raise PenstockError(
            f"a plan of {model.name}",
            " ".join(lines[1:2] or lines) or "none",
            "correct the model, or build what it reads first",
        ) from None
    return CapturedPlan(plan.node, plan.relation, plan.code, plan.sql, plan.views, text)


def _facts(settings: Settings, model: Model, live: bool) -> tuple[Facts, CapturedPlan]:
    """What is said of a model, and the plan it is said of.

    Raises:
        PenstockError: no plan is kept, and none can be had.
    """
    found = None if live else model.kept()
    if found is not None and found.plan is None:
        found = None
    up = _is_up(settings, model)
    if found is None and model.is_python:
        do = f"run it first: `dbt run --select {model.name}`"
        raise PenstockError("the plan of a run: a Python model has none before", f"none of {model.name}", do)
    if found is None and not up:
        raise PenstockError(
            f"a running server, to explain {model.name}", "none is up, and no plan is kept", "type `penstock up`"
        )
    if not up:
        assert found is not None
        heading, notes = _ran(model, found)
        notes = (*notes, "no server is up: what tables hold now is not said (`penstock up`)")
        return builder.facts(found, model.kind, Server(None, {}), heading, notes, False), found
    if found is None:
        compiled = model.compiled(settings)
        with _session(model) as ask:
            plan = _planned(model, compiled, ask)
            reason = (
                "as --live asks" if live else "it has not run" if model.is_stored else "a view runs with its readers"
            )
            heading = f"the plan that Spark would begin with now: {reason}"
            return builder.facts(plan, model.kind, Server(ask, model.conf), heading, (), model.is_stored), plan
    heading, notes = _ran(model, found)
    with _session(model) as ask:
        return builder.facts(found, model.kind, Server(ask, model.conf), heading, notes, model.is_stored), found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise PenstockError(f"a file to write, {path}", str(error.strerror), "name another file") from None


def explain(
    model: str = typer.Argument(help="A model's name."),
    live: bool = typer.Option(False, "--live", help="Explain its code as it is now, whatever ran before."),
    html: Path | None = typer.Option(None, help="Write a page with the picture and the words."),
    svg: Path | None = typer.Option(None, help="Write the picture alone."),
    plan: bool = typer.Option(False, "--plan", help="Print Spark's own text (EXPLAIN FORMATTED) instead."),
    as_json: bool = typer.Option(False, "--json", help="Print the facts for machines instead."),
) -> None:
    """Say how Spark runs a model: joins and why, exchanges, files read, stages, files written.

    It is the plan of its last run, with what that counted; of a view, or a model that has not run,
    the plan that Spark would begin with.
    """
    errors = Console(stderr=True, highlight=False)
    console = Console(highlight=False)
    settings = load()
    with errors.status("reading the project"):
        found = dbt_model.find(settings, model)
    with errors.status("asking Spark"):
        facts, source = _facts(settings, found, live)
    if plan:
        sys.stdout.write((source.executed.plan if source.executed else source.explained).rstrip() + "\n")
    elif as_json:
        sys.stdout.write(json.dumps(_plain(facts), indent=1, default=str) + "\n")
    else:
        terminal.show(console, facts)
    if svg:
        _write(svg, picture.svg(facts))
    if html:
        _write(html, picture.html(facts, terminal.text(facts)))
    for path in filter(None, (svg, html)):
        errors.print(f"wrote {path}", markup=False, soft_wrap=True)


def _plain(facts: Facts) -> dict[str, Any]:
    """The facts without the tree of operators, which `--plan` has."""
    return {name: value for name, value in asdict(facts).items() if name not in ("plan", "counted")}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="explain")(explain)
