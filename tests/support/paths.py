"""Convert folders of a lake or a warehouse to paths on this machine's disk."""

from __future__ import annotations

from pathlib import Path

from penstock.storage.locations import Location


def local_path(folder: Location) -> Path:
    """Return the path of a folder or file on this machine's disk. Fail if it is in an object store."""
    assert isinstance(folder, Path), folder
    return folder
