"""`penstock land`: which files land, which are refused, and that a refusal changes nothing."""

from __future__ import annotations

import gzip
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from .conftest import GREEN_NEW, GREEN_OLD, GreenFile, Project, green_table


def test_files_of_both_eras_land_with_the_same_schema(project: Project, green_file: GreenFile) -> None:
    folder = green_file("2023-01", types=GREEN_OLD).parent
    green_file("2023-02", types=GREEN_NEW)
    answer = project.penstock("land", "green", "all", "--from", str(folder))
    assert answer.code == 0
    old, new = project.rows("green", "2023-01"), project.rows("green", "2023-02")
    assert old.schema.equals(new.schema)
    assert old.schema.equals(project.catalog.dataset("green").landed_schema)
    differing = ["source_file", "ehail_fee"]
    assert old.drop(differing).equals(new.drop(differing))
    assert old.column("source_row").to_pylist() == [1, 2, 3]
    assert old.column("source_file").to_pylist() == ["green_tripdata_2023-01.parquet"] * 3
    assert old.column("passenger_count").to_pylist() == [1, 1, None]
    assert old.column("fare_amount").to_pylist() == [Decimal("7.50")] * 3
    assert old.column("cbd_congestion_fee").null_count == 3


def test_duckdb_reads_the_month_from_the_folder(project: Project, green_file: GreenFile) -> None:
    project.penstock("land", "green", "2021-01", "--from", str(green_file().parent))
    query = f"select distinct file_month::text from read_parquet('{project.lake}/green/*/*/*.parquet')"
    assert duckdb.execute(query).fetchall() == [("2021-01-01",)]


def test_csv_and_gzip_give_the_same_rows_as_parquet(project: Project, green_file: GreenFile, tmp_path: Path) -> None:
    parquet = green_file()
    plain, packed = tmp_path / "a.csv", tmp_path / "b.csv.gz"
    pacsv.write_csv(pq.read_table(parquet).drop(["ehail_fee"]), plain)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for month, path in (("2021-01", parquet), ("2021-02", plain), ("2021-03", packed)):
        assert project.penstock("land", "green", "--file", str(path), "--month", month).code == 0
    first = project.rows("green", "2021-01").drop(["source_file"])
    assert first.equals(project.rows("green", "2021-02").drop(["source_file"]))
    assert first.equals(project.rows("green", "2021-03").drop(["source_file"]))


def test_the_same_bytes_change_nothing_and_other_bytes_replace(project: Project, green_file: GreenFile) -> None:
    arguments = ("land", "green", "2021-01", "--from", "../files")
    green_file()
    assert "landed" in project.penstock(*arguments).text
    before = project.tree()
    again = project.penstock(*arguments)
    assert (again.code, project.tree()) == (0, before)
    assert "unchanged" in again.text
    green_file(fare=9.0)
    assert "replaced" in project.penstock(*arguments).text
    assert project.rows("green", "2021-01").column("fare_amount").to_pylist() == [Decimal("9.00")] * 3
    assert set(before) < set(project.tree())
    green_file()
    assert "replaced" in project.penstock(*arguments).text
    assert project.rows("green", "2021-01").column("fare_amount").to_pylist() == [Decimal("7.50")] * 3
    first, _, third = project.manifest.entries()
    assert first.folder == third.folder


@pytest.mark.parametrize("step", ["_flush", "activate"])
def test_an_interrupt_leaves_the_lake_unchanged(
    project: Project, green_file: GreenFile, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    arguments = ("land", "green", "2021-01", "--from", "../files")
    green_file()
    project.penstock(*arguments)
    before = project.tree()
    green_file(fare=9.0)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"penstock.lake.landing.{step}", interrupt)
    assert project.penstock(*arguments).code != 0
    assert project.tree() == before
    assert list((project.lake / ".staging").iterdir()) == []


def test_a_lost_file_lands_again(project: Project, green_file: GreenFile) -> None:
    arguments = ("land", "green", "2021-01", "--from", str(green_file().parent))
    project.penstock(*arguments)
    shutil.rmtree(project.lake / "green")
    assert project.penstock(*arguments).code == 0
    assert project.rows("green", "2021-01").num_rows == 3


def test_changed_columns_in_lake_yml_land_the_same_bytes_again(project: Project, green_file: GreenFile) -> None:
    arguments = ("land", "green", "2021-01", "--from", str(green_file().parent))
    project.penstock(*arguments)
    path = project.root / "lake.yml"
    path.write_text(path.read_text().replace("VendorID: {type: int,", "VendorID: {type: bigint,", 1))
    assert "1 landed with other columns" in project.penstock("lake").text
    assert "replaced" in project.penstock(*arguments).text
    assert project.rows("green", "2021-01").schema.field("VendorID").type == pa.int64()


def test_a_dataset_that_lake_yml_no_longer_describes_is_named(project: Project, green_file: GreenFile) -> None:
    project.penstock("land", "green", "2021-01", "--from", str(green_file().parent))
    path = project.root / "lake.yml"
    path.write_text(path.read_text().replace("  green:\n", "  renamed:\n", 1))
    text = project.penstock("lake").text
    assert "lake.yml doesn't describe green" in text and "other columns" not in text
    assert project.penstock("remove", "green", "2021-01..2021-01").code == 0, "as the message says"


