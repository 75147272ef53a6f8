"""The error of a failed start: the supervisor writes it as JSON, and the command that started the server reads it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.storage import private_files

PORT_TAKEN = ("BindException", "Address already in use")


class JvmEnded(Exception):
    """A JVM exited before the server was ready. The JVM's log contains the reason."""


def path(settings: Settings) -> Path:
    """Return the path of the error file, in the state folder."""
    return settings.state_dir / "failure.json"


def write(settings: Settings, error: PenstockError) -> None:
    """Write the error that ended a start."""
    private_files.write(path(settings), error.to_json())


def remove(settings: Settings) -> None:
    """Remove the error of an earlier start."""
    path(settings).unlink(missing_ok=True)


def read(settings: Settings) -> PenstockError:
    """Return the error that the supervisor wrote; otherwise an error with the last error line of a JVM's log."""
    with suppress(OSError, ValueError):
        return PenstockError.from_json(path(settings).read_text(encoding="utf-8"))
    logs = settings.state_dir / "logs"
    errors = [line for name in ("spark", "metastore") for line in _last_error(logs / f"{name}.log")]
    found = errors[0] if errors else "it ended and logged no error"
    do = f"see {logs} or `penstock doctor`"
    return PenstockError("a running Spark server", found, do, entry="the-server-doesnt-start")


def is_port_conflict(error: PenstockError) -> bool:
    """Return whether the start failed because another process took one of the chosen ports."""
    return any(text in error.found for text in PORT_TAKEN)


def _last_error(log: Path) -> list[str]:
    """Return a list with the last error line of a log; an empty list if the log has no error line."""
    lines = log.read_text(errors="replace").splitlines()[-200:] if log.exists() else []
    return [line.strip() for line in lines if "Exception" in line or "Error" in line][-1:]
