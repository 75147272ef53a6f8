"""The chain on a sample: built, repeated, refused, drifted, killed."""

from __future__ import annotations

import shutil
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penstock.lake.sample import SampleMonth, write_raw
from tests.ml.conftest import with_candidates
from tests.support.browser import FLAGS, browser
from tests.support.paths import local_path
from tests.support.polling import wait_until
from tests.support.projects import Project, edited

MODELS = ("fare_model", "duration_model")
CHAIN = "fare_model duration_model model_registry"
FEATURES = (
    "trip_id, pickup_hour, pickup_weekday, passenger_count, past_trips_a_month, past_miles, past_minutes, past_fare, "
    "from_zone_miles, from_zone_minutes, from_zone_fare, to_zone_miles, to_zone_minutes, to_zone_fare"
)


def run(project: Project, *arguments: str, code: int = 0) -> str:
    """A dbt command that must end with a code; what it said."""
    done = project.dbt(*arguments)
    assert done.returncode == code, done.stdout[-6000:]
    return done.stdout


def versions(project: Project, name: str) -> list[tuple[Any, ...]]:
    """(version, MAE, RMSE, R²) of each version of a model."""
    return project.sql(f"select version, mae, rmse, r2 from warehouse.{name} order by version")


def live(project: Project) -> dict[str, int]:
    """By model, its live version."""
    rows = project.sql("select model, max(version) from warehouse.model_registry where is_promoted group by model")
    return {str(name): int(number) for name, number in rows}


def checksum(project: Project, query: str) -> list[tuple[Any, ...]]:
    """By month: rows and a checksum of a query whose first column is the month."""
    return project.sql(
        f"select pickup_month, count(*), bit_xor(xxhash64(*)) from ({query}) group by pickup_month order by 1"
    )


@pytest.mark.core
def test_the_chain_is_built_and_passes_its_tests(trained: Project) -> None:
    printed = (trained.root / "build.txt").read_text()
    assert "WARN=0 ERROR=0 SKIP=0" in printed
    for name in MODELS:
        ((mae, baseline, rows),) = trained.sql(f"select mae, baseline_mae, size(months) from warehouse.{name}")
        assert mae < baseline and rows == 6
        assert (trained.settings.warehouse_dir / "registry" / name / "1" / "metadata").is_dir()
    assert live(trained) == {"fare_model": 1, "duration_model": 1}


@pytest.mark.core
def test_nothing_changed_trains_nothing(trained: Project) -> None:
    before = [versions(trained, name) for name in MODELS]
    printed = run(trained, "run", "--select", f"{CHAIN} trip_predictions prediction_drift")
    assert printed.count("version 1 already has these months, features and parameters") == 2
    assert printed.count("unchanged, 6 months") == 2
    assert [versions(trained, name) for name in MODELS] == before


def exported(project: Project) -> list[tuple[Any, ...]]:
    """The export's rows, in order."""
    files = project.settings.lake_dir / "export" / "predictions" / "*" / "*.parquet"
    return duckdb.execute(f"select trip_id, predicted_fare, predicted_duration from '{files}' order by 1").fetchall()


def test_the_export_is_the_table(trained: Project) -> None:
    """Made anew, too, it holds no month that isn't in the table."""
    columns = "trip_id, predicted_fare, predicted_duration"
    ours = [tuple(row) for row in trained.sql(f"select {columns} from warehouse.trip_predictions order by 1")]
    assert exported(trained) == ours
    folder = local_path(trained.settings.lake_dir) / "export" / "predictions"
    months = sorted(folder.glob("pickup_month=*"))
    shutil.copytree(months[0], folder / "pickup_month=2001-01-01")
    assert len(exported(trained)) > len(ours)
    run(trained, "run", "--full-refresh", "--select", "exported_predictions")
    assert exported(trained) == ours


