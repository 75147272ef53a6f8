"""The server is killed in the middle of a write: the old rows stay, the next run mends, nothing is left behind."""

from __future__ import annotations

import psutil
import pytest

from penstock.spark.server import control, record
from tests.faults.small_faults_project import NEVER, WAIT, kill_server_when_busy, start, tables
from tests.support.projects import Project, edited

SEED = "id,version\n" + "".join(f"{number},2\n" for number in range(400_000))


def rows(project: Project, name: str) -> list[tuple[int, int]]:
    """How many rows of which version."""
    return [
        (int(v), int(n)) for v, n in project.sql(f"select version, count(*) from small.{name} group by 1 order by 1")
    ]


def after_success(name: str) -> list[tuple[int, int]]:
    """What a second version makes of a node that had 800 rows of the first."""
    if name in ("an_append", "a_snapshot"):
        return [(1, 800), (2, 800)]
    return [(2, 400_000 if name == "a_seed" else 800)]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(
            ("a_table", "an_incremental", "an_append", "a_python", "a_snapshot"), id="models", marks=pytest.mark.core
        ),
        pytest.param(("a_seed",), id="seed"),
    ],
)
def test_a_kill_leaves_the_last_good_rows(project: Project, names: tuple[str, ...]) -> None:
    """One kill while every node writes: rows and tables are as before; the next run is right, and starts the server."""
    assert project.penstock("up").returncode == 0
    present = tables(project)
    assert all(rows(project, name) == [(1, 800)] for name in names)
    with edited(project.root / "seeds" / "a_seed.csv", SEED):
        chosen = ("build", "--select", *names, "--threads", str(len(names)))
        dbt = start(project, *chosen, "--vars", f"{{slow: {NEVER}, version: 2}}")
        killed = kill_server_when_busy(project, dbt, names)
        output, _ = dbt.communicate(timeout=WAIT)
        assert dbt.returncode == 1, output
        assert "Traceback" not in output
        assert project.penstock("up").returncode == 0
        assert not psutil.pid_exists(killed)
        assert all(rows(project, name) == [(1, 800)] for name in names)
        assert tables(project) == present
        done = project.dbt(*chosen, "--vars", "version: 2")
    assert done.returncode == 0, done.stdout
    assert {name: rows(project, name) for name in names} == {name: after_success(name) for name in names}
    assert tables(project) == present


@pytest.mark.core
def test_a_first_run_that_was_killed_can_be_repeated(project: Project) -> None:
    """There was no table before: none is there after the kill, and files of the first try don't stop the second."""
    names = ("a_table", "a_python")
    assert project.penstock("up").returncode == 0
    for name in names:
        project.sql(f"drop table small.{name}")
    dbt = start(project, "run", "--select", *names, "--vars", f"{{slow: {NEVER}, version: 5}}")
    kill_server_when_busy(project, dbt, names)
    output, _ = dbt.communicate(timeout=WAIT)
    assert dbt.returncode == 1, output
    assert project.penstock("up").returncode == 0
    assert not set(names) & tables(project)
    done = project.dbt("run", "--select", *names, "--vars", "version: 5")
    assert done.returncode == 0, done.stdout
    assert all(rows(project, name) == [(5, 800)] for name in names)


def test_nothing_is_left_behind(project: Project) -> None:
    """After all these kills: no process of the project, no temporary file, no stray folder."""
    assert project.penstock("up").returncode == 0
    control.down(project.settings)
    assert record.read(project.settings) is None
    state = project.settings.state_dir
    for root in (str(project.root), str(state)):
        processes = psutil.process_iter(["pid", "cmdline"])
        assert [p.info for p in processes if any(root in word for word in p.info["cmdline"] or ())] == []
    assert [path.name for path in (state / "tmp").iterdir() if path.name != "hive"] == []
    known = {"models", "snapshots", "seeds", "macros", "logs", "target", "logs-other", "target-other"}
    known |= {"dbt_project.yml", "profiles.yml", "penstock.yml", ".user.yml"}
    assert {path.name for path in project.root.iterdir()} <= known
    kept = {"a_table", "an_incremental", "an_append", "a_python", "a_snapshot", "a_seed"}
    assert {path.name for path in (project.settings.warehouse_dir / "small.db").iterdir()} <= kept
