"""The main job on the sample: lake to tested warehouse, again, with months landed later, and when a model fails."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from penstock.plans import queries
from penstock.plans.plan_parser import parse
from tests.support.projects import Project, edited

LAYERS = ("lake", "staging", "intermediate", "warehouse")


def test_quickstart_ends_with_a_summary(sampled: Project) -> None:
    """Rows a layer, tests, reasons, seconds and what to type next are all there, and true."""
    text = (sampled.root / "quickstart.txt").read_text()
    end = text[text.index("penstock: what the build left") :]
    for word in (*LAYERS, "tests", "passed", "quarantined", "seconds", "dbt docs serve", "penstock land"):
        assert word in end, word
    rows = sampled.sql("select count(*) from warehouse.fct_trips")[0][0]
    assert f"{rows:,}" in end
    total = sampled.sql(
        "select (select count(*) from lake.green) + (select count(*) from lake.yellow)"
        " + (select count(*) from lake.fhvhv)"
    )[0][0]
    assert 190_000 <= total <= 210_000


def test_the_log_of_the_server_has_no_false_alarms(sampled: Project) -> None:
    """Closed sessions and new lake tables log neither errors nor stack traces."""
    log = (sampled.root / ".penstock" / "logs" / "spark.log").read_text()
    assert "WARN" in log
    assert "pipeout" not in log and "FileStreamSink" not in log


def test_every_rule_meets_rows_in_the_sample(sampled: Project) -> None:
    """The sample has the real files' defects: no rule of the project goes untried."""
    counts = dict(sampled.sql("select rule, sum(`rows`) from warehouse.quality_report group by rule"))
    assert counts
    assert [rule for rule, rows in counts.items() if not rows] == []


def test_the_summary_counts_what_was_quarantined(sampled: Project) -> None:
    """Flags don't quarantine: of the report's rules only those of severity error are in the summary's line."""
    text = (sampled.root / "quickstart.txt").read_text()
    line = re.search(r"^quarantined +(.*)$", text, re.MULTILINE)
    assert line
    counts = sampled.sql("select rule, sum(`rows`), max(severity) from warehouse.quality_report group by rule")
    shown = {rule: int(n.replace(",", "")) for rule, n in (part.split() for part in line[1].split(", "))}
    assert shown == {rule: int(rows) for rule, rows, severity in counts if severity == "error"}


def test_schemas_and_formats(sampled: Project) -> None:
    """The four schemas, Delta underneath the warehouse, datetimes without zone, partitions as asked."""
    schemas = {row[0] for row in sampled.sql("show schemas")}
    assert schemas == {*LAYERS, "default"}
    detail = sampled.sql("describe detail warehouse.fct_trips")[0]
    assert detail[0] == "delta"
    assert '["pickup_month"]' in detail
    columns = {row[0]: row[1] for row in sampled.sql("describe warehouse.fct_trips")}
    assert columns["pickup_at"] == columns["dropoff_at"] == "timestamp_ntz"
    assert columns["total_amount"] == "decimal(12,2)"
    assert columns["pickup_month"] == "date"
    months = sampled.sql("select distinct pickup_month from warehouse.fct_trips")
    assert len(months) == 6


@pytest.mark.parametrize("view", ["int_trips_windowed", "int_fhvhv_trips_windowed"])
def test_a_filter_of_months_reaches_every_scan(sampled: Project, view: str) -> None:
    """A view that joins the lake with itself reads the asked month alone, on each side of its joins."""
    plan = sampled.sql(f"explain formatted select * from intermediate.{view} where file_month = date'2024-01-01'")
    scans = queries.scans(parse(plan[0][0]))
    assert len(scans) > 1
    assert [scan.table for scan in scans if not any("= 2024-01-01" in item for item in scan.partition_filters)] == []


def test_sql_and_python_agree(sampled: Project) -> None:
    """A Thrift and a Connect session have the same mode, zone and answers, errors included."""
    from pyspark.sql import SparkSession

    from penstock.spark.server import control

    server = control.current(sampled.settings)
    assert server
    session = SparkSession.builder.remote(f"sc://localhost:{server.ports.connect}/;token={server.token}").create()
    try:
        for setting in ("spark.sql.ansi.enabled", "spark.sql.session.timeZone"):
            assert sampled.sql(f"set {setting}")[0][1] == session.conf.get(setting)
        for expression in ("cast('12' as int) + 1", "date_trunc('MONTH', date'2023-02-14') is not null"):
            assert str(sampled.sql(f"select {expression}")[0][0]) == str(session.sql(f"select {expression}").first()[0])
        for wrong in ("1 / 0", "cast('x' as int)", "cast(2147483647 as int) + 1"):
            with pytest.raises(Exception, match=r"DIVIDE_BY_ZERO|CAST_INVALID_INPUT|ARITHMETIC_OVERFLOW"):
                sampled.sql(f"select {wrong}")
            with pytest.raises(Exception, match=r"DIVIDE_BY_ZERO|CAST_INVALID_INPUT|ARITHMETIC_OVERFLOW"):
                session.sql(f"select {wrong}").collect()
    finally:
        session.stop()


