"""Interval models in an Iceberg REST catalog, with a Delta table between them: which months a run builds, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.config.settings import load
from penstock.spark.server import control
from tests.adapter import intervals_project
from tests.adapter.iceberg_intervals_project import FILES, ICEBERG, IcebergRides
from tests.adapter.intervals_project import MODELS, ORDINARY, month_text
from tests.support.rest_catalog import rest_catalog

# Runs dbt, and kills its process after a commit, before the run ledger has the commit.
KILLED = """
import os, signal, sys
from dbt.cli.main import cli
from penstock.intervals.run_ledger import RunLedger
RunLedger.record_written = lambda *arguments, **options: os.kill(os.getpid(), signal.SIGKILL)
cli(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def rides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IcebergRides]:
    """Three months, built once."""
    folder = tmp_path_factory.mktemp("iceberg-rides")
    with rest_catalog(folder / "rest") as rest:
        root = folder / "project"
        try:
            catalogs = {"ice": {"type": "rest", "uri": rest.uri}}
            made = intervals_project.make(root, FILES, IcebergRides, memory="1g", catalogs=catalogs)
            assert isinstance(made, IcebergRides)
            yield made
        finally:
            if (root / "penstock.yml").exists():
                control.down(load(root))


def months_of(rides: IcebergRides) -> list[str]:
    """Return the lake's months."""
    return sorted(rides.lake)


def snapshots(rides: IcebergRides, model: str) -> list[int]:
    """Return the ids of the snapshots in an Iceberg table's history, oldest first."""
    return [int(entry["commit"].snapshot) for entry in rides.history(model)]


@pytest.mark.core
def test_the_first_build(rides: IcebergRides) -> None:
    """Rows, and the run ledger: names with the catalog, times as versions, and ids of tables."""
    rides.holds()
    ledger = rides.sql(
        "select model, relation, count(*), min(rows_in), min(rows_out), min(rows_quarantined), "
        "min(delta_version > 1700000000000), min(length(table_id)) from spark_catalog.small.batch_runs "
        "where model <> 'daily' group by 1, 2 order by 1"
    )
    assert ledger == [
        ("checked", "ice.small.checked", 3, 4, 4, 1, True, 32),
        ("features", "ice.small.features", 3, 4, 4, None, True, 32),
        ("totals", "small.totals", 3, 4, 2, None, False, 36),
    ]
    inputs = rides.sql("select distinct map_keys(inputs)[0] from spark_catalog.small.batch_runs where model = 'totals'")
    assert inputs == [("ice.small.checked",)]
    assert {model: len(rides.history(model)) for model in ICEBERG[:3]} == {"checked": 2, "features": 1, "daily": 1}


@pytest.mark.core
def test_a_second_run_builds_nothing(rides: IcebergRides) -> None:
    versions = rides.versions()
    again = rides.run()
    assert rides.ledger(again) == {}
    assert again.text.count("[unchanged, 3 months in") == 3
    assert rides.versions() == versions


@pytest.mark.core
def test_changed_months_alone_are_built(rides: IcebergRides) -> None:
    """A new month, one with other bytes and one that is gone, in every model; the files of the others stay."""
    path = "select distinct input_file_name() from ice.small.checked where file_month = date'2024-03-01'"
    files = rides.sql(path)
    rides.land("2024-04", 1)
    rides.land("2024-02", 2)
    rides.remove("2024-01")
    done = rides.run()
    rides.holds()
    assert rides.ledger(done) == {model: ["2024-02", "2024-04"] for model in MODELS}
    assert rides.ledger(done, "removed") == {model: ["2024-01"] for model in MODELS}
    assert rides.sql(path) == files


@pytest.mark.core
def test_a_kill_between_commit_and_ledger(rides: IcebergRides) -> None:
    """The next run finds the commits by the snapshots' summaries, and builds nothing again."""
    rides.land("2024-05", 1)
    for model in ("checked", "features"):
        before = snapshots(rides, model)
        rides.project.program(sys.executable, "-c", KILLED, "run", "--select", model)
        assert len(snapshots(rides, model)) == len(before) + 1
        done = rides.run("--select", model)
        assert rides.ledger(done) == {}
        assert len(snapshots(rides, model)) == len(before) + 1
        rides.holds(model)
    found = rides.sql(
        "select model, interval_start, rows_out from spark_catalog.small.batch_runs "
        "where message = 'completed after a crash' order by 1"
    )
    assert [(model, month_text(start), rows) for model, start, rows in found] == [
        ("checked", "2024-05", 4),
        ("features", "2024-05", 4),
    ]
    rides.run()
    rides.holds()


