"""What killed processes left in the state folder's `tmp`."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from penstock.process import Process

# A driver's folder begins so; dbt makes it, and writes its job there a moment later.
DRIVER, GRACE = "model-", 3600.0


def clear(folder: Path) -> None:
    """Remove everything but the folders of spark-submit drivers whose dbt lives."""
    for path in folder.glob("*"):
        if path.name.startswith(DRIVER) and _is_used(path):
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
        return time.time() - folder.stat().st_mtime < GRACE
    except FileNotFoundError:
        return False
