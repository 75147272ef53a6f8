"""The server is killed in the middle of a write: the old rows stay, the next run mends, nothing is left behind."""

from __future__ import annotations

import psutil
import pytest
from faulty import WAIT, kill_server_when_busy, start, tables
from projects import Project, edited

from penstock.server import control, record

NODES = ("a_table", "an_incremental", "an_append", "a_python", "a_snapshot", "a_seed")
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


@pytest.mark.parametrize("name", NODES)
def test_a_kill_leaves_the_last_good_rows(project: Project, name: str) -> None:
    """Rows and tables are as before; the next run is right, and starts the server by itself."""
    assert project.penstock("up").returncode == 0
    before, present = rows(project, name), tables(project)
    assert before == [(1, 800)]
    with edited(project.root / "seeds" / "a_seed.csv", SEED):
        dbt = start(project, "build", "--select", name, "--vars", "{slow: true, version: 2}")
        killed = kill_server_when_busy(project, dbt)
        said, _ = dbt.communicate(timeout=WAIT)
        assert dbt.returncode == 1, said
        assert "Traceback" not in said
        assert project.penstock("up").returncode == 0
        assert not psutil.pid_exists(killed)
        assert rows(project, name) == before
        assert tables(project) == present
        done = project.dbt("build", "--select", name, "--vars", "version: 2")
    assert done.returncode == 0, done.stdout
    assert rows(project, name) == after_success(name)
    assert tables(project) == present


@pytest.mark.parametrize("name", ["a_table", "a_python"])
def test_a_first_run_that_was_killed_can_be_repeated(project: Project, name: str) -> None:
    """There was no table before: none is there after the kill, and files of the first try don't stop the second."""
    assert project.penstock("up").returncode == 0
    project.sql(f"drop table small.{name}")
    dbt = start(project, "run", "--select", name, "--vars", "{slow: true, version: 5}")
    kill_server_when_busy(project, dbt)
    said, _ = dbt.communicate(timeout=WAIT)
    assert dbt.returncode == 1, said
    assert project.penstock("up").returncode == 0
    assert name not in tables(project)
    done = project.dbt("run", "--select", name, "--vars", "version: 5")
    assert done.returncode == 0, done.stdout
    assert rows(project, name) == [(5, 800)]


def test_nothing_is_left_behind(project: Project) -> None:
    """After all these kills: no process of the project, no temporary file, no stray folder."""
    assert project.penstock("up").returncode == 0
    control.down(project.settings)
    assert record.read(project.settings) is None
    root = str(project.root)
    left = [p.info for p in psutil.process_iter(["pid", "cmdline"]) if any(root in x for x in p.info["cmdline"] or ())]
    assert left == []
    state = project.settings.state_dir
    assert [path.name for path in (state / "tmp").iterdir() if path.name != "hive"] == []
    known = {"models", "snapshots", "seeds", "macros", "logs", "target", "logs-other", "target-other", "warehouse"}
    known |= {"dbt_project.yml", "profiles.yml", "penstock.yml", ".penstock", ".user.yml"}
    assert {path.name for path in project.root.iterdir()} <= known
    kept = {"a_table", "an_incremental", "an_append", "a_python", "a_snapshot", "a_seed"}
    assert {path.name for path in (project.root / "warehouse" / "small.db").iterdir()} <= kept