def test_python_model_stands_in_the_graph(sampled: Project) -> None:
    """The PySpark model is a node like others: tested, partitioned, as many rows as its parent."""
    manifest = json.loads((sampled.root / "target" / "manifest.json").read_text())
    node = manifest["nodes"]["model.penstock.trip_features"]
    assert node["language"] == "python"
    assert manifest["child_map"]["model.penstock.trip_features"], "it has tests"
    assert sampled.sql("select count(*) from warehouse.trip_features") == sampled.sql(
        "select count(*) from intermediate.int_trips"
    )


def test_months_landed_later_are_seen_and_a_second_run_is_the_same(growing: Project) -> None:
    """Nothing but `dbt run` after landing; a run without news leaves the same rows."""
    project = growing
    assert project.penstock("sample", "--rows", "2000", "--dataset", "green", "--months", "2023-01").returncode == 0
    build = project.dbt("run", "--select", "+fct_trips")
    assert build.returncode == 0, build.stdout[-5000:]
    count = "select pickup_month, count(*), sum(total_amount) from warehouse.fct_trips group by 1 order by 1"
    before = project.sql(count)
    assert len(before) == 1
    assert project.penstock("sample", "--rows", "2000", "--dataset", "green", "--months", "2023-02").returncode == 0
    for _ in range(2):
        run = project.dbt("run", "--select", "+fct_trips")
        assert run.returncode == 0, run.stdout[-5000:]
        after = project.sql(count)
        assert [str(row[0]) for row in after] == ["2023-01-01", "2023-02-01"]
        assert after[0] == before[0]


def test_a_python_model_that_fails_shows_the_users_line(sampled: Project) -> None:
    """The user's file, line and words; the table stays as it was; print reaches the log."""
    before = sampled.sql("select count(*) from warehouse.trip_features")
    failing = (
        "def model(dbt, session):\n"
        "    trips = dbt.ref('int_trips')\n"
        "    print('rows', trips.limit(3).count())\n"
        "    if trips.columns:\n"
        "        raise ValueError('no such feature')\n"
        "    return trips\n"
    )
    with edited(sampled.root / "python_models" / "trip_features.py", failing):
        done = sampled.dbt("run", "--select", "trip_features")
    assert done.returncode == 1, done.stdout
    assert "python_models/trip_features.py, line 5: ValueError: no such feature" in done.stdout
    assert "trip_features: rows 3" in done.stdout
    assert "Traceback" not in done.stdout
    assert sampled.sql("select count(*) from warehouse.trip_features") == before


def test_an_incremental_python_model_adds_its_rows(sampled: Project) -> None:
    """The first run makes a Delta table, the second adds to it, and no temporary table stays."""
    model = (
        "def model(dbt, session):\n"
        "    dbt.config(materialized='incremental', schema='warehouse', file_format='delta')\n"
        "    start = 100 if dbt.is_incremental else 0\n"
        "    return session.range(start, start + 3)\n"
    )
    with edited(sampled.root / "python_models" / "counted.py", model):
        for _ in range(2):
            done = sampled.dbt("run", "--select", "counted")
            assert done.returncode == 0, done.stdout
    assert sampled.sql("select id from warehouse.counted order by id") == [(i,) for i in (0, 1, 2, 100, 101, 102)]
    assert sampled.sql("describe detail warehouse.counted")[0][0] == "delta"
    assert [row[1] for row in sampled.sql("show tables in warehouse like 'counted*'")] == ["counted"]
    sampled.sql("drop table warehouse.counted")


def test_zones_without_two_rows_fail_their_own_check(sampled: Project) -> None:
    """A zone lookup without 264 and 265 fails the seeds' own check, which names them."""
    path = sampled.root / "seeds" / "zones.csv"
    kept = [x for x in path.read_text().splitlines(keepends=True) if not x.startswith(("264,", "265,"))]
    with edited(path, "".join(kept)):
        done = sampled.dbt("build", "--select", "zones")
    assert done.returncode == 1, done.stdout
    assert "missing: 264, 265" in done.stdout
    assert sampled.dbt("seed", "--select", "zones").returncode == 0, "the table has the rows of the file again"


def test_a_wrong_profile_key_is_named(sampled: Project, tmp_path: Path) -> None:
    """dbt passes over unknown keys; this profile type names them."""
    shutil.copy(sampled.root / "profiles" / "profiles.yml", tmp_path / "profiles.yml")
    text = (tmp_path / "profiles.yml").read_text().replace("threads: 3", "threads: 3\n      treads: 2")
    (tmp_path / "profiles.yml").write_text(text)
    done = sampled.dbt("debug", "--profiles-dir", str(tmp_path))
    assert done.returncode != 0
    assert "unknown key `treads`" in done.stdout
