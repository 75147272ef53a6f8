"""Verification finds landed files that were truncated, changed, removed or joined by another file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from penstock.errors import PenstockError
from penstock.lake.manifest import Entry
from penstock.lake.verification import find_problems, require_intact
from tests.support.paths import local_path

from .conftest import GreenFile, Project, sha256_of


def only(project: Project) -> tuple[Entry, Path]:
    """Return the lake's only live entry and its landed file."""
    (entry,) = project.manifest.live().values()
    return entry, local_path(entry.path(project.lake))


def flip(path: Path) -> None:
    """Change one byte of a file, but not its size or modification time."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (Path.unlink, "no file "),
    "folder gone": (lambda path: shutil.rmtree(path.parent), "no file "),
    "cut": (lambda path: os.truncate(path, 100), "a truncated file, 100 bytes where "),
    "empty": (lambda path: os.truncate(path, 0), "a truncated file, 0 bytes where "),
    "grown": (lambda path: path.write_bytes(path.read_bytes() + b"x"), "a file that grew"),
    "flipped": (flip, "other content than landed"),
    "joined": (lambda path: shutil.copy(path, path.with_name("part-1.parquet")), "`part-1.parquet`"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found(project: Project, green_file: GreenFile, kind: str) -> None:
    source = green_file()
    project.penstock("land", "green", "2021-01", "--from", str(source.parent))
    entry, path = only(project)
    assert (entry.file_bytes, entry.file_sha256) == (path.stat().st_size, sha256_of(path))
    assert find_problems(project.lake, [entry]) == []
    require_intact(project.lake, [entry])
    damage, message = DAMAGE[kind]
    damage(path)
    (problem,) = find_problems(project.lake, [entry])
    assert problem.entry == entry
    assert message in problem.found and str(path) in problem.found
    with pytest.raises(PenstockError) as error:
        require_intact(project.lake, [entry])
    assert error.value.found == f"green 2021-01: {problem.found}"
    assert f"`penstock land green --file {source} --month 2021-01`" in error.value.do


def test_an_entry_without_a_hash_is_checked_by_its_footer(project: Project, green_file: GreenFile) -> None:
    project.penstock("land", "green", "2021-01", "--from", str(green_file().parent))
    entry, path = only(project)
    old = entry.model_copy(update={"file_bytes": 0, "file_sha256": ""})
    assert find_problems(project.lake, [old]) == []
    pq.write_table(pq.read_table(path).slice(1), path)
    assert "2 rows where 3 landed" in find_problems(project.lake, [old])[0].found
    os.truncate(path, path.stat().st_size - 10)
    assert "can't be read" in find_problems(project.lake, [old])[0].found


def test_hidden_names_are_not_rows(project: Project, green_file: GreenFile) -> None:
    project.penstock("land", "green", "2021-01", "--from", str(green_file().parent))
    entry, path = only(project)
    for name in (".part-0.parquet.crc", "_SUCCESS"):
        path.with_name(name).write_bytes(b"x")
    assert find_problems(project.lake, [entry]) == []


def test_only_the_damaged_months_are_named_and_many_are_counted(project: Project, green_file: GreenFile) -> None:
    for month in range(1, 9):
        green_file(f"2021-0{month}", fare=float(month))
    project.penstock("land", "green", "all", "--from", "../files")
    entries = list(project.manifest.live().values())
    for entry in entries[1:]:
        entry.path(project.lake).unlink()
    assert [p.entry.file_month.month for p in find_problems(project.lake, entries)] == [2, 3, 4, 5, 6, 7, 8]
    with pytest.raises(PenstockError) as error:
        require_intact(project.lake, entries)
    assert "2021-01" not in str(error.value) and "and 2 more months" in error.value.found


def test_the_command_checks_every_live_file(project: Project, green_file: GreenFile) -> None:
    for month in ("2021-01", "2021-02"):
        green_file(month)
    project.penstock("land", "green", "all", "--from", "../files")
    answer = project.penstock("lake", "--verify")
    assert (answer.code, "every live file is as it landed" in answer.text) == (0, True)
    flip(local_path(next(iter(project.manifest.live().values())).path(project.lake)))
    answer = project.penstock("lake", "--verify")
    assert (answer.code, "found: green 2021-01: other content" in answer.text) == (1, True)
    assert "2021-02" not in answer.text
    assert project.penstock("lake").code == 0
