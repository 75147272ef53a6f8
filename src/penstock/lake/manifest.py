"""The lake's manifest: an append-only log that says which folder is live for each month.

A commit is one file, `manifest/log/<version>.json`, that appears whole and only once, under the next
free number. That is the one instant at which a month switches; whoever is killed before it has changed
nothing, whoever loses the race for a number looks again at what is live now. On a disk it is a link, in
a store one conditional write (`penstock.storage.filesystems`). The log can be replayed to any version.
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
from penstock.storage.files import FILE
from penstock.storage.locations import Folder

# How the `source` of a made month begins.
SAMPLE = "sample:"

Action = Literal["land", "remove"]
Live = dict[tuple[str, date], "Entry"]


class Entry(Strict):
    """One commit. `version` is 0 until it is committed.

    Attributes:
        folder: of the landed file, relative to the lake, with `/`.
        source: address the file came from; `source_file` is its last part.
        sha256: of the source's bytes.
        schema_fingerprint: the dataset's, as in `Dataset.schema_fingerprint`, when it landed.
        bytes: size of the source; `rows` its rows, all of them landed.
        rounded_values: money values that were no whole cents; `rounded_by_column` where.
        blank_beyond: rows of a CSV that had blank cells beyond its header; those cells did not land.
        schema_found: `name:type` of every column of the source, in its order.
        file_bytes: size of the landed file; 0 when the entry is older than this field.
        file_sha256: of the landed file's bytes; empty when the entry is older than this field.
        file_tag: what the store says of the landed file's content (an ETag); empty on a disk.
        landed_at: when it was committed, UTC; for people, and for the grace of clean-up. Order is
            told by `version` alone.
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
        """(dataset, first of the month)."""
        return self.dataset, self.file_month

    def path(self, lake_dir: Folder) -> Folder:
        """The landed file in a lake's folder."""
        return lake_dir / self.folder / FILE


class Manifest:
    """The log of one lake. It keeps nothing in memory: each call reads what the folder holds now."""

    def __init__(self, lake_dir: Folder) -> None:
        self.lake_dir = lake_dir
        self.log_dir = lake_dir / "manifest" / "log"

    def _path(self, version: int) -> Folder:
        return self.log_dir / f"{version:010d}.json"

    def version(self) -> int:
        """Number of the newest commit; 0 for a lake without any.

        Raises:
            PenstockError: a number below the newest one is missing.
        """
        stems = (name.removesuffix(".json") for name in filesystems.of(self.log_dir).names(self.log_dir))
        numbers = {int(stem) for stem in stems if stem.isdigit()}
        newest = max(numbers, default=0)
        for missing in sorted(set(range(1, newest)) - numbers):
            # A listing taken while others commit may skip a name; only a file that is not there counts.
            if not self._path(missing).exists():
                raise self._damaged(self._path(missing), "no such file, though later ones are there")
        return newest

    def _damaged(self, path: Folder, found: str) -> PenstockError:
        return PenstockError(
            "a whole manifest log",
            f"{path}: {found}",
            "put the file back from a copy of the lake; if there is none, move the lake's folder away and land again",
        )

    def _bytes(self, versions: list[int]) -> list[bytes]:
        """The files of some commits, read at once where that is quicker."""
        paths = [self._path(version) for version in versions]
        try:
            return filesystems.of(self.log_dir).read(paths)
        except OSError as error:
            # Which one it is, one by one.
            for path in paths:
                try:
                    path.read_bytes()
                except OSError as one:
                    raise self._damaged(path, str(one.strerror or "no such file")) from None
            raise self._damaged(self.log_dir, str(error)) from None

    def _entry(self, version: int, data: bytes) -> Entry:
        path = self._path(version)
        try:
            entry = Entry.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise self._damaged(path, f"not a manifest entry ({where}: {first['msg']})") from None
        if entry.version != version:
            raise self._damaged(path, f"the entry of version {entry.version}")
        return entry

    def entries(self, at: int | None = None) -> list[Entry]:
        """All commits in order, up to and with version `at` (default: all there are).

        Raises:
            PenstockError: a file of the log is missing, cut short or otherwise damaged.
        """
        newest = self.version()
        versions = list(range(1, (newest if at is None else min(at, newest)) + 1))
        return [self._entry(*one) for one in zip(versions, self._bytes(versions), strict=True)]

    def live(self, at: int | None = None) -> Live:
        """The entry of each live month, by (dataset, month), as of version `at` (default: now)."""
        return live_of(self.entries(at))

    def digest(self, version: int) -> str:
        """16 hex digits of a commit's bytes; it tells this lake's version from another lake's."""
        if version == 0:
            return "0" * 16
        return hashlib.sha256(self._bytes([version])[0]).hexdigest()[:16]

    def commit(self, entry: Entry) -> Entry:
        """Append an entry, whatever others append meanwhile.

        Safe against other committers. When it returns, the commit is durable.
        """
        while True:
            if committed := self.commit_after(self.version(), entry):
                return committed

    def commit_after(self, version: int, entry: Entry) -> Entry | None:
        """Append an entry as the one after a version; None, and nothing done, when another one is there by now.

        `version`, `landed_at` and `penstock` are filled in.
        """
        committed = entry.model_copy(update={"version": version + 1, "landed_at": clock.now(), "penstock": __version__})
        data = committed.model_dump_json(indent=1).encode() + b"\n"
        return committed if filesystems.of(self.log_dir).new(self._path(version + 1), data) else None


def live_of(entries: list[Entry]) -> Live:
    """The live months after replaying these commits."""
    live: Live = {}
    for entry in entries:
        if entry.action == "land":
            live[entry.key] = entry
        else:
            live.pop(entry.key, None)
    return live
