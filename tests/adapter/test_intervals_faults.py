"""The strategy `interval` on a real server when something goes wrong: failures, lost rows, two runs, bad files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from penstock.lake.manifest import Manifest
from tests.adapter.intervals_project import MODELS, Rides, month_text
from tests.support.paths import local_path


def months_of(rides: Rides) -> list[str]:
    """What the lake has."""
    return sorted(rides.lake)


def landed_file(rides: Rides, month: str) -> Path:
    """The lake's live file of a month."""
    lake = local_path(rides.project.settings.lake_dir)
    return next(
        local_path(entry.path(lake))
        for entry in Manifest(lake).live().values()
        if month_text(entry.file_month) == month
    )


@pytest.mark.core
def test_a_failure_leaves_what_came_before(rides: Rides) -> None:
    """Three new months in commits of two: the last fails in SQL, then in Python; `dbt retry` and `dbt run` go on."""
    for month, last in (("2024-06", None), ("2024-07", None), ("2024-08", 666)):
        rides.land(month, 1, last)
    before = rides.versions()
    failed = rides.run(code=1)
    assert "a fare of 666" in failed.line
    assert rides.ledger(failed) == {"checked": ["2024-06", "2024-07"]}
    assert rides.ledger(failed, "failed") == {"checked": ["2024-08"]}
    assert rides.versions() == {**before, "checked": before["checked"] + 1}
    kept = "select count(*) from small.checked where file_month >= date'2024-06-01'"
    assert rides.sql(kept) == [(8,)]

    rides.land("2024-08", 1, 667)
    retried = rides.dbt("retry", code=1)
    assert "a fare of 667" in retried.line
    assert rides.ledger(retried) == {
        "checked": ["2024-08"],
        "totals": ["2024-06", "2024-07", "2024-08"],
        "daily": ["2024-06", "2024-07", "2024-08"],
    }
    tries = rides.sql(
        "select outcome, attempt from small.batch_runs where model = 'checked' "
        "and interval_start = date'2024-08-01' order by attempt"
    )
    assert tries == [("failed", 1), ("built", 2)]
    assert "a fare of 667" in rides.sql("select max(message) from small.batch_runs where model = 'features'")[0][0] or (
        rides.ledger(retried, "failed") == {"features": ["2024-06", "2024-07", "2024-08"]}
    )

    rides.land("2024-08", 1)
    done = rides.run()
    rides.holds()
    assert rides.ledger(done)["features"] == ["2024-06", "2024-07", "2024-08"]
    assert rides.ledger(done)["checked"] == ["2024-08"]
    assert not list((rides.project.root / "target" / "intervals").glob("*")), "no note is left"


@pytest.mark.core
def test_the_ledger_is_completed(rides: Rides) -> None:
    """Rows lost to a kill come back from the table's history; a table brought back to then is built on from there."""
    rows, newest = {}, {}
    for model in ("checked", "totals"):
        table_id = rides.sql(f"describe detail small.{model}")[0][1]
        of = f"from small.batch_runs where model = '{model}' and table_id = '{table_id}' and outcome = 'built'"
        newest[model] = rides.sql(f"select max(delta_version) {of}")[0][0]
        rows[model] = f"{of} and delta_version = {newest[model]}"
    lost = rows["checked"]
    columns = "batch_id, run_id, interval_start, outcome, inputs, rows_in, rows_out, rows_quarantined"
    known = rides.sql(f"select {columns} {lost} order by interval_start")
    later = rides.sql(f"select interval_start {rows['totals']}")
    assert known and later
    rides.sql(f"delete {lost}")
    rides.sql(f"restore table small.totals to version as of {newest['totals'] - 1}")
    rides.sql(f"delete from small.features where id = {rides.lake[months_of(rides)[-1]][0][0]}")
    deleted = rides.versions()["features"]
    before = rides.versions()["checked"]
    done = rides.run()
    assert rides.sql(f"select {columns} {lost} order by interval_start") == known
    assert rides.sql(f"select distinct message, seconds {lost}") == [("completed after a crash", None)]
    assert rides.versions()["checked"] == before
    rides.holds("checked", "totals", "daily")
    assert rides.ledger(done) == {"totals": sorted(month_text(row[0]) for row in later)}
    restored = f"message = 'the table was restored to version {newest['totals'] - 1}'"
    ledger_rows = rides.sql(f"select interval_start from small.batch_runs where model = 'totals' and {restored}")
    assert {month_text(row[0]) for row in ledger_rows} == set(months_of(rides))
    assert f"features: version {deleted} of small.features is a DELETE by somebody else" in done.line
    assert "do: `dbt run --select features --full-refresh`" in done.line
    full = rides.run("--select", "features", "--full-refresh")
    assert "by somebody else" not in full.line
    rides.holds()


