"""The command line finds a command's module without importing the others."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from penstock.cli import main


def _commands(app: typer.Typer) -> set[str]:
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A program without commands."""
    app = typer.Typer()
    app.callback()(main.choose)
    monkeypatch.setattr(main, "app", app)
    return app


@pytest.mark.parametrize("module", main.GROUPS)
def test_each_group_registers_the_commands_that_the_list_has(program: typer.Typer, module: str) -> None:
    main.register([main.GROUPS[module][0]])
    assert _commands(program) == set(main.GROUPS[module])


@pytest.mark.parametrize("words", [[], ["--help"], ["lanf"], ["--target", "cluster"], ["--target=cluster"]])
def test_a_command_line_without_a_known_command_gets_all(program: typer.Typer, words: list[str]) -> None:
    main.register(words)
    assert _commands(program) == {name for names in main.GROUPS.values() for name in names}


@pytest.mark.parametrize("front", [["--target", "cluster"], ["-t", "cluster"], ["--target=cluster"]])
def test_a_target_in_front_hides_no_command(program: typer.Typer, front: list[str]) -> None:
    main.register([*front, "status"])
    assert _commands(program) == set(main.GROUPS["penstock.cli.server"])


def test_quickstart_and_the_server_import_nothing_that_takes_seconds() -> None:
    code = (
        "import sys; from penstock.cli.main import register; register(['quickstart']); "
        "import penstock.spark.server.supervisor; "
        "print({'pyspark', 'dbt', 'sqlglot', 'pandas', 'numpy', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
