"""Activate a month's new file: check it, move it to its folder in the lake, and commit it to the manifest."""

from __future__ import annotations

import shutil
import uuid
from datetime import date
from pathlib import Path
from typing import Any, Literal

from penstock.errors import PenstockError
from penstock.lake.manifest import LANDED_FILE, Entry, LiveMonths, Manifest
from penstock.lake.staging import STAGING, lake_lock, make_staging_folder
from penstock.lake.verification import find_problems, unexpected_names
from penstock.storage import filesystems
from penstock.storage.files import sha256_of, sync_folder
from penstock.storage.locations import Location

Outcome = Literal["landed", "replaced", "repaired", "unchanged"]


def refuse_duplicate(live: LiveMonths, dataset: str, month: date, name: str, sha256: str) -> None:
    """Refuse a file whose content is already live for another month or dataset, or under another file name.

    Otherwise the lake would contain each row of the file twice, and nothing in the rows would reveal the mistake.

    Args:
        live: the lake's live months.
        dataset: the dataset that the file is landed for.
        month: the month that the file is landed for.
        name: name of the file.
        sha256: hash of the file's content.

    Raises:
        PenstockError: the content is already live. The message names the month.
    """
    for entry in live.values():
        if entry.sha256 != sha256 or (entry.key == (dataset, month) and entry.source_file == name):
            continue
        live_month, new_month = f"{entry.dataset} {entry.file_month:%Y-%m}", f"{dataset} {month:%Y-%m}"
        remove_and_land = f"`penstock remove {live_month}`, then land this file"
        found = f"its bytes are live as {live_month}, from {entry.source}"
        if live_month == new_month:
            do = f"nothing: the month has these rows. To land them under the name {name}: {remove_and_land}"
        else:
            do = f"land the right file for this month; if {live_month} is the mistake: {remove_and_land}"
        raise PenstockError(f"{name} to land once, as {new_month}", found, do)


def activate(manifest: Manifest, written: Path, entry: Entry) -> tuple[Outcome, Entry]:
    """Make a landed file the live file of its month.

    Landing the same source with the same program writes the same file. If the live file of that source is damaged, the
    new file therefore usually replaces the live file without a new manifest entry. A new entry for the same folder is
    committed only if the existing entry has no file hash, a different hash because an earlier version of pyarrow wrote
    the file, or another tag of the store.

    The commit is conditional: it must directly follow the manifest version that was checked. If another writer
    commits first, this function repeats all checks.

    Args:
        manifest: the manifest of the lake.
        written: folder that contains the landed file. For a lake on a local disk, this folder is on the same disk.
        entry: the entry to commit.

    Returns:
        (outcome, live entry of the month).

    Raises:
        PenstockError: the same content is live for another month or dataset, or under another file name.
        OSError: the file can't be written. The manifest is unchanged.
    """
    lake_dir = manifest.lake_dir
    with lake_lock(lake_dir):
        while True:
            version = manifest.version()
            live = manifest.live(version)
            refuse_duplicate(live, *entry.key, entry.source_file, entry.sha256)
            previous = live.get(entry.key)
            same_folder = previous is not None and previous.folder == entry.folder
            if previous and same_folder and not find_problems(lake_dir, [previous]):
                return "unchanged", previous
            placed = _move_into_place(lake_dir, written, entry)
            recorded = (previous.file_sha256, previous.file_tag) if previous and same_folder else None
            if previous and recorded == (placed.file_sha256, placed.file_tag):
                return "repaired", previous
            if committed := manifest.commit_after(version, placed):
                return "repaired" if same_folder else "replaced" if previous else "landed", committed


def _move_into_place(lake_dir: Location, written: Path, entry: Entry) -> Entry:
    """Move the file to the entry's folder atomically, and return the entry. For a lake in a store, add the file's tag.

    In a store (an object store or HDFS), the file is written even if the same file exists. Writing renews the
    modification time. Otherwise, `penstock clean` could remove the file before its entry is committed, because a file
    that is old and has no entry is an orphan.
    """
    path = entry.path(lake_dir)
    if not isinstance(path, Path) or not isinstance(lake_dir, Path):
        _move_unexpected_files(lake_dir, path.parent)
        store = filesystems.file_system(lake_dir)
        store.put(path, written / LANDED_FILE)
        return entry.model_copy(update={"file_tag": store.info(path).tag})
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        # The folder's name depends only on the source's content and the dataset's columns, so the existing file should
        # be equal to the new file. A killed landing left the existing file, or the file was live earlier, or it is
        # live and damaged.
        with path.open("rb") as file:
            same = sha256_of(file) == entry.file_sha256
        if not same:
            (written / LANDED_FILE).replace(path)
            sync_folder(path.parent)
        _move_unexpected_files(lake_dir, path.parent)
    else:
        _move_unexpected_files(lake_dir, path.parent)
        shutil.rmtree(path.parent, ignore_errors=True)
        written.rename(path.parent)
        sync_folder(path.parent.parent)
    return entry


def _move_unexpected_files(lake_dir: Location, folder: Location) -> None:
    """Move the files that landing did not write to the staging folder, where Spark does not read them.

    Somebody may need these files. They are therefore kept until `penstock clean` deletes them after the grace period.
    """
    for name in unexpected_names(folder):
        if isinstance(lake_dir, Path):
            make_staging_folder(lake_dir)
        target = lake_dir / STAGING / f"aside-{uuid.uuid4().hex}"
        target.mkdir(parents=True, exist_ok=True)
        unexpected: Any = folder / name
        unexpected.rename(target / name)