@pytest.mark.core
def test_a_rollback(rides: IcebergRides) -> None:
    """The run after it builds what it removed, in the table and in those that read it; and again after one more."""
    rides.land("2024-06", 1)
    rides.run()
    snapshot = snapshots(rides, "checked")[-2]
    for _ in range(2):
        rides.sql(f"call ice.system.rollback_to_snapshot('small.checked', {snapshot})")
        done = rides.run()
        rides.holds()
        assert rides.ledger(done) == {model: ["2024-06"] for model in MODELS}
    restored = rides.sql(
        "select count(distinct delta_version), count(*) from spark_catalog.small.batch_runs "
        f"where message = 'the table was restored to snapshot {snapshot}'"
    )
    assert restored == [(2, 2 * len(rides.lake))]
    rides.sql("call ice.system.expire_snapshots(table => 'small.checked', older_than => now(), retain_last => 1)")
    assert rides.ledger(rides.run()) == {}


def test_compaction_and_other_programs(rides: IcebergRides) -> None:
    """After a compaction nothing is built; a change by somebody else is named."""
    rides.sql("call ice.system.rewrite_data_files(table => 'small.checked', options => map('rewrite-all', 'true'))")
    assert rides.ledger(rides.run()) == {}
    first = rides.lake[months_of(rides)[0]][0][0]
    rides.sql(f"delete from ice.small.features where id = {first}")
    done = rides.run("--select", "features")
    snapshot = snapshots(rides, "features")[-1]
    assert f"features: snapshot {snapshot} of ice.small.features is a" in done.line
    assert "by somebody else" in done.line
    full = rides.run("--select", "features", "--full-refresh")
    assert rides.ledger(full) == {"features": months_of(rides)}
    assert "by somebody else" not in full.line
    rides.holds()


def test_a_table_that_somebody_else_replaced_is_built_again(rides: IcebergRides) -> None:
    """An Iceberg table keeps its properties when it is replaced. So does one that is dropped, but not its id."""
    rides.sql("create or replace table ice.small.features using iceberg as select 1L as id, date'2024-01-01' as month")
    done = rides.run("--select", "features")
    assert rides.ledger(done) == {"features": months_of(rides)}
    rides.holds("features")
    rides.sql("drop table ice.small.features purge")
    done = rides.run("--select", "features")
    assert rides.ledger(done) == {"features": months_of(rides)}
    rides.holds("features")


def test_rows_of_other_intervals_are_refused(rides: IcebergRides) -> None:
    """Iceberg would add them; the table is unchanged. In SQL and in Python."""
    for model in ("outside", "outside_py"):
        failed = rides.dbt("run", "--select", model, code=1)
        assert "needed: rows of the intervals to build, by month: " in failed.line
        assert "found: a row with month 2024-" in failed.line
        assert rides.sql(f"select count(*) from small.{model}") == [(0,)]


def test_partitions_of_several_intervals_are_refused(rides: IcebergRides) -> None:
    """Before anything is written."""
    failed = rides.dbt("run", "--select", "unpartitioned", "--vars", "{unpartitioned: true}", code=1)
    assert "found: zone. do: add months(month) to partition_by" in failed.line


def test_two_runs_at_once(rides: IcebergRides) -> None:
    """Both end without an error, every month has its rows once, and the next run builds nothing."""
    rides.land("2024-07", 1)
    first, second = rides.together(("run", *ORDINARY), ("run", *ORDINARY))
    assert (first.code, second.code) == (0, 0), first.text + second.text
    rides.holds()
    built = {*rides.ledger(first).get("checked", []), *rides.ledger(second).get("checked", [])}
    assert built == {"2024-07"}
    assert rides.ledger(rides.run()) == {}


def test_over_spark_connect(rides: IcebergRides) -> None:
    """Models in Delta and in Iceberg; what one protocol built is unchanged for the other."""
    rides.land("2024-08", 1)
    rides.land("2024-07", 2)
    done = rides.run("--target", "connect")
    rides.holds()
    assert rides.ledger(done) == {model: ["2024-07", "2024-08"] for model in MODELS}
    assert rides.ledger(rides.run()) == {}
    rides.sql(f"delete from spark_catalog.small.batch_runs where run_id = '{done.run_id}'")
    versions = rides.versions()
    assert rides.ledger(rides.run("--target", "connect")) == {}
    assert rides.versions() == versions


def test_a_whole_refresh_and_another_grain(rides: IcebergRides) -> None:
    done = rides.run("--full-refresh")
    assert rides.ledger(done)["checked"] == months_of(rides)
    rides.holds()
    daily = rides.project.root / "models" / "daily.sql"
    monthly = daily.read_text().replace("batch_size='day'", "batch_size='month', partition_by='months(day)'")
    Path(daily).write_text(monthly)
    changed = rides.run("--select", "daily")
    assert rides.ledger(changed) == {"daily": months_of(rides)}
    rides.holds("daily")
