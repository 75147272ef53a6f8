"""The strategy `interval` on a real server: which months a run builds, told by the rows, the files and the ledger."""

from __future__ import annotations

import pytest

from penstock.delta import log as delta_log
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.delta_history import parse_history
from tests.adapter.intervals_project import MODELS, ORDINARY, ZONES, Rides, month_text
from tests.support.projects import edited

MARCH = ("--event-time-start", "2024-03-01", "--event-time-end", "2024-04-01")


def everywhere(*months: str) -> dict[str, list[str]]:
    """Months in the ledger of every model."""
    return {model: list(months) for model in MODELS}


@pytest.mark.core
def test_the_first_build(rides: Rides) -> None:
    """Rows, and what the ledger says of them; a commit holds two months at most."""
    rides.holds()
    columns = "model, interval_start, outcome, attempt, rows_in, rows_out, rows_quarantined, delta_version, message"
    ledger = rides.sql(
        f"select {columns} from small.batch_runs where model in ('checked', 'features', 'totals') "
        "order by model, interval_start"
    )
    months = ("2024-01", "2024-02", "2024-03")
    assert [(row[0], month_text(row[1]), *row[2:]) for row in ledger] == [
        *[("checked", month, "built", 1, 4, 4, 1, 1 + (month > "2024-02"), "new") for month in months],
        *[("features", month, "built", 1, 4, 4, None, 1, "new") for month in months],
        *[("totals", month, "built", 1, 4, 2, None, 1, "new") for month in months],
    ]
    days = rides.sql("select count(*), sum(rows_out), min(grain) from small.batch_runs where model = 'daily'")
    assert days == [(31 + 29 + 31, 12, "day")]
    batches = rides.sql("select distinct batch_id from small.batch_runs where model = 'checked' order by 1")
    made_from = rides.sql(
        "select distinct map_values(inputs)[0] from small.batch_runs where model = 'totals' order by 1"
    )
    assert made_from == batches and len(batches) == 2


@pytest.mark.core
def test_a_second_run_builds_nothing(rides: Rides) -> None:
    versions = rides.versions()
    again = rides.run()
    assert rides.ledger(again) == {}
    assert again.text.count("[unchanged, 3 months in") == 3
    assert again.text.count("[unchanged, 91 days in") == 1
    assert rides.versions() == versions


@pytest.mark.core
def test_changed_months_alone_are_built(rides: Rides) -> None:
    """A new month, one with other bytes and one that is gone, in every model; the files of the others stay."""
    files = rides.files("2024-03")
    rides.land("2024-04", 1)
    rides.land("2024-02", 2)
    rides.remove("2024-01")
    done = rides.run()
    rides.holds()
    assert rides.ledger(done) == everywhere("2024-02", "2024-04")
    assert rides.ledger(done, "removed") == everywhere("2024-01")
    assert done.text.count("[built 2024-02, 2024-04, removed 2024-01 in") == 3
    assert rides.files("2024-03") == files
    reasons = rides.sql(f"select distinct message from small.batch_runs where run_id = '{done.run_id}' order by 1")
    assert reasons == [("lake.rides changed",), ("new",), ("removed",), ("small.checked changed",)]


@pytest.mark.core
def test_months_that_are_asked_for(rides: Rides) -> None:
    """These and no others, changed or not; dbt's own microbatch does the same with them."""
    files = rides.files("2024-02")
    rides.land("2024-05", 1)
    done = rides.dbt("run", "--exclude", "outside", "outside_py", "so_far", "so_far_py", *MARCH)
    assert rides.ledger(done) == everywhere("2024-03")
    assert rides.files("2024-02") == files
    batched = [row[0] for row in rides.sql("select id from small.batched order by id")]
    assert batched == sorted(row[0] for row in rides.lake["2024-03"])
    # The other month that changed waits for a run that is not asked for months.
    assert rides.ledger(rides.run()) == everywhere("2024-05")


def test_changed_months_within_a_range(rides: Rides) -> None:
    """PENSTOCK_INTERVALS is no wish for months: of those that changed, it lets through the ones in its range."""
    rides.land("2024-03", 2)
    rides.land("2024-05", 2)
    done = rides.run(PENSTOCK_INTERVALS="2024-02..2024-03")
    assert rides.ledger(done) == everywhere("2024-03")
    rest = rides.run()
    assert rides.ledger(rest) == everywhere("2024-05")
    rides.holds()


