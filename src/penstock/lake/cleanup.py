"""Removing what the lake no longer needs: superseded folders, orphans, staging, old snapshots.

A superseded folder stays for a time of grace, so that a query which began before the month
switched ends on the files it began with. What is live is told by the log's numbers and never touched;
the clock only says whether a grace is over. What it dates into the future is kept. In a store, whose
writers on other machines no lock holds back, the grace is an hour at least: a landing writes its file and
commits it within that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from penstock import clock
from penstock.errors import PenstockError
from penstock.lake.catalog import MANIFEST, PARTITION
from penstock.lake.manifest import Entry, Live, Manifest, live_of
from penstock.lake.staging import FOLDER, lake_lock, left_behind
from penstock.storage import filesystems
from penstock.storage.locations import Folder

SHORTEST = timedelta(hours=1)
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True)
class Removed:
    """A file or folder, why it went, and how many bytes it held."""

    path: Folder
    why: str
    bytes: int


def parse_grace(text: str) -> timedelta:
    """A time such as 7d, 12h or 30m.

    Raises:
        PenstockError: it is not such a time.
    """
    if match := re.fullmatch(r"([0-9]{1,6})([dhm])", text.strip()):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    raise PenstockError("a time of grace", f"`{text}`", "write days, hours or minutes: 7d, 12h, 30m, 0d")


def _size(path: Folder) -> int:
    store = filesystems.of(path)
    return sum(look.size for _, look in store.below(path)) if path.is_dir() else store.look(path).size


def _changed(path: Folder) -> datetime:
    """When anything below the path was last written."""
    store = filesystems.of(path)
    looks = [look for _, look in store.below(path)]
    if filesystems.is_disk(path):
        folders = [path, *(folder for folder in path.rglob("*") if folder.is_dir())] if path.is_dir() else [path]
        looks += [store.look(folder) for folder in folders if folder.exists()]
    elif not looks and path.exists():
        looks = [store.look(path)]
    return max((look.changed for look in looks), default=datetime.fromtimestamp(0, timezone.utc))


def _landed_folders(lake_dir: Folder) -> Iterator[Folder]:
    names = filesystems.of(lake_dir).names
    for dataset in names(lake_dir):
        if dataset == MANIFEST or dataset.startswith("."):
            continue
        for month in names(lake_dir / dataset):
            if month.startswith(f"{PARTITION}="):
                for folder in names(lake_dir / dataset / month):
                    if (lake_dir / dataset / month / folder).is_dir():
                        yield lake_dir / dataset / month / folder


def superseded_at(entries: list[Entry]) -> dict[str, datetime]:
    """For each folder that was live once and then no more: the time of the commit that ended it."""
    live: Live = {}
    ended: dict[str, datetime] = {}
    for entry in entries:
        if (was := live.pop(entry.key, None)) is not None:
            ended[was.folder] = entry.landed_at
        if entry.action == "land":
            live[entry.key] = entry
    return ended


def find(lake_dir: Folder, before: datetime) -> list[tuple[Folder, str]]:
    """What may go: (path, why). `before`: only what was superseded or last written earlier than this."""
    manifest = Manifest(lake_dir)
    entries = manifest.entries()
    live = live_of(entries)
    kept = {entry.folder for entry in live.values()}
    ended = superseded_at(entries)
    found: list[tuple[Folder, str]] = []
    for folder in _landed_folders(lake_dir):
        name = "/".join(folder.parts[-3:])
        if name not in kept and ended.get(name, _changed(folder)) < before:
            found.append((folder, "superseded" if name in ended else "orphan"))
    found += [(left, "staging") for left in left_behind(lake_dir) if _changed(left) < before]
    store = filesystems.of(lake_dir)
    if not filesystems.is_disk(lake_dir):
        aside = (lake_dir / FOLDER / name for name in store.names(lake_dir / FOLDER))
        found += [(left, "staging") for left in aside if _changed(left) < before]
    log, shots = lake_dir / "manifest" / "log", lake_dir / "manifest" / "snapshots"
    drafts = (log / name for name in store.names(log) if name.startswith(".") and name.endswith(".tmp"))
    found += [(draft, "commit that never was") for draft in drafts if _changed(draft) < before]
    names = store.names(shots)
    newest = max((name for name in names if name.isdigit()), default=None)
    old = (shots / name for name in names if name != newest)
    found += [(snapshot, "old manifest snapshot") for snapshot in old if _changed(snapshot) < before]
    return found


def _before(grace: timedelta) -> datetime:
    """The present less the grace; a grace longer than the calendar keeps everything."""
    try:
        return clock.now() - grace
    except OverflowError:
        return datetime.min.replace(tzinfo=timezone.utc)


def clean(lake_dir: Folder, grace: timedelta, *, dry_run: bool = False) -> list[Removed]:
    """Remove what was superseded or left behind longer ago than `grace`; with `dry_run` only say it.

    Raises:
        PenstockError: the manifest is damaged, or the grace is too short for a store; then nothing is removed.
    """
    if not filesystems.is_disk(lake_dir) and grace < SHORTEST:
        raise PenstockError("a grace of an hour at least for a lake in a store", f"{grace}", "write --grace 1h or more")
    if not lake_dir.exists():
        return []
    removed = []
    with lake_lock(lake_dir):
        for path, why in find(lake_dir, _before(grace)):
            removed.append(Removed(path, why, _size(path)))
            if not dry_run:
                filesystems.of(path).remove(path)
    return removed
