"""The error of a failed start, from the supervisor to the command that started it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest

from penstock.config.sections import Ports
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.spark import jars, java, masters, object_stores
from penstock.spark.java import Java
from penstock.spark.server import control, start_failure, supervisor
from penstock.spark.server.record import Record

ERROR = PenstockError("a port. found: not really", "two\nlines", "`penstock up`. do: it", entry="no-free-port")
LOG = "INFO fine\nException in thread main\njava.net.BindException: Address already in use\nINFO bye\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load(tmp_path)
    (made.state_dir / "logs").mkdir(parents=True)
    return made


def parts(error: PenstockError) -> tuple[str, str, str, str]:
    return error.needed, error.found, error.do, error.entry


def test_an_error_survives_json() -> None:
    assert parts(PenstockError.from_json(ERROR.to_json())) == parts(ERROR)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"needed": "a", "found": "b"}', '{"a": 1, "b": 2, "c": 3}'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        PenstockError.from_json(text)


def test_the_supervisors_error_is_read_as_written(settings: Settings) -> None:
    """Whatever text its parts have, and whatever the logs say."""
    (settings.state_dir / "logs" / "spark.log").write_text(LOG)
    start_failure.write(settings, ERROR)
    assert parts(start_failure.read(settings)) == parts(ERROR)
    assert start_failure.path(settings).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damaged", [None, "", "{"])
def test_without_an_error_file_the_logs_have_the_reason(settings: Settings, damaged: str | None) -> None:
    """Spark's before the metastore's."""
    if damaged is not None:
        start_failure.path(settings).write_text(damaged)
    logs = settings.state_dir / "logs"
    assert "logged no error" in start_failure.read(settings).found
    (logs / "metastore.log").write_text("Error: the metastore's\n")
    assert start_failure.read(settings).found == "Error: the metastore's"
    (logs / "spark.log").write_text(LOG)
    error = start_failure.read(settings)
    assert error.found == "java.net.BindException: Address already in use"
    assert error.do == f"see {logs} or `penstock doctor`"
    assert start_failure.is_port_conflict(error)
    assert not start_failure.is_port_conflict(ERROR)


@pytest.fixture
def starts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[PenstockError]:
    """Return a list to fill with the errors of the next starts; disable the other checks of `up`."""
    errors: list[PenstockError] = []

    def start(settings: Settings, attempt: int) -> Record | None:
        start_failure.write(settings, errors.pop(0))
        return None

    monkeypatch.setattr(control, "_start", start)
    monkeypatch.setattr(java, "find", lambda configured: Java(Path("/java"), 17, "17"))
    monkeypatch.setattr(jars, "server_jars", Mock(return_value=[]))
    monkeypatch.setattr(masters, "require_reachable", Mock())
    monkeypatch.setattr(object_stores, "require_jars", Mock())
    return errors


def test_a_start_with_a_taken_port_is_repeated(settings: Settings, starts: list[PenstockError]) -> None:
    starts += [PenstockError("port 9083 for the metastore", "Address already in use", "set it"), ERROR]
    with pytest.raises(PenstockError) as caught:
        control.up(settings)
    assert parts(caught.value) == parts(ERROR)
    assert not starts


def test_a_start_removes_the_error_of_the_previous_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed supervisor writes no error."""
    start_failure.write(settings, ERROR)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: Mock(poll=lambda: -9))
    assert control._start(settings, 0) is None
    assert "logged no error" in start_failure.read(settings).found


def test_a_supervisor_writes_why_it_could_not_start(settings: Settings) -> None:
    """It exits with code 3."""
    made = supervisor.Supervisor(settings, 0, "token", 0o022)
    with pytest.raises(SystemExit) as caught:
        made.fail(ERROR)
    assert caught.value.code == 3
    assert json.loads(start_failure.path(settings).read_text())["do"] == ERROR.do


def test_the_log_of_an_ended_jvm_has_the_reason(settings: Settings) -> None:
    made = supervisor.Supervisor(settings, 0, "token", 0o022)
    made.spark = Mock(pid=1, returncode=1)
    made.spark.poll.return_value = 1
    with pytest.raises(start_failure.JvmEnded, match="Spark ended with 1"):
        made._wait_until_ready(Ports(), 0.0)