def test_same_data_and_seed_same_metrics(trained: Project) -> None:
    """The file's text is part of a version's key: with a comment more the same is trained again."""
    (first,) = versions(trained, "fare_model")
    with edited(trained.root / "python_models" / "fare_model.py", _with_comment(trained)):
        run(trained, "run", "--select", "fare_model model_registry")
    _, second = versions(trained, "fare_model")
    assert second[0] == first[0] + 1
    assert np.allclose([float(x) for x in first[1:]], [float(x) for x in second[1:]], rtol=0, atol=1e-9)
    assert live(trained)["fare_model"] == first[0], "no better than the live one, so not promoted"


def _with_comment(project: Project) -> str:
    return (project.root / "python_models" / "fare_model.py").read_text() + "\n# the same, with another fingerprint\n"


def test_a_worse_model_is_not_promoted(trained: Project) -> None:
    file = trained.root / "python_models" / "_ml.yml"
    before = checksum(trained, "select * from warehouse.trip_predictions")
    worse = with_candidates(file, "- {depth: 1, trees: 1}")
    with edited(file, worse):
        printed = run(trained, "build", "--select", f"{CHAIN} trip_predictions")
    assert printed.count("is not promoted: its MAE") >= 2
    assert "newest_versions_are_live: needed: the newest version of fare_model live. found: version" in printed
    assert "WARN=1 ERROR=0" in printed
    assert live(trained) == {"fare_model": 1, "duration_model": 1}
    assert checksum(trained, "select * from warehouse.trip_predictions") == before


def test_a_killed_training_leaves_the_live_one_live(trained: Project) -> None:
    file = trained.root / "python_models" / "_ml.yml"
    before = versions(trained, "fare_model")
    other = with_candidates(file, "- {depth: 4}\n          - {depth: 3}")
    with edited(file, other):
        process = trained.start("dbt", "run", "--select", "fare_model")
        trains = "depth 4"
        wait_until(lambda: trains in process.output() or process.poll() is not None, "training begins")
        assert process.poll() is None, process.output()
        process.kill()
        process.wait()
        assert versions(trained, "fare_model") == before
        assert live(trained)["fare_model"] == 1
        assert "unchanged, 6 months" in run(trained, "run", "--select", "model_registry trip_predictions")
        run(trained, "run", "--select", "fare_model")
    assert len(versions(trained, "fare_model")) == len(before) + 1


def test_any_version_is_applied_to_any_month(trained: Project) -> None:
    month = ("--event-time-start", "2023-02-01", "--event-time-end", "2023-03-01")
    chosen = ("run", "--select", "trip_predictions", *month)
    of_month = "select * from warehouse.trip_predictions where pickup_month = date'2023-02-01'"
    before = checksum(trained, of_month)
    run(trained, *chosen, "--vars", "{use_versions: {fare_model: 2}}")
    assert trained.sql(f"select distinct fare_version, duration_version from ({of_month})") == [(2, 1)]
    run(trained, *chosen)
    assert checksum(trained, of_month) == before, "a month that is built again has the same rows"
    printed = run(trained, *chosen, "--vars", "{use_versions: {fare_model: 99}}", code=1)
    assert "needed: version 99 of fare_model. found: trained: 1, 2" in printed


@pytest.fixture(scope="module")
def altered(trained: Project) -> Project:
    """One more month; then the same trips with other fares and durations, at night and crowded."""
    raw = trained.root / "raw"
    raw.mkdir()
    path = raw / "green_tripdata_2023-05.parquet"
    write_raw(SampleMonth("green", date(2023, 5, 1), 4000, seed=5), path)
    assert trained.penstock("land", "green", "2023-05", "--from", str(raw)).returncode == 0
    run(trained, "run", "--select", "+trip_features")
    return trained


