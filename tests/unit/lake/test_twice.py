"""A file lands once: the same bytes as another month, another dataset or another name are refused."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from penstock.lake import landing

from .conftest import GreenFile, Project

NOTE = """
  notes:
    file_name: ["notes-{month}.csv"]
    columns:
      text: {type: string}
  papers:
    file_name: ["papers-{month}.csv"]
    columns:
      text: {type: string}
"""


def refused(project: Project, *arguments: str) -> str:
    """Run a landing that is refused, check that the lake is unchanged, and return the reason."""
    before = project.tree()
    answer = project.penstock(*arguments)
    assert answer.code == 1, answer.text
    assert project.tree() == before
    (reason,) = [line for line in answer.text.splitlines() if line.startswith("refused ")]
    assert re.search("needed: .* found: .* do: ", reason)
    return reason


def test_the_same_bytes_for_another_month(project: Project, green_file: GreenFile) -> None:
    first = green_file("2021-01")
    project.penstock("land", "green", "--file", str(first))
    second = first.with_name("green_tripdata_2021-02.parquet")
    shutil.copy(first, second)
    arguments = ("land", "green", "--file", str(second))
    reason = refused(project, *arguments)
    assert f"its bytes are live as green 2021-01, from {first}" in reason
    # If January was the mistake, the command in the message fixes it.
    (command,) = re.findall(r"`penstock (.*?)`", reason)
    assert project.penstock(*shlex.split(command)).code == 0
    assert project.penstock(*arguments).code == 0
    assert [month.month for _, month in project.manifest.live()] == [2]


def test_the_same_bytes_for_another_dataset(project: Project, tmp_path: Path) -> None:
    path = project.root / "lake.yml"
    path.write_text(path.read_text().rstrip() + NOTE)
    file = tmp_path / "x.csv"
    file.write_text("text\nhello\n")
    assert project.penstock("land", "notes", "--file", str(file), "--month", "2021-01").code == 0
    assert "live as notes 2021-01" in refused(project, "land", "papers", "--file", str(file), "--month", "2021-01")


def test_the_same_month_under_another_name(project: Project, green_file: GreenFile) -> None:
    first = green_file()
    project.penstock("land", "green", "--file", str(first))
    second = first.with_name("download.parquet")
    shutil.copy(first, second)
    arguments = ("land", "green", "--file", str(second), "--month", "2021-01")
    assert "`penstock remove green 2021-01`" in refused(project, *arguments)
    assert project.penstock("remove", "green", "2021-01").code == 0
    assert project.penstock(*arguments).code == 0
    assert project.rows("green", "2021-01").column("source_file").to_pylist() == ["download.parquet"] * 3


def test_the_same_name_from_elsewhere_is_unchanged(project: Project, green_file: GreenFile, tmp_path: Path) -> None:
    first = green_file()
    project.penstock("land", "green", "--file", str(first))
    copy = tmp_path / "elsewhere" / first.name
    copy.parent.mkdir()
    shutil.copy(first, copy)
    assert "unchanged" in project.penstock("land", "green", "2021-01", "--from", str(copy.parent)).text
    assert project.manifest.version() == 1


def test_the_bytes_of_a_superseded_file_can_land(project: Project, green_file: GreenFile) -> None:
    first = green_file(fare=1.0)
    project.penstock("land", "green", "--file", str(first))
    second = first.with_name("green_tripdata_2021-02.parquet")
    shutil.copy(first, second)
    green_file(fare=2.0)
    project.penstock("land", "green", "--file", str(first))
    assert project.penstock("land", "green", "--file", str(second)).code == 0


@pytest.mark.parametrize("name", ["green_tripdata_2021-02.parquet", "green_tripdata_2021-01.parquet"])
def test_two_landings_of_one_file_at_once(
    project: Project, green_file: GreenFile, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Another landing ends during this one, after this one has read which months are live."""
    first = green_file("2021-01")
    other = first.parent / "other" / name
    other.parent.mkdir()
    shutil.copy(first, other)
    detect_file_type = landing.detect_file_type  # type: ignore[attr-defined]

    def land_other_first(path: Path, name: str) -> object:
        monkeypatch.setattr(landing, "detect_file_type", detect_file_type)
        assert project.penstock("land", "green", "--file", str(other)).code == 0
        return detect_file_type(path, name)

    monkeypatch.setattr(landing, "detect_file_type", land_other_first)
    answer = project.penstock("land", "green", "--file", str(first))
    if name == first.name:
        assert (answer.code, "unchanged" in answer.text) == (0, True)
    else:
        assert (answer.code, "live as green 2021-02" in answer.text) == (1, True)
    (entry,) = project.manifest.entries()
    assert entry.source == str(other)
    assert len(list(project.lake.glob("green/*/*/*"))) == 1


def test_remove(project: Project, green_file: GreenFile) -> None:
    for month in ("2021-01", "2021-02", "2021-03"):
        green_file(month)
    project.penstock("land", "green", "all", "--from", "../files")
    answer = project.penstock("remove", "green", "2021-02..2021-04")
    assert answer.code == 1
    assert answer.text.count("removed") == 2
    assert "refused green 2021-04: needed: green 2021-04 live. found: no such month; live: 2021-01..2021-03" in (
        answer.text
    )
    assert [month.month for _, month in project.manifest.live()] == [1]
    assert len(list(project.lake.glob("green/*/*/*"))) == 3
    assert "2 removed" in project.penstock("clean", "--grace", "0d").text
    assert project.penstock("remove", "green", "all").code == 0
    assert project.manifest.live() == {}
    for arguments, message in (
        (("green", "all"), "live months of green. found: none"),
        (("green", "2021-01"), "live: none"),
        (("blue", "2021-01"), "known: green"),
        (("green",), "at least one month"),
    ):
        answer = project.penstock("remove", *arguments)
        assert (answer.code, message in answer.text) == (1, True), answer.text
    assert project.manifest.version() == 6


def test_a_dataset_that_is_not_in_lake_yml_can_be_removed(project: Project, green_file: GreenFile) -> None:
    project.penstock("land", "green", "--file", str(green_file()))
    path = project.root / "lake.yml"
    path.write_text(path.read_text().replace("  green:\n", "  emerald:\n", 1))
    assert project.penstock("remove", "green", "2021-01").code == 0
    assert project.manifest.live() == {}
