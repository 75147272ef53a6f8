"""Landing a damaged month again repairs it, with the commands that the error names."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import date

import pyarrow.parquet as pq
import pytest

from penstock.errors import PenstockError
from penstock.lake.manifest import Entry
from penstock.lake.verification import find_problems, require_intact

from .conftest import GreenFile, Project, sha256_of
from .test_verify import DAMAGE, only

LAND = ("land", "green", "2021-01", "--from", "../files")


def named_commands(project: Project) -> list[list[str]]:
    """Return the arguments of the commands in the error about damaged files."""
    with pytest.raises(PenstockError) as error:
        require_intact(project.lake, project.manifest.live().values())
    return [shlex.split(command)[1:] for command in re.findall(r"`(penstock .*?)`", error.value.do)]


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_month_is_restored(project: Project, green_file: GreenFile, kind: str) -> None:
    green_file(rows=50)
    project.penstock(*LAND)
    entry, path = only(project)
    rows = project.rows("green", "2021-01")
    DAMAGE[kind][0](path)
    (arguments,) = named_commands(project)
    answer = project.penstock(*arguments)
    assert (answer.code, "repaired" in answer.text) == (0, True), answer.text
    # The same source gives the same file, so nothing is committed.
    assert project.manifest.entries() == [entry]
    assert find_problems(project.lake, [entry]) == []
    assert project.rows("green", "2021-01").equals(rows)
    assert "unchanged" in project.penstock(*LAND).text


def test_a_reader_keeps_the_file_it_opened(project: Project, green_file: GreenFile) -> None:
    green_file(rows=50)
    project.penstock(*LAND)
    _, path = only(project)
    damaged = path.read_bytes() + b"x"
    path.write_bytes(damaged)
    with path.open("rb") as reader:
        assert "repaired" in project.penstock(*LAND).text
        assert reader.read() == damaged
    assert path.read_bytes() == damaged[:-1]


def test_an_added_file_is_moved_away_and_not_deleted(project: Project, green_file: GreenFile) -> None:
    green_file()
    project.penstock(*LAND)
    entry, path = only(project)
    shutil.copy(path, path.with_name("mine.parquet"))
    assert "repaired" in project.penstock(*LAND).text
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert [p.name for p in project.lake.glob(".staging/aside-*/*")] == ["mine.parquet"]
    assert project.manifest.entries() == [entry]


def test_a_repair_with_other_bytes_is_committed_for_the_same_folder(project: Project, green_file: GreenFile) -> None:
    """An older pyarrow wrote other bytes, or an older penstock recorded no hash: the repair records the new hash."""
    green_file()
    project.penstock(*LAND)
    first, path = only(project)
    log = project.manifest.log_dir / "0000000001.json"
    for field, value in (("file_sha256", "f" * 64), ("file_sha256", "")):
        log.write_text(first.model_copy(update={field: value, "file_bytes": 0}).model_dump_json())
        path.write_bytes(b"damaged")
        assert "repaired" in project.penstock(*LAND).text
        entry, _ = only(project)
        assert (entry.version, entry.folder, entry.rows) == (2, first.folder, first.rows)
        assert entry.file_sha256 == first.file_sha256 == sha256_of(path)
        assert find_problems(project.lake, [entry]) == []
        (project.manifest.log_dir / "0000000002.json").unlink()


def test_an_undamaged_file_of_an_entry_without_a_hash_is_unchanged(project: Project, green_file: GreenFile) -> None:
    green_file()
    project.penstock(*LAND)
    entry, _ = only(project)
    old = entry.model_dump(mode="json", exclude={"file_sha256", "file_bytes"})
    (project.manifest.log_dir / "0000000001.json").write_text(Entry.model_validate(old).model_dump_json())
    assert "unchanged" in project.penstock(*LAND).text


def test_a_damaged_folder_that_becomes_live_again_is_repaired(project: Project, green_file: GreenFile) -> None:
    for fare in (1.0, 2.0):
        green_file(fare=fare)
        project.penstock(*LAND)
    old = project.manifest.entries()[0].path(project.lake)
    old.write_bytes(b"damaged")
    green_file(fare=1.0)
    assert "replaced" in project.penstock(*LAND).text
    entry, path = only(project)
    assert path == old and find_problems(project.lake, [entry]) == []
    assert pq.ParquetFile(path).metadata.num_rows == 3


def test_a_sample_month_is_repaired_by_the_same_sample(project: Project) -> None:
    arguments = ("sample", "--rows", "50", "--seed", "7", "--dataset", "green")
    project.penstock(*arguments)
    entries = list(project.manifest.live().values())
    for entry in entries[:2]:
        entry.path(project.lake).unlink()
    for command in named_commands(project):
        answer = project.penstock(*command)
        assert (answer.code, "repaired" in answer.text) == (0, True), answer.text
    entries[2].path(project.lake).write_bytes(b"")
    answer = project.penstock(*arguments)
    assert (answer.code, answer.text.count("repaired"), answer.text.count("unchanged")) == (0, 1, 5)
    assert find_problems(project.lake, entries) == []
    assert list(project.manifest.live().values()) == entries


def test_a_sample_does_not_replace_a_damaged_real_month(project: Project, green_file: GreenFile) -> None:
    green_file("2023-01")
    project.penstock("land", "green", "2023-01", "--from", "../files")
    entry = project.manifest.live()["green", date(2023, 1, 1)]
    entry.path(project.lake).unlink()
    assert "kept" in project.penstock("sample", "--dataset", "green", "--months", "2023-01").text
    assert project.manifest.entries() == [entry]