def test_extra_columns_are_named(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(green_table().append_column("night_fee", pa.array([1, 2, 3])), path)
    answer = project.penstock("land", "green", "--file", str(path), "--month", "2021-01")
    assert answer.code == 0
    assert "left out: night_fee" in answer.text
    (entry,) = project.manifest.live().values()
    assert entry.schema_found[-1] == "night_fee:int64"
    assert entry.source == str(path)


def broken(kind: str) -> Any:
    """Return (bytes of a broken file, part of the message that refuses it)."""
    sink = pa.BufferOutputStream()
    pq.write_table(green_table(1000), sink)
    whole = sink.getvalue().to_pybytes()
    text = pa.BufferOutputStream()
    pacsv.write_csv(green_table(1000).drop(["ehail_fee"]), text)
    lines = text.getvalue().to_pybytes()
    empty = pa.BufferOutputStream()
    pq.write_table(green_table().slice(0, 0), empty)

    def changed(**columns: Any) -> bytes:
        out = pa.BufferOutputStream()
        table = green_table()
        for name, values in columns.items():
            table = table.set_column(table.schema.get_field_index(name), name, values)
        pq.write_table(table, out)
        return bytes(out.getvalue().to_pybytes())

    def written(table: pa.Table) -> bytes:
        out = pa.BufferOutputStream()
        pq.write_table(table, out)
        return bytes(out.getvalue().to_pybytes())

    return {
        "empty": (b"", "an empty file"),
        "blank": (b"\n\n \n", "nothing but blanks"),
        "truncated": (whole[: len(whole) // 2], "a truncated parquet file"),
        "footer": (whole[:-30] + b"\x00" * 26 + b"PAR1", "damaged footer"),
        "pages": (whole[:100] + b"\xff" * 2000 + whole[2100:], "readable to its end"),
        "html": (b"\n\n<!DOCTYPE html>\n<html>no</html>", "a web page"),
        "packed html": (gzip.compress(b"<html></html>"), "inside the gzip file, a web page"),
        "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer"),
        "gzip cut": (gzip.compress(lines * 20)[:-2000], "found: "),
        "binary": (b"PK\x03\x04\x00\x00\x00", "binary data"),
        "no rows": (bytes(empty.getvalue().to_pybytes()), "a header and no row"),
        "only a header": (lines.split(b"\n")[0] + b"\n", "a header and no row"),
        "csv ragged": (lines + b"1,2,3\n", "3 cells in row 1,001"),
        "csv text": (lines.replace(b"7.5", b"x.5", 1), "`x.5` in row 1"),
        "repeated": (lines.replace(b'"extra"', b'"mta_tax"', 1), "`mta_tax` more than once"),
        "missing": (written(green_table().drop(["VendorID"])), "1 of 21 missing: `VendorID`"),
        "two for one": (
            written(green_table().append_column("vendorid", pa.array([1, 2, 3]))),
            "`VendorID` and `vendorid`",
        ),
        "kind": (changed(fare_amount=pa.array(["a", "b", "c"])), "type string"),
        "zoned": (changed(lpep_pickup_datetime=pa.array([0, 0, 0], pa.timestamp("us", "UTC"))), "tz=UTC"),
        "fraction": (changed(passenger_count=pa.array([1.0, 1.5, None])), "`1.5` in row 2"),
        "nan": (changed(tip_amount=pa.array([1.0, 2.0, float("nan")])), "`nan` in row 3"),
    }[kind]


KINDS = [
    "empty", "blank", "truncated", "footer", "pages", "html", "packed html", "lfs", "gzip cut", "binary", "no rows",
    "only a header", "csv ragged", "csv text", "repeated", "missing", "two for one", "kind", "zoned", "fraction", "nan",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_broken_files_are_refused_and_the_others_land(
    project: Project, green_file: GreenFile, tmp_path: Path, kind: str
) -> None:
    folder = green_file("2021-01").parent
    green_file("2021-02")
    assert project.penstock("land", "green", "2021-01", "--from", str(folder)).code == 0
    before = project.rows("green", "2021-01")
    content, message = broken(kind)
    (folder / "green_tripdata_2021-01.parquet").write_bytes(content)
    answer = project.penstock("land", "green", "all", "--from", str(folder))
    assert answer.code == 1
    reasons = [line for line in answer.text.splitlines() if line.startswith("refused green 2021-01: needed: ")]
    assert len(reasons) == 1 and message in reasons[0], answer.text
    assert project.rows("green", "2021-01").equals(before)
    assert [(e.dataset, e.file_month.month) for e in project.manifest.entries()] == [("green", 1), ("green", 2)]
    assert list((project.lake / ".staging").iterdir()) == []


def test_a_file_of_another_dataset_is_named_so(project: Project, tmp_path: Path) -> None:
    assert project.penstock("sample", "--rows", "5", "--dataset", "yellow", "--months", "2023-01").code == 0
    (entry,) = project.manifest.live().values()
    raw = tmp_path / "y.parquet"
    shutil.copy(project.lake / entry.folder / "part-0.parquet", raw)
    answer = project.penstock("land", "green", "--file", str(raw), "--month", "2021-01")
    assert answer.code == 1
    assert "this is a yellow file" in answer.text


def test_the_error_for_a_missing_month_names_the_existing_ones(project: Project, green_file: GreenFile) -> None:
    for month in ("2021-01", "2021-02", "2021-05"):
        green_file(month)
    answer = project.penstock("land", "green", "2021-02..2021-03", "--from", "../files")
    assert answer.code == 1
    assert "months there: 2021-01..2021-02, 2021-05" in answer.text
    assert [month.month for _, month in project.manifest.live()] == [2]


def test_a_file_name_with_another_month_is_refused(project: Project, green_file: GreenFile) -> None:
    answer = project.penstock("land", "green", "--file", str(green_file("2021-02")), "--month", "2021-01")
    assert answer.code == 1
    assert "by its name the file of 2021-02" in answer.text
    assert project.manifest.version() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("blue", "2021-01"), "known: green, yellow, fhvhv"),
        (("green",), "at least one month"),
        (("green", "all"), "a folder that can be listed"),
        (("green", "2021-01", "--month", "2021-01"), "--month alone"),
        (("green", "2021-01", "--file", "x"), "months or --from too"),
        (("green", "--file", "x.parquet"), "a file name without a month"),
        (("green", "--file", "x.parquet", "--month", "2021-01"), "the file "),
        (("green", "2021-01", "--from", "nowhere"), "no folder nowhere"),
        (("green", "all", "--from", "."), "green files in ."),
        (("green", "2021-01", "--from", "ftpx://host/a"), "`ftpx://host/a`"),
    ],
)
def test_mistakes_on_the_command_line(project: Project, arguments: tuple[str, ...], message: str) -> None:
    answer = project.penstock("land", *arguments)
    assert answer.code == 1
    assert message in answer.text
    assert not project.tree() if project.lake.exists() else True


