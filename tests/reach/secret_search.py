"""Where a planted secret would show: in files, in command lines, on Spark's own pages."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import psutil

from penstock.spark.access.secret import ui_key
from penstock.spark.server import control
from tests.reach.processes import content, files
from tests.reach.rides_project import Rides


def files_with(secret: str, *folders: Path) -> list[Path]:
    """Files below some folders whose bytes hold a text, packed ones aside."""
    found = []
    for folder in folders:
        for path in files(folder):
            plain = not path.is_symlink() and path.suffix not in (".jar", ".jsa")
            if plain and secret.encode() in content(path):
                found.append(path)
    return found


def command_lines_with(secret: str) -> list[list[str]]:
    """Command lines of processes that any user of this machine can read."""
    lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if any(secret in word for word in line)]


def spark_pages(made: Rides) -> str:
    """What Spark's UI shows of its settings, to those who have its key."""
    running = control.up(made.settings)
    pages = (f"{running.ui}/environment/", f"{running.ui}/api/v1/applications")
    text = ""
    for page in pages:
        asked = urllib.request.Request(page, headers={"Authorization": f"Bearer {ui_key(running.token)}"})
        with urllib.request.urlopen(asked) as answer:
            text += answer.read().decode()
    assert "fs.s3a.endpoint" in text
    return text
