"""The profile and the Python-model helper, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.connections import changes_session, without_stack
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.python_connect import ConnectPythonJobHelper

NODE: dict[str, Any] = {
    "name": "m",
    "unique_id": "model.p.m",
    "original_file_path": "python_models/m.py",
    "config": {},
}


def credentials(**data: Any) -> PenstockCredentials:
    """A profile's target as dbt reads it."""
    return PenstockCredentials.from_dict(PenstockCredentials.__pre_deserialize__({"schema": "warehouse", **data}))


def test_a_profile_of_two_lines_is_enough() -> None:
    """Without a host the server is this project's own; it never sleeps between polls, nor sends twice."""
    made = credentials()
    assert made.managed
    assert (made.poll_interval, made.query_retries) == (0, 0)
    assert made.type == "penstock"


def test_ansi_is_left_to_the_server_unless_the_profile_says() -> None:
    """dbt-spark switches it off in its own sessions; SQL and Python would disagree."""
    assert "spark.sql.ansi.enabled" not in credentials().server_side_parameters


def test_unknown_keys_are_refused_by_name() -> None:
    """Every one of them."""
    with pytest.raises(DbtRuntimeError, match=r"`hots`, `treads`"):
        credentials(hots="a", treads=2)


def test_a_remote_server_is_not_managed() -> None:
    """A Python model there needs its Connect address, and says so."""
    made = credentials(host="spark.example.org")
    assert not made.managed
    helper = ConnectPythonJobHelper(NODE, made)
    with pytest.raises(DbtRuntimeError, match="connect_url"):
        helper.url()
    url = "sc://spark.example.org:15002"
    assert ConnectPythonJobHelper(NODE, credentials(host="x", connect_url=url)).url() == url


def test_an_error_shows_the_users_line() -> None:
    """File, line and message of the model; not one frame of the adapter."""
    helper = ConnectPythonJobHelper(NODE, credentials())
    code = "def inner():\n    raise KeyError('fare')\ndef model(dbt, session):\n    return inner()\n"
    space: dict[str, Any] = {}
    exec(compile(code, NODE["original_file_path"], "exec"), space)
    with pytest.raises(KeyError) as caught:
        space["model"](None, None)
    assert helper._explain(caught.value, NODE["original_file_path"]) == "python_models/m.py, line 2: KeyError: 'fare'"


def test_line_numbers_are_those_of_the_users_file(tmp_path: Path) -> None:
    """dbt strips blank lines before the code and macros add some."""
    (tmp_path / "python_models").mkdir()
    (tmp_path / "python_models" / "m.py").write_text("\n\nx = 1\n")
    made = credentials()
    object.__setattr__(made, "project_root", str(tmp_path))
    assert ConnectPythonJobHelper(NODE, made)._aligned("\n  \n\n\nx = 1\ny = 2\n") == "\n\nx = 1\ny = 2\n"


def test_sparks_stack_is_cut_off() -> None:
    """The message stays, once; its frames go."""
    text = (
        "Error running query: [X] no table\n[X] no table\n\tat org.apache.A.b(C.scala:1)\n\tat d.e(F:2)\nCaused by: x"
    )
    assert without_stack(text) == "Error running query: [X] no table\n[X] no table"
    assert without_stack("plain words at noon") == "plain words at noon"


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("/* node */ set spark.sql.shuffle.partitions = 8", True),
        ("-- why\nuse staging", True),
        ("create or replace temporary view t as select 1", True),
        ("create temp function f as 'x'", True),
        ("select 'set' as use", False),
        ("/* set a = 1 */ select 1", False),
        ("create or replace table t using delta as select temporary from v", False),
        ("describe extended t", False),
    ],
)
def test_statements_that_change_a_session_are_known(sql: str, changes: bool) -> None:
    """Only a session without leftovers serves the next node."""
    assert changes_session(sql) is changes
