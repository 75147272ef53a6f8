"""`penstock sample`: the same seed gives the same bytes, with the columns and the defects of real months."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penstock.lake import sample
from penstock.lake.sample_files import make_trips

from .conftest import GREEN_NEW, GREEN_OLD, GreenFile, Project, sha256_of

JANUARY, FEBRUARY = date(2023, 1, 1), date(2023, 2, 1)


def raw(path: Path, dataset: str = "green", month: date = JANUARY, rows: int = 60_000, seed: int = 1) -> Path:
    sample.write_raw(sample.SampleMonth(dataset, month, rows, seed), path)
    return path


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two, other = raw(tmp_path / "1"), raw(tmp_path / "2"), raw(tmp_path / "3", seed=2)
    assert sha256_of(one) == sha256_of(two) != sha256_of(other)
    assert pq.ParquetFile(one).metadata.num_rows == 60_000


@pytest.mark.parametrize(("month", "types"), [(JANUARY, GREEN_OLD), (FEBRUARY, GREEN_NEW)])
def test_green_has_the_columns_of_its_era(tmp_path: Path, month: date, types: dict[str, pa.DataType]) -> None:
    schema = pq.ParquetFile(raw(tmp_path / "x", month=month, rows=10)).schema_arrow
    assert dict(zip(schema.names, schema.types, strict=True)) == types


@pytest.mark.parametrize("dataset", ["green", "yellow"])
@pytest.mark.parametrize("month", [JANUARY, FEBRUARY])
def test_columns_are_those_of_real_months(tlc: Path, tmp_path: Path, dataset: str, month: date) -> None:
    real = pq.ParquetFile(tlc / dataset / f"{dataset}_tripdata_{month:%Y-%m}.parquet").schema_arrow
    made = pq.ParquetFile(raw(tmp_path / "x", dataset, month, 10)).schema_arrow
    assert made.remove_metadata().equals(real.remove_metadata())


def test_every_defect_is_there(tmp_path: Path) -> None:
    path = raw(tmp_path / "x", rows=50_000)
    found = duckdb.execute(f"""
        with t as (from read_parquet('{path}')),
        money as (select fare_amount + extra + mta_tax + tip_amount + tolls_amount + improvement_surcharge
                         + coalesce(congestion_surcharge, 0) as parts, * from t)
        select count(*) filter (fare_amount < 0) as negative,
            count(*) filter (lpep_pickup_datetime not between '2023-01-01' and '2023-02-01') as out_of_month,
            count(*) filter (lpep_dropoff_datetime < lpep_pickup_datetime) as backwards,
            count(*) filter (lpep_dropoff_datetime > lpep_pickup_datetime + interval 12 hour) as long,
            count(*) filter (trip_distance > 100) as far,
            count(*) filter (trip_distance < 0) as below,
            count(*) filter (trip_distance = 0) as zero,
            count(*) filter (VendorID is null) as no_vendor,
            count(*) filter (PULocationID in (264, 265) or DOLocationID in (264, 265)) as unknown_zone,
            count(*) filter (PULocationID not between 1 and 265 or DOLocationID not between 1 and 265) as no_zone,
            count(*) filter (passenger_count is null) as block,
            count(*) filter (passenger_count is null and RatecodeID is null and store_and_fwd_flag is null
                             and congestion_surcharge is null and payment_type is null) as whole_block,
            count(*) filter (passenger_count is not null and abs(parts - total_amount) > 0.001) as wrong_total,
            count(*) - (select count(*) from (from t select distinct *)) as repeated,
            (select count(*) from t a join t b on a.lpep_pickup_datetime = b.lpep_pickup_datetime
             and a.PULocationID = b.PULocationID and a.total_amount = -b.total_amount and a.total_amount > 0) as voided
        from money
    """).df()  # fmt: skip
    counts = {name: int(found[name][0]) for name in found.columns}
    assert counts.pop("wrong_total") == 0
    assert counts["block"] == counts["whole_block"]
    assert min(counts.values()) > 0, counts
    assert 100 < counts["voided"] <= counts["negative"] < 300
    assert counts["unknown_zone"] > 300


def test_trips_are_skewed_like_real_ones(tmp_path: Path) -> None:
    path = raw(tmp_path / "x", "yellow", rows=50_000)
    by_zone = duckdb.execute(
        f"select count(*) c from read_parquet('{path}') group by PULocationID order by c desc"
    ).fetchall()
    assert sum(c for (c,) in by_zone[:20]) > 0.4 * 50_000
    by_hour = dict(
        duckdb.execute(f"select hour(tpep_pickup_datetime), count(*) from read_parquet('{path}') group by 1").fetchall()
    )
    assert by_hour[18] > 5 * by_hour[4]


@pytest.mark.parametrize("dataset", ["green", "yellow", "fhvhv"])
def test_a_month_may_have_one_row(dataset: str) -> None:
    import numpy as np

    assert make_trips(dataset, date(2025, 3, 1), 1, np.random.default_rng(1)).num_rows == 1


def test_the_default_sample(project: Project) -> None:
    arguments = ("sample", "--rows", "2000")
    first = project.penstock(*arguments)
    assert first.code == 0
    live = project.manifest.live()
    assert sum(entry.rows for entry in live.values()) == 2000
    assert {name for name, _ in live} == {"green", "yellow", "fhvhv"}
    assert len(live) == 14
    before = project.tree()
    assert "landed" not in project.penstock(*arguments).text
    assert project.tree() == before


def test_if_empty(project: Project) -> None:
    assert project.penstock("sample", "--rows", "20", "--if-empty").code == 0
    assert project.manifest.version() == 14
    assert "14 live months" in project.penstock("sample", "--rows", "30", "--if-empty").text
    assert project.manifest.version() == 14


def test_real_months_are_kept_and_sample_months_removed(project: Project, green_file: GreenFile) -> None:
    project.penstock("land", "green", "2023-01", "--from", str(green_file("2023-01").parent))
    answer = project.penstock("sample", "--rows", "40", "--dataset", "green")
    assert "kept" in answer.text
    assert project.rows("green", "2023-01").num_rows == 3
    assert len(project.manifest.live()) == 6
    assert project.penstock("sample", "--remove").code == 0
    assert [f"{month:%Y-%m}" for _, month in project.manifest.live()] == ["2023-01"]
    project.penstock("clean", "--grace", "0d")
    assert len(list(project.lake.glob("*/file_month=*/*"))) == 1
    project.penstock("sample", "--rows", "40", "--dataset", "green", "--seed", "2")
    assert len(project.manifest.live()) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rows", "3"), "3 rows, 14 months"),
        (("--dataset", "blue"), "known: green"),
        (("--months", "all"), "months for a sample"),
    ],
)
def test_mistakes(project: Project, arguments: tuple[str, ...], message: str) -> None:
    answer = project.penstock("sample", *arguments)
    assert answer.code == 1
    assert message in answer.text
