"""The disk fills up during a write: a plain error, the old rows, and a run that works once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.small_faults_project import tables
from tests.support.projects import Project

ROOM, FILLED = 96, 72  # MiB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, most of which one file takes."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        (tmp_path / "filler").write_bytes(bytes(FILLED * 2**20))
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.parametrize("name", ["full_sql", "full_python"])
def test_a_full_disk_leaves_the_last_good_rows(project: Project, small_disk: Path, name: str) -> None:
    """Random text doesn't compress: two million rows of it need more than the disk has."""
    sql = "select id, repeat(uuid(), 4) as text from range(0, {}, 1, 2)"
    model = project.root / "models" / (f"{name}.sql" if name == "full_sql" else f"{name}.py")
    config = f"materialized='table', location_root='file://{small_disk}'"

    def write(rows: int) -> None:
        text = f"{{{{ config({config}) }}}} {sql.format(rows)}"
        if name == "full_python":
            text = f"def model(dbt, session):\n    dbt.config({config})\n    return session.sql('{sql.format(rows)}')\n"
        model.write_text(text)

    try:
        write(1000)
        first = project.dbt("run", "--select", name)
        assert first.returncode == 0, first.stdout
        present = tables(project)
        write(2_000_000)
        full = project.dbt("run", "--select", name)
        assert full.returncode == 1, full.stdout
        assert "No space left on device" in full.stdout
        assert "Traceback" not in full.stdout
        assert project.sql(f"select count(*) from small.{name}") == [(1000,)]
        assert tables(project) == present
        # Delta keeps the files of a commit that never was until `vacuum`; there is room beside them.
        (small_disk / "filler").unlink()
        write(2000)
        again = project.dbt("run", "--select", name)
        assert again.returncode == 0, again.stdout
        assert project.sql(f"select count(*) from small.{name}") == [(2000,)]
    finally:
        model.unlink()
        project.sql(f"drop table if exists small.{name}")
