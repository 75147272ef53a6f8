"""Errors of the lower layers reach dbt as dbt's own errors, so that it prints no stack trace."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.exceptions import CompilationError, DbtRuntimeError

from dbt.adapters.penstock import sessions
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.errors import AdapterCompilationError, AdapterError, StatementError, as_dbt_errors, with_help
from dbt.adapters.penstock.interval_models.runner import IntervalRunner
from dbt.adapters.penstock.python_submissions import jobs
from dbt.adapters.penstock.python_submissions.spark_submit import SparkSubmitPythonJobHelper
from dbt.adapters.penstock.reused_tests import ReusedTests
from penstock.errors import PenstockError, render
from tests.unit.adapter.profiles import credentials

DAMAGED = PenstockError("intact files of green", "green/2024-01 is missing", "penstock land green 2024-01", entry="e")


class DamagedSource:
    """An interval source that refuses every request."""

    registers = True

    def has_intervals(self, table: str) -> bool:
        return True

    def _refuse(self, *arguments: Any) -> Any:
        raise DAMAGED

    register = versions = _refuse


@pytest.fixture
def invalid_settings(tmp_path: Path) -> PenstockCredentials:
    """The credentials of a project whose penstock.yml has an unknown key."""
    (tmp_path / "penstock.yml").write_text("nonsense: 1\n")
    profile = credentials()
    object.__setattr__(profile, "project_root", str(tmp_path))
    return profile


def test_all_parts_are_kept() -> None:
    with pytest.raises(AdapterError) as caught, as_dbt_errors():
        raise DAMAGED
    error = caught.value
    assert isinstance(error, DbtRuntimeError)
    assert (error.needed, error.found, error.do) == (DAMAGED.needed, DAMAGED.found, DAMAGED.do)
    assert error.entry == DAMAGED.entry
    assert error.msg == str(DAMAGED)
    assert error.msg.endswith("do: penstock land green 2024-01. more: penstock help e")


def test_an_error_without_an_entry_has_three_parts() -> None:
    assert str(PenstockError("a", "b", "c")) == "needed: a. found: b. do: c"


def test_dbt_shows_how_to_print_the_entry_of_sparks_error() -> None:
    message = "[DELTA_CONCURRENT_APPEND] Files were added"
    error = StatementError(message)
    assert str(error).splitlines()[-2:] == [f"  {message}", "  more: penstock help DELTA_CONCURRENT_APPEND"]
    assert error.msg == message
    assert "more:" not in str(StatementError("[USER_RAISED] no"))


def test_a_message_with_an_entry_of_its_own_gets_no_second_one() -> None:
    message = render("a", "[DIVIDE_BY_ZERO] b", "c", entry="no-free-port")
    assert with_help(message, message) == message


def test_an_error_of_dbt_keeps_its_type() -> None:
    with pytest.raises(CompilationError), as_dbt_errors():
        raise AdapterCompilationError("a", "b", "c")


def test_an_invalid_settings_file_stops_a_connection(invalid_settings: PenstockCredentials) -> None:
    with pytest.raises(AdapterError, match="unknown key `nonsense`"):
        sessions.running_server(invalid_settings)


def test_an_invalid_settings_file_stops_a_spark_submit_model(invalid_settings: PenstockCredentials) -> None:
    node = {
        "name": "m",
        "alias": "m",
        "unique_id": "model.p.m",
        "original_file_path": "python_models/m.py",
        "config": {},
        "columns": {},
    }
    data = {"write": {"mode": "replace", "target": "w.m"}, "inputs": {}}
    code = f"x = 1\n{jobs.DATA_PREFIX}{json.dumps(json.dumps(data))}\n"
    with pytest.raises(AdapterError, match="unknown key `nonsense`"):
        SparkSubmitPythonJobHelper(node, invalid_settings).submit(code)


def test_a_damaged_source_stops_its_registration() -> None:
    runner: Any = IntervalRunner.__new__(IntervalRunner)
    runner.sources = SimpleNamespace(configured=lambda: [DamagedSource()])
    with pytest.raises(AdapterError, match=r"found: green/2024-01 is missing"):
        runner.register_sources()


def test_a_damaged_source_stops_the_record_of_a_commit() -> None:
    """The ledger counts the rows of a commit's inputs."""

    def refuse(*arguments: Any) -> Any:
        raise DAMAGED

    runner: Any = IntervalRunner.__new__(IntervalRunner)
    runner._adapter, runner._ledger = SimpleNamespace(), SimpleNamespace(record_written=refuse)
    planned: Any = SimpleNamespace(began=0.0, model=None, commit=None, reasons={}, full_refresh=False)
    with pytest.raises(AdapterError, match=r"found: green/2024-01 is missing"):
        runner.done({"unique_id": "model.p.m"}, planned)


def test_a_damaged_source_stops_a_test_that_may_be_reused(tmp_path: Path) -> None:
    manifest = SimpleNamespace(
        nodes={"test.p.t": SimpleNamespace(depends_on=SimpleNamespace(nodes=["source.p.lake.green"]))},
        sources={"source.p.lake.green": SimpleNamespace(schema="lake", identifier="green")},
    )
    adapter: Any = SimpleNamespace(
        config=SimpleNamespace(project_root=str(tmp_path), target_path="target", args=SimpleNamespace()),
        get_macro_resolver=lambda: manifest,
    )
    intervals: Any = SimpleNamespace(sources={"lake": DamagedSource()}, rows=lambda sql: [])
    relations: Any = SimpleNamespace()
    reused = ReusedTests(adapter, relations, intervals)
    with pytest.raises(AdapterError, match=r"do: penstock land green 2024-01"):
        reused.key({"resource_type": "test", "unique_id": "test.p.t", "name": "t"}, "select 1")
