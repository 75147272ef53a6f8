"""Why a server did not start: the supervisor writes its error as JSON, and the command that started it reads it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.storage import private_files

PORT_TAKEN = ("BindException", "Address already in use")


class JvmEnded(Exception):
    """A JVM ended before the server was ready; its log has the reason."""


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
    """Return the supervisor's error, or one with the last error line of the JVMs' logs when it wrote none."""
    with suppress(OSError, ValueError):
        return PenstockError.from_json(path(settings).read_text(encoding="utf-8"))
    logs = settings.state_dir / "logs"
    errors = [line for name in ("spark", "metastore") for line in _last_error(logs / f"{name}.log")]
    found = errors[0] if errors else "it ended and logged no error"
    return PenstockError("a running Spark server", found, f"see {logs} or `penstock doctor`")


def is_port_conflict(error: PenstockError) -> bool:
    """Return whether another process took one of the server's ports after it was chosen."""
    return any(text in error.found for text in PORT_TAKEN)


def _last_error(log: Path) -> list[str]:
    """Return the last error line of a log as a list, which is empty when there is none."""
    lines = log.read_text(errors="replace").splitlines()[-200:] if log.exists() else []
    return [line.strip() for line in lines if "Exception" in line or "Error" in line][-1:]
