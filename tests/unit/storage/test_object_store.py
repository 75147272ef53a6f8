"""A lake in an object store, served by moto on this machine."""

from __future__ import annotations

import threading
import uuid
from datetime import date, timedelta
from pathlib import Path

import pytest
from upath import UPath

from penstock.errors import PenstockError
from penstock.lake import cleanup
from penstock.lake.catalog import load as load_catalog
from penstock.lake.landing import LandingResult, land
from penstock.lake.manifest import LANDED_FILE, Entry, Manifest
from penstock.lake.manifest_table import write_snapshot
from penstock.lake.sample import SampleMonth, write_raw
from penstock.lake.source_files import local_file
from penstock.lake.staging import staging_folder
from penstock.lake.verification import find_problems
from penstock.storage import filesystems, locations
from penstock.storage.locations import Location

ROOT = Path(__file__).resolve().parents[3]
MONTH = date(2023, 1, 1)


@pytest.fixture
def lake(endpoint: str, credentials: None) -> Location:
    """Return a lake in a new bucket."""
    folder = locations.open_location(Path(), f"s3a://b-{uuid.uuid4().hex}/the/lake", endpoint, "eu-central-1", False)
    assert isinstance(folder, UPath)
    folder.fs.mkdir(folder.parts[0].strip("/").partition("/")[0])
    return folder


def land_sample(
    lake: Location, tmp_path: Path, seed: int = 1, name: str = "green_tripdata_2023-01.parquet"
) -> LandingResult:
    """Land a sample month."""
    path = tmp_path / f"{seed}" / name
    path.parent.mkdir(exist_ok=True)
    write_raw(SampleMonth("green", MONTH, 500, seed), path)
    catalog = load_catalog(ROOT)
    return land(catalog, catalog.dataset("green"), MONTH, local_file(path, name, str(path)), lake)


def test_a_file_is_created_once(lake: Location) -> None:
    store = filesystems.file_system(lake)
    assert store.create(lake / "a", b"first") and not store.create(lake / "a", b"second")
    assert store.read([lake / "a"]) == [b"first"]


def test_a_month_lands_is_replaced_and_repaired(lake: Location, tmp_path: Path) -> None:
    first = land_sample(lake, tmp_path)
    assert first.outcome == "landed" and first.entry.file_tag
    assert land_sample(lake, tmp_path).outcome == "unchanged"
    second = land_sample(lake, tmp_path, seed=2)
    assert second.outcome == "replaced" and second.entry.version == 2
    assert Manifest(lake).live() == {("green", MONTH): second.entry}
    file = second.entry.path(lake)
    with file.open("wb") as out:
        out.write(b"not what landed")
    assert "a truncated file" in find_problems(lake, [second.entry])[0].found
    assert land_sample(lake, tmp_path, seed=2).outcome == "repaired"
    assert find_problems(lake, [second.entry], read=True) == []
    assert [path for path in staging_folder(lake).iterdir() if path.name != ".lake.lock"] == []


def test_the_same_size_with_other_bytes_is_found(lake: Location, tmp_path: Path) -> None:
    """The store's tag of the file shows it."""
    entry = land_sample(lake, tmp_path).entry
    with entry.path(lake).open("wb") as out:
        out.write(bytes(entry.file_bytes))
    assert "other content" in find_problems(lake, [entry])[0].found


def test_unexpected_files_are_moved_away(lake: Location, tmp_path: Path) -> None:
    entry = land_sample(lake, tmp_path).entry
    with (lake / entry.folder / "stranger.parquet").open("wb") as out:
        out.write(b"x")
    assert "did not land" in find_problems(lake, [entry])[0].found
    assert land_sample(lake, tmp_path).outcome == "repaired"
    assert filesystems.file_system(lake).list_names(lake / entry.folder) == [LANDED_FILE]


def test_clean_removes_a_superseded_folder(lake: Location, tmp_path: Path) -> None:
    old = land_sample(lake, tmp_path).entry
    new = land_sample(lake, tmp_path, seed=2).entry
    with pytest.raises(PenstockError, match="at least an hour"):
        cleanup.clean(lake, timedelta(0))
    assert cleanup.clean(lake, timedelta(hours=1)) == []
    found = cleanup.find_removable(lake, new.landed_at + timedelta(seconds=1))
    assert [(path, why) for path, why in found] == [(lake / old.folder, "superseded")]
    filesystems.file_system(lake).remove(found[0][0])
    assert find_problems(lake, [new]) == [] and not (lake / old.folder / LANDED_FILE).exists()


def test_a_snapshot_of_the_manifest(lake: Location, tmp_path: Path) -> None:
    land_sample(lake, tmp_path)
    version, path = write_snapshot(Manifest(lake))
    assert version == 1 and path.exists() and write_snapshot(Manifest(lake)) == (version, path)


def test_concurrent_commits_are_all_kept(lake: Location) -> None:
    """Eight writers without a lock: every commit gets its own version."""
    entry = Entry(
        dataset="green", file_month=MONTH, folder="f", source="s", source_file="s", sha256="0",
        schema_fingerprint="0", bytes=1, rows=1,
    )  # fmt: skip
    numbers: list[int] = []
    start = threading.Barrier(8)

    def write(writer: int) -> None:
        start.wait()
        for turn in range(3):
            mine = entry.model_copy(update={"source": f"{writer}-{turn}"})
            numbers.append(Manifest(lake).commit(mine).version)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(numbers) == list(range(1, 25))
    assert {entry.source for entry in Manifest(lake).entries()} == {f"{w}-{t}" for w in range(8) for t in range(3)}


def test_a_commit_after_an_older_version_is_refused(lake: Location, tmp_path: Path) -> None:
    """Checks that were made at version 0 do not hold at version 1."""
    entry = land_sample(lake, tmp_path).entry
    assert Manifest(lake).commit_after(0, entry) is None
    assert Manifest(lake).version() == 1


def test_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    folder = locations.open_location(Path(), "s3a://bucket/lake", "http://127.0.0.1:9", "eu-central-1", False)
    with pytest.raises(PenstockError) as caught:
        Manifest(folder).version()
    assert "s3://bucket/lake" in str(caught.value) and "planted-secret" not in str(caught.value)
