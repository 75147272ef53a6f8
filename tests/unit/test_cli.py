"""The command line finds a command's module without importing the others."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from penstock import cli


def _commands(app: typer.Typer) -> set[str]:
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A program without commands."""
    app = typer.Typer()
    app.callback()(cli.choose)
    monkeypatch.setattr(cli, "app", app)
    return app


@pytest.mark.parametrize("module", cli.GROUPS)
def test_each_group_registers_the_commands_that_the_list_has(program: typer.Typer, module: str) -> None:
    cli.register([cli.GROUPS[module][0]])
    assert _commands(program) == set(cli.GROUPS[module])


@pytest.mark.parametrize("words", [[], ["--help"], ["lanf"], ["--target", "cluster"], ["--target=cluster"]])
def test_a_command_line_without_a_known_command_gets_all(program: typer.Typer, words: list[str]) -> None:
    cli.register(words)
    assert _commands(program) == {name for names in cli.GROUPS.values() for name in names}


@pytest.mark.parametrize("front", [["--target", "cluster"], ["-t", "cluster"], ["--target=cluster"]])
def test_a_target_in_front_hides_no_command(program: typer.Typer, front: list[str]) -> None:
    cli.register([*front, "status"])
    assert _commands(program) == set(cli.GROUPS["penstock.server.commands"])


def test_quickstart_and_the_server_import_nothing_that_takes_seconds() -> None:
    code = (
        "import sys; from penstock import cli; cli.register(['quickstart']); import penstock.server.supervisor; "
        "print({'pyspark', 'dbt', 'sqlglot', 'pandas', 'numpy', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