@pytest.mark.core
def test_a_refresh_that_was_killed(rides: Rides) -> None:
    """After its first commit the table has two months and no more, whatever it held before: the rest is built."""
    months = months_of(rides)
    rides.land(months[-1], 1, 666)
    failed = rides.run("--select", "checked", "--full-refresh", code=1)
    assert len(rides.ledger(failed)["checked"]) < len(months)
    kept = sorted(month_text(row[0]) for row in rides.sql("select distinct file_month from small.checked"))
    table_id = rides.sql("describe detail small.checked")[0][1]
    rides.sql(f"delete from small.batch_runs where table_id = '{table_id}'")
    rides.land(months[-1], 1)
    done = rides.run()
    rides.holds()
    assert rides.ledger(done)["checked"] == [month for month in months if month not in kept]


@pytest.mark.core
def test_a_first_build_that_was_killed_before_the_metastore_knew(rides: Rides) -> None:
    """Delta's first commit is in the folder and no table is: the next run makes the table there all the same."""
    for name in ("checked", "features"):
        folder = rides.project.settings.warehouse_dir / "small.db" / name
        first = (folder / "_delta_log" / f"{0:020d}.json").read_bytes()
        rides.sql(f"drop table small.{name}")
        (folder / "_delta_log").mkdir(parents=True)
        (folder / "_delta_log" / f"{0:020d}.json").write_bytes(first)
    rides.run()
    rides.holds()


def test_two_runs_at_once(rides: Rides) -> None:
    """Of other months with no table there before, both win; of the same months, nothing is there twice."""
    for model in ("checked", "totals"):
        rides.sql(f"drop table small.{model}")
    run = ("run", "--select", "checked", "totals")
    early, late = ("--event-time-end", "2024-05-01"), ("--event-time-start", "2024-05-01")
    ends = ("--event-time-start", "2024-01-01"), ("--event-time-end", "2024-12-01")
    apart = rides.together((*run, *ends[0], *early), (*run, *late, *ends[1]))
    assert [done.code for done in apart] == [0, 0], "\n".join(done.text for done in apart)
    rides.holds("checked")
    assert [rides.ledger(done)["checked"] for done in apart] == [
        [month for month in months_of(rides) if month < "2024-05"],
        [month for month in months_of(rides) if month >= "2024-05"],
    ]

    same = rides.together((*run, *ends[0], *ends[1]), (*run, *ends[0], *ends[1]))
    assert 0 in [done.code for done in same], "\n".join(done.text for done in same)
    for done in same:
        assert "Traceback" not in done.text
        assert done.code == 0 or "needed: no other run that writes" in done.line
    rides.holds("checked", "totals")
    rides.run()
    rides.holds()


@pytest.mark.core
def test_a_damaged_file_is_refused(rides: Rides) -> None:
    """Before anything is built, and with the command that repairs it."""
    rides.land("2024-09", 1)
    rides.land("2024-08", 4)
    file = landed_file(rides, "2024-08")
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:100])
    versions = rides.versions()
    refused = rides.run(code=1)
    assert (
        "needed: the landed files of the lake as they were landed. found: rides 2024-08: a truncated file"
        in refused.line
    )
    assert "do: land again: `penstock land rides --file" in refused.line
    assert rides.versions() == versions, "2024-09 is whole, and waits all the same"
    assert rides.ledger(refused) == {}
    rides.land("2024-08", 4)
    done = rides.run()
    rides.holds()
    assert rides.ledger(done) == {model: ["2024-08", "2024-09"] for model in MODELS}


