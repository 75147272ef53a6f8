"""The command line imports the module of a command without importing the others."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from penstock import __version__
from penstock.cli import main


def _commands(app: typer.Typer) -> set[str]:
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A program without commands."""
    app = typer.Typer()
    app.callback()(main.set_target)
    monkeypatch.setattr(main, "app", app)
    return app


@pytest.mark.parametrize("module", main.GROUPS)
def test_each_group_registers_its_commands(program: typer.Typer, module: str) -> None:
    main.register([main.GROUPS[module][0]])
    assert _commands(program) == set(main.GROUPS[module])


@pytest.mark.parametrize("arguments", [[], ["--help"], ["lanf"], ["--target", "cluster"], ["--target=cluster"]])
def test_arguments_without_a_known_command_register_all_commands(program: typer.Typer, arguments: list[str]) -> None:
    main.register(arguments)
    assert _commands(program) == {name for names in main.GROUPS.values() for name in names}


@pytest.mark.parametrize("target", [["--target", "cluster"], ["-t", "cluster"], ["--target=cluster"]])
def test_a_command_is_found_behind_a_target_option(program: typer.Typer, target: list[str]) -> None:
    main.register([*target, "status"])
    assert _commands(program) == set(main.GROUPS["penstock.cli.server"])


def test_quickstart_and_the_server_import_no_slow_library() -> None:
    code = (
        "import sys; from penstock.cli.main import register; register(['quickstart']); "
        "import penstock.spark.server.supervisor; "
        "print({'pyspark', 'dbt', 'sqlglot', 'pandas', 'numpy', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_the_version_is_printed_without_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "penstock.cli.main", "--version"], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"penstock {__version__}\n", "")