def test_two_files_for_one_month(project: Project, green_file: GreenFile) -> None:
    path = project.root / "lake.yml"
    path.write_text(path.read_text().replace('"green_tripdata_{month}.csv"', '"green*{month}.parquet"', 1))
    folder = green_file().parent
    shutil.copy(folder / "green_tripdata_2021-01.parquet", folder / "green_a_2021-01.parquet")
    assert project.penstock("land", "green", "2021-01", "--from", str(folder)).code == 0
    (entry,) = project.manifest.live().values()
    assert entry.source_file == "green_tripdata_2021-01.parquet"
    (folder / "green_tripdata_2021-01.parquet").rename(folder / "green_b_2021-01.parquet")
    answer = project.penstock("land", "green", "2021-01", "--from", str(folder))
    assert answer.code == 1
    assert "green_a_2021-01.parquet and green_b_2021-01.parquet" in answer.text


REAL = {
    "truncated_yellow_tripdata_2024-01.parquet": ("yellow", "2024-01", "a truncated parquet file"),
    "html_page_as_yellow_tripdata_2020_01.csv.gz": ("yellow", "2020-01", "a web page"),
    "lfs_pointer_yellow_tripdata_2019-01.csv": ("yellow", "2019-01", "a Git LFS pointer"),
    "zone_lookup_missing_264_265.csv": ("green", "2021-01", "21 missing"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_broken_files(project: Project, tlc: Path, name: str) -> None:
    dataset, month, message = REAL[name]
    answer = project.penstock("land", dataset, "--file", str(tlc / "broken" / name), "--month", month)
    assert answer.code == 1
    assert message in answer.text
    assert project.manifest.version() == 0
    assert not (project.lake / dataset).exists()


def test_real_files_keep_every_row_and_cent(project: Project, tlc: Path) -> None:
    assert project.penstock("land", "green", "2023-01,2023-02,2025-10", "--from", str(tlc / "green")).code == 0
    query = "select count(*), sum(total_amount::decimal(12,2)), count(passenger_count) from read_parquet('{}')"
    for month in ("2023-01", "2023-02", "2025-10"):
        raw = duckdb.execute(query.format(tlc / "green" / f"green_tripdata_{month}.parquet")).fetchall()
        mine = duckdb.execute(query.format(f"{project.lake}/green/file_month={month}-01/*/*.parquet")).fetchall()
        assert mine == raw


def test_real_csv_samples(project: Project, tlc: Path) -> None:
    for name, month in (("fhvhv_2020-04_random1k.csv", "2020-04"), ("fhvhv_2021-01_first1k.csv", "2021-01")):
        assert project.penstock("land", "fhvhv", "--file", str(tlc / "fhvhv" / name), "--month", month).code == 0
        rows = project.rows("fhvhv", month)
        assert rows.num_rows == 1000
        assert rows.column("pickup_datetime").null_count == 0
        assert rows.column("airport_fee").null_count > 0
