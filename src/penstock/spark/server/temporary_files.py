"""Remove the files that killed processes left in the state folder's `tmp`."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from penstock.process import Process

# The prefix of a spark-submit driver's folder. dbt creates the folder, and shortly afterwards writes job.json to it. A
# folder without this file counts as used while it is younger than GRACE_SECONDS.
DRIVER_PREFIX, GRACE_SECONDS = "model-", 3600.0


def remove_leftovers(folder: Path) -> None:
    """Remove all files and folders, except the folders of spark-submit drivers whose dbt process is running."""
    for path in folder.glob("*"):
        if path.name.startswith(DRIVER_PREFIX) and _is_used(path):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_used(folder: Path) -> bool:
    try:
        pid, started = json.loads((folder / "job.json").read_text())["parent"]
        return Process(int(pid), float(started)).handle() is not None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        return time.time() - folder.stat().st_mtime < GRACE_SECONDS
    except FileNotFoundError:
        return False