def test_no_feature_looks_ahead_or_at_the_target(altered: Project) -> None:
    """With other fares and drop-offs in a month its features are the same, and so are those before it."""
    features = f"select pickup_month, {FEATURES} from warehouse.trip_features"
    targets = "select pickup_month, trip_id, fare_amount, duration_minutes from warehouse.trip_features"
    before, before_targets = checksum(altered, features), checksum(altered, targets)
    path = altered.root / "raw" / "green_tripdata_2023-05.parquet"
    table = pq.read_table(path)
    # Only rows that are good before and after, so that the same trips are compared.
    pickup, dropoff = (table[f"lpep_{name}_datetime"].to_numpy() for name in ("pickup", "dropoff"))
    minutes = (dropoff - pickup).astype(float) / 6e7
    fare, total = table["fare_amount"].to_numpy(), table["total_amount"].to_numpy()
    good = (minutes > 1) & (minutes < 600) & (fare > 0) & ~np.isin(pickup, pickup[total < 0])
    later = pa.array(dropoff + good * np.timedelta64(60_000_000, "us"))
    dearer = pa.array(fare + good * 1.0)
    table = table.set_column(table.schema.get_field_index("lpep_dropoff_datetime"), "lpep_dropoff_datetime", later)
    table = table.set_column(table.schema.get_field_index("fare_amount"), "fare_amount", dearer)
    pq.write_table(table, path)
    assert altered.penstock("land", "green", "2023-05", "--from", str(path.parent)).returncode == 0
    run(altered, "run", "--select", "+trip_features")
    after = {row[0]: row for row in checksum(altered, features)}
    assert [after[row[0]] for row in before] == before
    assert checksum(altered, targets)[-1] != before_targets[-1]


def test_a_late_month_makes_later_ones_anew(altered: Project) -> None:
    path = altered.root / "raw" / "green_tripdata_2023-02.parquet"
    write_raw(SampleMonth("green", date(2023, 2, 1), 1500, seed=77), path)
    assert altered.penstock("land", "green", "2023-02", "--from", str(path.parent)).returncode == 0
    printed = run(altered, "run", "--select", "+trip_features")
    lines = [line for line in printed.splitlines() if "trip_features" in line and "built" in line]
    assert "built 2023-02..2023-05" in lines[-1]
    assert "built 2023-02 " in next(
        line for line in printed.splitlines() if "zone_pair_monthly" in line and "built" in line
    )


def test_a_drifted_month_fails_its_test(altered: Project) -> None:
    path = altered.root / "raw" / "green_tripdata_2023-05.parquet"
    table = pq.read_table(path)
    pickup, dropoff = "lpep_pickup_datetime", "lpep_dropoff_datetime"
    began = table[pickup].to_numpy()
    at_three = began.astype("datetime64[D]").astype("datetime64[us]") + np.timedelta64(3, "h")
    for name, times in ((pickup, at_three), (dropoff, at_three + (table[dropoff].to_numpy() - began))):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(times))
    pq.write_table(table, path)
    assert altered.penstock("land", "green", "2023-05", "--from", str(path.parent)).returncode == 0
    run(altered, "run", "--select", "+prediction_drift", "--exclude", "fare_model duration_model model_registry")
    printed = run(altered, "test", "--select", "prediction_drift", code=1)
    assert "drift_within: needed: distance of pickup_hour of at most 0.3 in 2023-05-01" in printed
    assert "FAIL" in printed and "prediction_drift_within_error" in printed


def test_the_report_shows_what_was_learned(altered: Project) -> None:
    from playwright.sync_api import sync_playwright

    executable = browser()
    done = altered.penstock("report", "ml", "--out", "report.html")
    assert done.returncode == 0 and "fare_model 1: MAE" in done.stdout, done.stdout
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        page, requests, errors = chromium.new_page(), list[str](), list[str]()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"file://{altered.root}/report.html")
        pictures = page.locator("svg").count()
        titles = page.locator("h3").all_inner_texts()
        widest = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        tiles = page.locator("svg.tiles rect").count()
        chromium.close()
    assert pictures == 12 and tiles > 3 * 250 and widest <= 0 and not errors
    assert all(url.startswith(("file:", "data:")) for url in requests)
    assert titles.count("Error by hour") == 2 and "Clusters" in titles
