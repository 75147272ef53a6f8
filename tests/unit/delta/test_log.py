"""A table's newest commits by the files of its log, as DESCRIBE HISTORY returns them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.delta import log as delta_log
from penstock.intervals.delta_history import parse_history

INFORMATION = "Database: w\nTable: facts\nProvider: {provider}\nLocation: {location}\nPartition Provider: Catalog\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the log of a table with three commits, a checkpoint and checksums; its folder has a space."""
    made = tmp_path / "a table" / "_delta_log"
    made.mkdir(parents=True)
    for version, operation in enumerate(["CREATE TABLE", "WRITE", "OPTIMIZE"]):
        info = {
            "operation": operation,
            "operationParameters": {"predicate": "(a = 1)"},
            "operationMetrics": {"numOutputRows": "7"},
            "userMetadata": f"made by {version}",
        }
        actions = [{"commitInfo": info}, {"add": {"path": "part-0"}}]
        actions = actions[::-1] if version == 1 else actions
        (made / f"{version:020}.json").write_text("\n".join(map(json.dumps, actions)) + "\n")
        (made / f"{version:020}.crc").write_text("{}")
    (made / f"{1:020}.checkpoint.parquet").write_text("")
    (made / f"{0:020}.{1:020}.compacted.json").write_text("{}")
    return made


def test_the_newest_commits_come_first(log: Path) -> None:
    found = delta_log.history_rows(log, 2)
    assert found is not None
    assert [(row["version"], row["operation"], row["userMetadata"]) for row in found] == [
        (2, "OPTIMIZE", "made by 2"),
        (1, "WRITE", "made by 1"),
    ]
    assert [commit.version for commit in parse_history(delta_log.history_rows(log, 9) or [])] == [0, 1, 2]


def test_the_newest_commit_has_a_unique_id(log: Path) -> None:
    """A table that was dropped and created again may have the same version, but another commit."""
    before = delta_log.newest_commit_id(log)
    assert before and before == delta_log.newest_commit_id(log)
    file = log / f"{2:020}.json"
    text = file.read_text()
    file.write_text(text.replace("made by 2", "made by another"))
    assert delta_log.newest_commit_id(log) != before
    file.write_text(text)
    (log / f"{3:020}.json").write_text(text)
    assert delta_log.newest_commit_id(log) != before


def test_an_incomplete_log_is_not_used(log: Path, tmp_path: Path) -> None:
    assert delta_log.newest_commit_id(tmp_path / "nowhere") is None
    assert delta_log.history_rows(tmp_path / "nowhere", 1) is None
    (log / f"{3:020}.json").write_text('{"add": {"path": "part-1"}}\n')
    assert delta_log.history_rows(log, 1) is None
    (log / f"{3:020}.json").write_text('{"commitInfo": {"oper')
    assert delta_log.history_rows(log, 1) is None


def test_commits_that_a_catalog_manages_are_not_used(log: Path) -> None:
    staged = log / "_staged_commits"
    staged.mkdir()
    assert delta_log.history_rows(log, 1) is not None
    (staged / f"{3:020}.uuid.json").write_text("{}")
    assert delta_log.history_rows(log, 1) is None


@pytest.mark.parametrize("scheme", ["file:", "file://"])
def test_the_folder_is_that_of_the_tables_location(log: Path, scheme: str) -> None:
    location = f"{scheme}{log.parent}"
    assert delta_log.log_folder(INFORMATION.format(provider="delta", location=location)) == log
    assert delta_log.log_folder(INFORMATION.format(provider="parquet", location=location)) is None


@pytest.mark.parametrize("location", ["s3a://bucket/w.db/facts", "file:/nowhere/facts", "hdfs://host/facts"])
def test_a_table_on_another_machine_has_no_folder(location: str) -> None:
    assert delta_log.log_folder(INFORMATION.format(provider="delta", location=location)) is None
    assert delta_log.log_folder("") is None


def test_properties_of_a_newest_commit_that_wrote_the_whole_table(tmp_path: Path) -> None:
    """After any other commit there are none, since rows or columns may have changed."""
    operations = {
        "CREATE OR REPLACE TABLE AS SELECT": True,
        "WRITE": False,
        "CREATE TABLE AS SELECT": True,
        "SET": False,
    }
    for version, (operation, whole) in enumerate(operations.items()):
        actions = [{"commitInfo": {"operation": operation}}, {"metaData": {"configuration": {"made.of": str(version)}}}]
        (tmp_path / f"{version:020}.json").write_text("\n".join(map(json.dumps, actions)))
        assert delta_log.properties_as_written(tmp_path) == ({"made.of": str(version)} if whole else None)
    assert delta_log.properties_as_written(tmp_path / "nowhere") is None
