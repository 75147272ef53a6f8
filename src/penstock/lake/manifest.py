"""The lake's manifest: an append-only log that records which folder is live for each month.

A month is live if it is currently in the lake. Its live folder contains the landed file that Spark's table reads.

A commit atomically creates one file, `manifest/log/<version>.json`, with the next version number. The commit activates
or removes one month. If a process is killed before it creates the file, the manifest is unchanged. If two processes try
to create the same version, one of them fails and reads the live months again. To detect this conflict, a local disk
creates the file by a link, and a store (an object store or HDFS) by a write that fails if the file exists
(`penstock.storage.filesystems`). Replaying the log up to a version gives the live months of that version.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timezone
from functools import cached_property
from typing import Literal

from pydantic import Field, ValidationError

from penstock import __version__, clock
from penstock.config.sections import Strict
from penstock.errors import PenstockError
from penstock.storage import filesystems
from penstock.storage.locations import Location

# Name of the only file in each landed folder.
LANDED_FILE = "part-0.parquet"
# Prefix of `Entry.source` for a generated sample month.
SAMPLE_PREFIX = "sample:"

Action = Literal["land", "remove"]
LiveMonths = dict[tuple[str, date], "Entry"]


class Entry(Strict):
    """One commit of the manifest. `version` is 0 until the entry is committed.

    Attributes:
        folder: folder of the landed file, relative to the lake, with `/` as separator.
        source: address of the source file.
        source_file: name of the source file.
        sha256: hash of the source file.
        schema_fingerprint: `Dataset.schema_fingerprint` at the time of landing.
        bytes: size of the source file.
        rows: number of rows of the source file, all of which landed.
        rounded_values: number of money values that were not whole cents.
        rounded_by_column: the number of money values that were not whole cents, for each column.
        blank_beyond: number of CSV rows with blank cells after the last column. These cells did not land.
        schema_found: `name:type` of every column of the source file, in the file's order.
        file_bytes: size of the landed file; 0 in entries of older releases.
        file_sha256: hash of the landed file; empty in entries of older releases.
        file_tag: the store's tag (ETag) of the landed file; empty on a local disk.
        landed_at: time of the commit in UTC, for display and for the grace period of `penstock clean`. The order of
            commits depends only on `version`.
        penstock: version of the program that wrote the entry.
    """

    version: int = Field(default=0, ge=0)
    action: Action = "land"
    dataset: str
    file_month: date
    folder: str
    source: str
    source_file: str
    sha256: str
    schema_fingerprint: str
    bytes: int = Field(ge=0)
    rows: int = Field(ge=0)
    rounded_values: int = Field(default=0, ge=0)
    rounded_by_column: dict[str, int] = Field(default_factory=dict)
    blank_beyond: int = Field(default=0, ge=0)
    schema_found: tuple[str, ...] = ()
    file_bytes: int = Field(default=0, ge=0)
    file_sha256: str = ""
    file_tag: str = ""
    landed_at: datetime = datetime(1970, 1, 1, tzinfo=timezone.utc)
    penstock: str = ""

    @cached_property
    def key(self) -> tuple[str, date]:
        """Return (dataset, first day of the month)."""
        return self.dataset, self.file_month

    def path(self, lake_dir: Location) -> Location:
        """Return the path of the landed file in a lake."""
        return lake_dir / self.folder / LANDED_FILE


class Manifest:
    """The manifest of one lake. Nothing is cached: each call reads the log folder again."""

    def __init__(self, lake_dir: Location) -> None:
        self.lake_dir = lake_dir
        self.log_dir = lake_dir / "manifest" / "log"

    def _path(self, version: int) -> Location:
        return self.log_dir / f"{version:010d}.json"

    def version(self) -> int:
        """Return the version of the newest commit, or 0 if there is no commit.

        Raises:
            PenstockError: a commit before the newest one is missing.
        """
        names = filesystems.file_system(self.log_dir).list_names(self.log_dir)
        stems = (name.removesuffix(".json") for name in names)
        numbers = {int(stem) for stem in stems if stem.isdigit()}
        newest = max(numbers, default=0)
        for missing in sorted(set(range(1, newest)) - numbers):
            # A listing during another commit may omit a file that exists, so check the file itself.
            if not self._path(missing).exists():
                raise self._damaged(self._path(missing), "no such file, although later versions exist")
        return newest

    def _damaged(self, path: Location, found: str) -> PenstockError:
        return PenstockError(
            "an undamaged manifest log",
            f"{path}: {found}",
            "put the file back from a copy of the lake; if there is none, move the lake's folder away and land again",
        )

    def _read(self, versions: list[int]) -> list[bytes]:
        """Return the contents of some commits' files. They are read concurrently if the file system allows it."""
        paths = [self._path(version) for version in versions]
        try:
            return filesystems.file_system(self.log_dir).read(paths)
        except OSError as error:
            # Read the files one by one to find out which one can't be read.
            for path in paths:
                try:
                    path.read_bytes()
                except OSError as file_error:
                    raise self._damaged(path, str(file_error.strerror or "no such file")) from None
            raise self._damaged(self.log_dir, str(error)) from None

    def _parse(self, version: int, data: bytes) -> Entry:
        path = self._path(version)
        try:
            entry = Entry.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the entry"
            raise self._damaged(path, f"not a manifest entry ({where}: {first['msg']})") from None
        if entry.version != version:
            raise self._damaged(path, f"the entry of version {entry.version}")
        return entry

    def entries(self, version: int | None = None) -> list[Entry]:
        """Return all commits in order or, if `version` is given, the commits up to and including this version.

        Raises:
            PenstockError: a file of the log is missing, truncated or otherwise damaged.
        """
        newest = self.version()
        versions = list(range(1, (newest if version is None else min(version, newest)) + 1))
        files = zip(versions, self._read(versions), strict=True)
        return [self._parse(number, data) for number, data in files]

    def live(self, version: int | None = None) -> LiveMonths:
        """Return the entries of the live months, by (dataset, month), at a version; by default the newest version."""
        return live_after(self.entries(version))

    def digest(self, version: int) -> str:
        """Return 16 hex digits of a commit's hash. In another lake, the commit with this version has another digest."""
        if version == 0:
            return "0" * 16
        return hashlib.sha256(self._read([version])[0]).hexdigest()[:16]

    def commit(self, entry: Entry) -> Entry:
        """Append an entry durably and return the committed entry. If another process commits first, try again."""
        while True:
            if committed := self.commit_after(self.version(), entry):
                return committed

    def commit_after(self, version: int, entry: Entry) -> Entry | None:
        """Append an entry directly after a version.

        Returns:
            the committed entry, with `version`, `landed_at` and `penstock` set; or None, without writing anything, if
            another process has already committed the next version.
        """
        committed = entry.model_copy(update={"version": version + 1, "landed_at": clock.now(), "penstock": __version__})
        data = committed.model_dump_json(indent=1).encode() + b"\n"
        return committed if filesystems.file_system(self.log_dir).create(self._path(version + 1), data) else None


def live_after(entries: list[Entry]) -> LiveMonths:
    """Return the live months that result from replaying these commits in order."""
    live: LiveMonths = {}
    for entry in entries:
        if entry.action == "land":
            live[entry.key] = entry
        else:
            live.pop(entry.key, None)
    return live