def test_parts_of_intervals_do_not_pass_for_whole_ones(rides: Rides) -> None:
    """What --empty and --sample build is built again."""
    columns = {"checked": "file_month", "totals": "month"}
    rides.run("--empty", "--select", *columns)
    assert rides.sql("select count(*) from small.checked") == [(0,)]
    rides.run("--sample", "{'start': '2024-02-01', 'end': '2024-03-01'}", "--select", *columns)
    sampled = rides.sql("select distinct cast(file_month as string) from small.checked")
    assert sampled == [("2024-02-01",)]
    done = rides.run()
    rides.holds()
    assert rides.ledger(done)["checked"] == rides.ledger(done)["totals"] == months_of(rides)


def test_rows_outside_their_interval_are_refused(rides: Rides) -> None:
    """By SQL and Python models alike: which column, which value, what to look at."""
    refused = rides.dbt("run", "--select", "outside", "outside_py", code=1)
    built = {f"{month}-01" for month in months_of(rides)}
    for file in ("outside.sql", "outside_py.py"):
        said = " ".join(refused.text.partition(f"(models/{file})")[2].partition("compiled code at")[0].split())
        assert "needed: rows of the intervals to build, by month: (" in said
        assert "do: set the model's event_time (month) to the interval of the input" in said
        named = re.search(r"found: a row with month (\d{4}-\d{2}-01)\.", said)
        assert named and named[1] not in built, said
    assert rides.sql("select count(*) from small.outside") == [(0,)]
    assert rides.sql("select count(*) from small.outside_py") == [(0,)]


def test_commands_that_build_nothing(rides: Rides) -> None:
    """compile and show read whole inputs, and leave every table alone."""
    versions = rides.versions()
    compiled = rides.dbt("compile", "--select", "checked")
    assert "/* intervals of file_month */ true" in compiled.text
    shown = rides.dbt("show", "--select", "totals", "--limit", "500")
    assert shown.text.count("| north") + shown.text.count("| south") == len(rides.sql("select * from small.totals"))
    assert rides.versions() == versions


def test_another_environment(rides: Rides) -> None:
    """A deferred model's intervals are read from its own table; a clone, whose are unknown, is no input."""
    other = ("--state", "state", "--target", "other", "--target-path", "elsewhere")
    shutil.copytree(rides.project.root / "target", rides.project.root / "state", dirs_exist_ok=True)
    rides.sql("create schema if not exists other")
    rides.sql("create table other.zones as select * from small.zones")
    deferred = rides.dbt("run", "--select", "totals", "--defer", *other, target="elsewhere")
    assert "built 2024-" in deferred.line
    assert rides.sql("select * from other.totals except select * from small.totals") == []
    assert rides.sql("select count(*) from other.totals") == rides.sql("select count(*) from small.totals")
    named = rides.sql("select distinct map_keys(inputs)[0] from other.batch_runs where model = 'totals'")
    assert named == [("small.checked",)]

    rides.dbt("clone", "--select", "checked", *other, target="elsewhere")
    refused = rides.dbt("run", "--select", "totals", "--target", "other", code=1)
    assert (
        "needed: the intervals of other.checked, which was built by interval. found: rows that are neither"
        in refused.line
    )
    assert "do: build it here: `dbt run --select checked`" in refused.line
    built = rides.dbt("run", "--select", "stg_rides", "checked", "totals", "--target", "other")
    assert "Completed successfully" in built.text
    assert rides.sql("select * from other.checked except select * from small.checked") == []
    assert rides.sql("select count(*) from other.checked") == rides.sql("select count(*) from small.checked")
