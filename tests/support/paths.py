"""Folders of a lake or a warehouse, as paths on this machine's disk."""

from __future__ import annotations

from pathlib import Path

from penstock.storage.locations import Location


def local_path(folder: Location) -> Path:
    """Return the same folder or file as a path; fail if it is in an object store."""
    assert isinstance(folder, Path), folder
    return folder
