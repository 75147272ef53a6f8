"""Making a written month live, under the lake's lock: not twice, in its place, committed."""

from __future__ import annotations

import shutil
import uuid
from datetime import date
from pathlib import Path
from typing import Any, Literal

from penstock.errors import PenstockError
from penstock.lake.manifest import Entry, Live, Manifest
from penstock.lake.staging import FOLDER, lake_lock, made
from penstock.lake.verification import problems, strangers
from penstock.storage import filesystems
from penstock.storage.files import FILE, sha256_of, sync_folder
from penstock.storage.locations import Folder

Outcome = Literal["landed", "replaced", "repaired", "unchanged"]


def refuse_twice(live: Live, dataset: str, month: date, name: str, sha256: str) -> None:
    """Refuse bytes that are live already, for another month, in another dataset or under another name.

    The rows of a file that landed twice would count twice, and nothing in the rows tells so.

    Args:
        live: the lake's live months.
        dataset, month: what the file is to land as.
        name: of the file.
        sha256: of its bytes.

    Raises:
        PenstockError: with the month that has them.
    """
    for entry in live.values():
        if entry.sha256 != sha256 or (entry.key == (dataset, month) and entry.source_file == name):
            continue
        there, here = f"{entry.dataset} {entry.file_month:%Y-%m}", f"{dataset} {month:%Y-%m}"
        take_out = f"`penstock remove {there}`, then land this file"
        found = f"its bytes are live as {there}, from {entry.source}"
        if there == here:
            do = f"nothing: the month has these rows. To have them under the name {name}: {take_out}"
        else:
            do = f"give the file and the month that belong together; if {there} is the mistake: {take_out}"
        raise PenstockError(f"{name} to land once, as {here}", found, do)


def switch(manifest: Manifest, written: Path, entry: Entry) -> tuple[Outcome, Entry]:
    """Make a month live.

    The same source written by the same program is the same file, so a damaged one is put back under
    the entry it has. An entry that doesn't know its file's hash, or knows another one because an
    earlier pyarrow wrote it, is followed by a new one; its folder, which says what rows there are, stays.

    What was looked at holds for the version it was looked at, and the commit is the one after that
    version: when another writer was first, everything is looked at again.

    Args:
        written: folder with the landed file; on the lake's file system when that is a disk.
        entry: what to commit.

    Returns:
        (what was done, the month's live entry).

    Raises:
        PenstockError: the bytes are live elsewhere. OSError goes through; then nothing was switched.
    """
    lake_dir = manifest.lake_dir
    with lake_lock(lake_dir):
        while True:
            version = manifest.version()
            live = manifest.live(version)
            refuse_twice(live, *entry.key, entry.source_file, entry.sha256)
            previous = live.get(entry.key)
            there = previous is not None and previous.folder == entry.folder
            if previous and there and not problems(lake_dir, [previous]):
                return "unchanged", previous
            placed = _place(lake_dir, written, entry)
            known = (previous.file_sha256, previous.file_tag) if previous and there else None
            if previous and known == (placed.file_sha256, placed.file_tag):
                return "repaired", previous
            if committed := manifest.commit_after(version, placed):
                return "repaired" if there else "replaced" if previous else "landed", committed


def _place(lake_dir: Folder, written: Path, entry: Entry) -> Entry:
    """Put the file where its entry says; the entry with what the store says of the file.

    Whoever reads there sees the former file or this one, whole. In a store it is written even when the same
    is there: `clean` tells by its age that a file which no entry names is nobody's.
    """
    path = entry.path(lake_dir)
    if not isinstance(path, Path) or not isinstance(lake_dir, Path):
        _set_aside(lake_dir, path.parent)
        store = filesystems.of(lake_dir)
        store.put(path, written / FILE)
        return entry.model_copy(update={"file_tag": store.look(path).tag})
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        # A folder of that name holds the same rows: left by a kill, live once before, or damaged.
        with path.open("rb") as file:
            same = sha256_of(file) == entry.file_sha256
        if not same:
            (written / FILE).replace(path)
            sync_folder(path.parent)
        _set_aside(lake_dir, path.parent)
    else:
        _set_aside(lake_dir, path.parent)
        shutil.rmtree(path.parent, ignore_errors=True)
        written.rename(path.parent)
        sync_folder(path.parent.parent)
    return entry


def _set_aside(lake_dir: Folder, folder: Folder) -> None:
    """Move files that landing didn't write out of Spark's sight; they are somebody's, so `clean` ages them first."""
    for name in strangers(folder):
        if isinstance(lake_dir, Path):
            made(lake_dir)
        aside = lake_dir / FOLDER / f"aside-{uuid.uuid4().hex}"
        aside.mkdir(parents=True, exist_ok=True)
        stranger: Any = folder / name
        stranger.rename(aside / name)
