"""Removing what the lake no longer needs: superseded folders, orphans, staging, old snapshots.

A superseded folder stays for a time of grace, so that a query which began before the month
switched ends on the files it began with. What is live is told by the log's numbers and never touched;
the clock only says whether a grace is over. What it dates into the future is kept.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from penstock import clock
from penstock.errors import PenstockError
from penstock.lake.catalog import MANIFEST, PARTITION
from penstock.lake.manifest import Entry, Live, Manifest, live_of
from penstock.lake.staging import left_behind
from penstock.lake.switch import lake_lock

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True)
class Removed:
    """A file or folder, why it went, and how many bytes it held."""

    path: Path
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


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else iter((path,))
    return sum(file.stat().st_size for file in files if file.is_file())


def _changed(path: Path) -> datetime:
    """When anything below the path was last written."""
    newest = max((p.stat().st_mtime for p in (path, *path.rglob("*")) if p.exists()), default=0.0)
    return datetime.fromtimestamp(newest, timezone.utc)


def _landed_folders(lake_dir: Path) -> Iterator[Path]:
    for month in sorted(lake_dir.glob(f"*/{PARTITION}=*")):
        if month.parent.name != MANIFEST and not month.parent.name.startswith("."):
            yield from sorted(folder for folder in month.iterdir() if folder.is_dir())


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


def find(lake_dir: Path, before: datetime) -> list[tuple[Path, str]]:
    """What may go: (path, why). `before`: only what was superseded or last written earlier than this."""
    manifest = Manifest(lake_dir)
    entries = manifest.entries()
    live = live_of(entries)
    kept = {entry.folder for entry in live.values()}
    ended = superseded_at(entries)
    found: list[tuple[Path, str]] = []
    for folder in _landed_folders(lake_dir):
        name = folder.relative_to(lake_dir).as_posix()
        if name not in kept and ended.get(name, _changed(folder)) < before:
            found.append((folder, "superseded" if name in ended else "orphan"))
    found += [(left, "staging") for left in left_behind(lake_dir) if _changed(left) < before]
    for draft in sorted((lake_dir / "manifest" / "log").glob(".*.tmp")):
        if _changed(draft) < before:
            found.append((draft, "commit that never was"))
    snapshots = sorted((lake_dir / "manifest" / "snapshots").glob("*"))
    newest = max((path for path in snapshots if path.name.isdigit()), default=None)
    for snapshot in snapshots:
        if snapshot != newest and _changed(snapshot) < before:
            found.append((snapshot, "old manifest snapshot"))
    return found


def _before(grace: timedelta) -> datetime:
    """The present less the grace; a grace longer than the calendar keeps everything."""
    try:
        return clock.now() - grace
    except OverflowError:
        return datetime.min.replace(tzinfo=timezone.utc)


def clean(lake_dir: Path, grace: timedelta, *, dry_run: bool = False) -> list[Removed]:
    """Remove what was superseded or left behind longer ago than `grace`; with `dry_run` only say it.

    Raises:
        PenstockError: the manifest is damaged; then nothing is removed.
    """
    if not lake_dir.exists():
        return []
    removed = []
    with lake_lock(lake_dir):
        for path, why in find(lake_dir, _before(grace)):
            removed.append(Removed(path, why, _size(path)))
            if not dry_run:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return removed
