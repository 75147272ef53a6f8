"""Two runs write the same table at once: it holds what one of them made, or both appended, and nothing else."""

from __future__ import annotations

import pytest

from tests.faults.small_faults_project import SLOWLY, WAIT, start, tables
from tests.support.projects import Project


def together(project: Project, name: str) -> tuple[list[int], str]:
    """Two runs of a node side by side: their exit codes, and their output."""
    assert project.penstock("up").returncode == 0
    runs = [
        start(
            project,
            "run",
            "--select",
            name,
            "--vars",
            f"{{slow: {SLOWLY}, version: {version}}}",
            folder=f"run{version}",
        )
        for version in (11, 12)
    ]
    outputs = [run.communicate(timeout=WAIT)[0] for run in runs]
    return [run.wait() for run in runs], "\n".join(outputs)


@pytest.mark.core
def test_a_table_is_one_runs_whole(project: Project) -> None:
    """All rows of one version; a run that lost says so, and at least one won."""
    present = tables(project)
    codes, output = together(project, "a_table")
    assert 0 in codes, output
    versions = project.sql("select version, count(*) from small.a_table group by 1")
    assert len(versions) == 1 and versions[0][1] == 800
    assert "Traceback" not in output
    assert tables(project) == present


def test_appends_add_up(project: Project) -> None:
    """Each run that succeeded added its rows once; one that failed added none."""
    before = project.sql("select count(*) from small.an_append")[0][0]
    codes, output = together(project, "an_append")
    assert 0 in codes, output
    for version, code in zip((11, 12), codes, strict=True):
        added = project.sql(f"select count(*) from small.an_append where version = {version}")[0][0]
        assert added == (800 if code == 0 else 0)
    assert project.sql("select count(*) from small.an_append")[0][0] == before + 800 * codes.count(0)