def test_a_range_that_is_none_is_refused(rides: Rides) -> None:
    done = rides.run("--select", "checked", code=1, PENSTOCK_INTERVALS="spring")
    assert "needed: PENSTOCK_INTERVALS as 2024-01 or 2024-01..2024-03. found: `spring`. do: correct it" in done.line


def test_code_that_changed(rides: Rides) -> None:
    """A seed is code too: one model warns and names its months, the other builds them again; all are refreshed."""
    months = sorted(rides.lake)
    with edited(rides.project.root / "seeds" / "zones.csv", ZONES.replace("north", "uptown")):
        done = rides.dbt("build", *ORDINARY)
        assert rides.ledger(done) == {"daily": months}
        assert f"totals: {months[0]}..{months[-1]} were built before its code or configuration changed" in done.line
        assert f"daily: {months[0]}" not in done.line
        rides.holds("daily", zones=("uptown", "south"))
        rides.holds("totals", zones=("north", "south"))
        full = rides.run("--full-refresh", "--select", "totals")
        assert rides.ledger(full) == {"totals": months}
        assert "code changed" not in full.line
        rides.holds("totals", zones=("uptown", "south"))
        assert rides.history("totals")[-1]["operation"] == "CREATE OR REPLACE TABLE AS SELECT"
    back = rides.dbt("build", "--full-refresh", *ORDINARY)
    rides.holds()
    assert rides.ledger(back) == everywhere(*months)


def test_a_month_reads_those_before_it(rides: Rides) -> None:
    """A month that changes has the later ones built again, and not the earlier ones."""
    models = ("so_far", "so_far_py")
    _, changed, *later = sorted(rides.lake)
    rides.dbt("run", "--select", *models)
    rides.land(changed, 7)
    rides.run()
    done = rides.dbt("run", "--select", *models)
    assert rides.ledger(done) == {model: [changed, *later] for model in models}
    totals = {month: sum(row[-1] for row in rows if row[-1] > 0) for month, rows in rides.lake.items()}
    expected = [(f"{month}-01", sum(totals[earlier] for earlier in totals if earlier < month)) for month in totals]
    for model in models:
        rows = rides.sql(f"select cast(month as string), coalesce(fare, 0) from small.{model} order by month")
        assert rows == sorted(expected), model


def test_the_log_on_disk_is_the_history(rides: Rides) -> None:
    """What a run reads of a table's log is what DESCRIBE HISTORY says."""
    for model in MODELS:
        location = str(rides.sql(f"describe detail small.{model}")[0][4])
        log = delta_log.log_folder(f"Provider: delta\nLocation: {location}")
        assert log is not None, location
        found = parse_history(delta_log.history_rows(log, 1000) or [])
        rows = rides.sql(f"describe history small.{model}")
        names = ("version", "operation", "operationParameters", "operationMetrics", "userMetadata")
        places = (0, 4, 5, 12, 13)
        expected = parse_history({name: row[at] for name, at in zip(names, places, strict=True)} for row in rows)
        assert found == expected, model


def test_every_commit_names_its_run(rides: Rides) -> None:
    """Of SQL and Python models alike: Delta's own history has the batch of the ledger, and dbt's invocation."""
    for model in MODELS:
        table_id = rides.sql(f"describe detail small.{model}")[0][1]
        known: dict[tuple[str, str, int], set[str]] = {}
        current = set()
        for batch_id, run_id, version, start, id_ in rides.sql(
            "select batch_id, run_id, delta_version, interval_start, table_id from small.batch_runs "
            f"where model = '{model}' and outcome in ('built', 'removed') and run_id <> ''"
        ):
            key = (batch_id, run_id, int(version))
            known.setdefault(key, set()).add(str(start))
            if id_ == table_id:
                current.add(key)
        commits = {}
        for commit in rides.history(model):
            if commit["operation"] == "WRITE" or "AS SELECT" in commit["operation"]:
                batch = CommitMetadata.loads(commit["userMetadata"])
                assert batch is not None, commit
                days = {day.isoformat() for day in batch.intervals}
                commits[batch.commit_id, batch.run_id, commit["version"]] = days
        assert commits == {key: known.get(key) for key in commits}
        assert current and current <= commits.keys()
        assert {run for _, run, _ in commits} <= set(rides.runs)
