"""The streaming lane beside the batch: a month again, a month less, a kill in the middle."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import psutil

from penstock.lake.sample import SampleMonth, write_raw
from tests.ml.test_chain import run
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import Project, edited

MONTH = "2023-03"


def land(project: Project, seed: int) -> None:
    """Land the month in another version."""
    raw = project.root / f"raw-{seed}"
    raw.mkdir()
    write_raw(SampleMonth("green", date(2023, 3, 1), 1200, seed=seed), raw / f"green_tripdata_{MONTH}.parquet")
    assert project.penstock("land", "green", MONTH, "--from", str(raw)).returncode == 0


def batches(project: Project) -> list[tuple[int, int]]:
    """(micro-batch, commit of the manifest) of each that wrote."""
    rows = project.sql("select batch_id, manifest_version from staging.stream_progress order by 1")
    return [(int(batch), int(version)) for batch, version in rows]


def holds(project: Project) -> None:
    """Both lanes have the same rows."""
    assert "PASS=" in run(project, "test", "--select", "stream_equals_batch stream_progress")


def follow(project: Project) -> None:
    """Bring the lane to its end."""
    run(project, "run", "--select", "stg_green_trips stg_yellow_trips stream_progress")


def test_each_commit_of_the_manifest_is_a_batch(trained: Project) -> None:
    follow(trained)
    before = batches(trained)
    assert len(before) == len({version for _, version in before}) >= 12
    land(trained, seed=31)
    follow(trained)
    assert len(batches(trained)) == len(before) + 1
    (rows,) = trained.sql(
        f"select count(*) from staging.stream_trips where service_type = 'green' and file_month = date'{MONTH}-01'"
    )
    assert rows == (1200,), "replaced, not added"
    holds(trained)


def test_nothing_landed_does_nothing(trained: Project) -> None:
    before, history = batches(trained), trained.sql("describe history staging.stream_trips")
    follow(trained)
    assert batches(trained) == before
    assert len(trained.sql("describe history staging.stream_trips")) == len(history)


def test_a_sample_leaves_the_stream_where_it_is(trained: Project) -> None:
    """It would replace whole months by parts of them."""
    before, history = batches(trained), trained.sql("describe history staging.stream_trips")
    land(trained, seed=34)
    printed = run(trained, "run", "--select", "stg_green_trips stg_yellow_trips stream_progress", "--empty")
    assert "the stream does not advance" in printed
    assert batches(trained) == before
    assert len(trained.sql("describe history staging.stream_trips")) == len(history)


def test_what_lands_while_it_runs_is_for_the_next_run(trained: Project) -> None:
    """Spark's tables of the lake are of the run's begin: a later commit would be followed with older rows."""
    before = batches(trained)
    with edited(trained.root / "python_models" / "stream_progress.py", _landing_meanwhile(trained)):
        printed = run(trained, "run", "--select", "stg_green_trips stg_yellow_trips stream_progress")
    assert "files landed during this run" in printed
    after = batches(trained)
    assert len(after) == len(before) + 1, "the month that landed before the run"
    follow(trained)
    assert len(batches(trained)) == len(after) + 1
    holds(trained)


def _landing_meanwhile(project: Project) -> str:
    """The model's text, with a month that lands when it begins."""
    raw = project.root / "raw-35"
    raw.mkdir()
    write_raw(SampleMonth("green", date(2023, 3, 1), 1300, seed=35), raw / f"green_tripdata_{MONTH}.parquet")
    command = [str(Path(sys.executable).parent / "penstock"), "land", "green", MONTH, "--from", str(raw)]
    text = (project.root / "python_models" / "stream_progress.py").read_text()
    begin = f"    import subprocess\n\n    subprocess.run({command}, cwd={str(project.root)!r}, check=True)\n"
    return text.replace('    green = dbt.ref("stg_green_trips")\n', begin + '    green = dbt.ref("stg_green_trips")\n')


def test_a_kill_in_a_batch_loses_and_doubles_nothing(trained: Project) -> None:
    before = batches(trained)
    land(trained, seed=32)
    checkpoint = trained.settings.warehouse_dir / "_checkpoints" / "staging.stream_trips"
    known = {path.name for path in (checkpoint / "offsets").iterdir()}
    process = trained.start("dbt", "run", "--select", "stream_progress")

    def batch_began() -> bool:
        assert process.poll() is None, process.output()
        return bool({path.name for path in (checkpoint / "offsets").iterdir()} - known)

    wait_until(batch_began, "a batch begins", pause=0.02)
    [driver] = [item for item in psutil.Process(process.pid).children(recursive=True) if item.name() == "java"]
    driver.kill()
    process.wait(LIMIT)
    assert process.returncode != 0
    follow(trained)
    after = batches(trained)
    assert len(after) == len({version for _, version in after}) == len(before) + 1
    holds(trained)


def test_a_month_that_is_removed_goes(trained: Project) -> None:
    assert trained.penstock("remove", "green", MONTH).returncode == 0
    follow(trained)
    where = f"service_type = 'green' and file_month = date'{MONTH}-01'"
    assert trained.sql(f"select count(*) from staging.stream_trips where {where}") == [(0,)]
    holds(trained)
    land(trained, seed=33)
    run(trained, "run", "--select", "+tag:ml", "--exclude", "tag:ml")
