"""Search for a planted secret in files, command lines and Spark's pages."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import psutil

from penstock.spark.access.secret import ui_key
from penstock.spark.server import control
from tests.reach.processes import content, files
from tests.reach.rides_project import Rides


def files_with(secret: str, *folders: Path) -> list[Path]:
    """Return the files below folders that contain a text, except compressed ones."""
    found = []
    for folder in folders:
        for path in files(folder):
            plain = not path.is_symlink() and path.suffix not in (".jar", ".jsa")
            if plain and secret.encode() in content(path):
                found.append(path)
    return found


def command_lines_with(secret: str) -> list[list[str]]:
    """Return the command lines that contain a text; any user of this machine can read them."""
    lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if any(secret in word for word in line)]


def spark_pages(made: Rides) -> str:
    """Return the pages of Spark's UI that show its settings."""
    running = control.up(made.settings)
    pages = (f"{running.ui}/environment/", f"{running.ui}/api/v1/applications")
    text = ""
    for page in pages:
        request = urllib.request.Request(page, headers={"Authorization": f"Bearer {ui_key(running.token)}"})
        with urllib.request.urlopen(request) as answer:
            text += answer.read().decode()
    assert "fs.s3a.endpoint" in text
    return text
