"""Remove files that the lake no longer needs: superseded folders, orphans, staging files and old snapshots.

A folder is superseded when its month is replaced or removed. The folder stays for a grace period, so that a query that
started before the change can still read its file. An orphan is a folder without a manifest entry.

The manifest's version numbers decide which folders are live, and a live folder is never removed. The system clock only
decides whether a grace period is over. A file with a modification time in the future is kept.

For a lake in a store (an object store or HDFS), the grace period is at least an hour. No lock excludes writers on other
machines, and a file that a landing has written but not yet committed is an orphan. A landing commits its file within an
hour of writing the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from penstock import clock
from penstock.errors import PenstockError
from penstock.lake.catalog import MANIFEST, PARTITION
from penstock.lake.manifest import Entry, LiveMonths, Manifest, live_after
from penstock.lake.staging import STAGING, abandoned_paths, lake_lock
from penstock.storage import filesystems
from penstock.storage.locations import Location

SHORTEST_STORE_GRACE = timedelta(hours=1)
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True)
class RemovedPath:
    """A removed file or folder, the reason for its removal, and its size in bytes."""

    path: Location
    reason: str
    bytes: int


def parse_grace(text: str) -> timedelta:
    """Parse a grace period such as `7d`, `12h` or `30m`.

    Raises:
        PenstockError: the text is not a grace period.
    """
    if match := re.fullmatch(r"([0-9]{1,6})([dhm])", text.strip()):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    raise PenstockError("a grace period", f"`{text}`", "write days, hours or minutes: 7d, 12h, 30m, 0d")


def _size(path: Location) -> int:
    store = filesystems.file_system(path)
    return sum(info.size for _, info in store.find_files(path)) if path.is_dir() else store.info(path).size


def _last_modified(path: Location) -> datetime:
    """Return the time of the last write to a file, or to anything in a folder."""
    store = filesystems.file_system(path)
    infos = [info for _, info in store.find_files(path)]
    if filesystems.is_local(path):
        folders = [path, *(folder for folder in path.rglob("*") if folder.is_dir())] if path.is_dir() else [path]
        infos += [store.info(folder) for folder in folders if folder.exists()]
    elif not infos and path.exists():
        infos = [store.info(path)]
    return max((info.modified for info in infos), default=datetime.fromtimestamp(0, timezone.utc))


def _landed_folders(lake_dir: Location) -> Iterator[Location]:
    list_names = filesystems.file_system(lake_dir).list_names
    for dataset in list_names(lake_dir):
        if dataset == MANIFEST or dataset.startswith("."):
            continue
        for month in list_names(lake_dir / dataset):
            if month.startswith(f"{PARTITION}="):
                for folder in list_names(lake_dir / dataset / month):
                    if (lake_dir / dataset / month / folder).is_dir():
                        yield lake_dir / dataset / month / folder


def superseded_times(entries: list[Entry]) -> dict[str, datetime]:
    """Return, for each superseded folder, the time of the commit that replaced or removed its month."""
    live: LiveMonths = {}
    times: dict[str, datetime] = {}
    for entry in entries:
        if (previous := live.pop(entry.key, None)) is not None:
            times[previous.folder] = entry.landed_at
        if entry.action == "land":
            live[entry.key] = entry
    return times


def find_removable(lake_dir: Location, before: datetime) -> list[tuple[Location, str]]:
    """Return (path, reason) of the files and folders to remove.

    A superseded folder is removed if it was superseded before the time `before`. An orphan, a staging file or an old
    manifest file is removed if it was last written before that time.
    """
    manifest = Manifest(lake_dir)
    entries = manifest.entries()
    live_folders = {entry.folder for entry in live_after(entries).values()}
    superseded = superseded_times(entries)
    removable: list[tuple[Location, str]] = []
    for folder in _landed_folders(lake_dir):
        name = "/".join(folder.parts[-3:])
        if name not in live_folders and superseded.get(name, _last_modified(folder)) < before:
            removable.append((folder, "superseded" if name in superseded else "orphan"))
    candidates = [*_staging_files(lake_dir), *_manifest_files(lake_dir)]
    return removable + [(path, reason) for path, reason in candidates if _last_modified(path) < before]


def _staging_files(lake_dir: Location) -> Iterator[tuple[Location, str]]:
    """Yield (path, reason) of the files in the staging folder that no running process uses."""
    yield from ((path, "staging") for path in abandoned_paths(lake_dir))
    if not filesystems.is_local(lake_dir):
        # For a lake in a store, landing moves unexpected files to a staging folder in the store.
        store = filesystems.file_system(lake_dir)
        yield from ((lake_dir / STAGING / name, "staging") for name in store.list_names(lake_dir / STAGING))


def _manifest_files(lake_dir: Location) -> Iterator[tuple[Location, str]]:
    """Yield (path, reason) of temporary files in the manifest's log, and of all snapshots except the newest."""
    list_names = filesystems.file_system(lake_dir).list_names
    log, snapshots = lake_dir / "manifest" / "log", lake_dir / "manifest" / "snapshots"
    for name in list_names(log):
        if name.startswith(".") and name.endswith(".tmp"):
            yield log / name, "unfinished commit"
    names = list_names(snapshots)
    newest = max((name for name in names if name.isdigit()), default=None)
    yield from ((snapshots / name, "old manifest snapshot") for name in names if name != newest)


def _cutoff(grace: timedelta) -> datetime:
    """Return the current time minus the grace period. If the result is out of range, return the earliest time."""
    try:
        return clock.now() - grace
    except OverflowError:
        return datetime.min.replace(tzinfo=timezone.utc)


def clean(lake_dir: Location, grace: timedelta, *, dry_run: bool = False) -> list[RemovedPath]:
    """Remove superseded and abandoned files and folders that are older than the grace period.

    Args:
        lake_dir: location of the lake.
        grace: the grace period.
        dry_run: return the files and folders without removing them.

    Returns:
        the removed files and folders.

    Raises:
        PenstockError: the manifest is damaged, or the grace period is too short for a store. Nothing is removed.
    """
    if not filesystems.is_local(lake_dir) and grace < SHORTEST_STORE_GRACE:
        raise PenstockError(
            "a grace period of at least an hour for a lake in a store", f"{grace}", "write --grace 1h or more"
        )
    if not lake_dir.exists():
        return []
    removed = []
    with lake_lock(lake_dir):
        for path, reason in find_removable(lake_dir, _cutoff(grace)):
            removed.append(RemovedPath(path, reason, _size(path)))
            if not dry_run:
                filesystems.file_system(path).remove(path)
    return removed
