"""lake.yml: errors name the wrong key, and a dataset returns its schema, names and fingerprints."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.lake import catalog as catalogs
from penstock.lake.catalog import Catalog, Dataset

from .conftest import REPOSITORY

ONE: dict[str, Any] = {"file_name": ["r-{month}.csv"], "columns": {"a": {"type": "int"}}}


def load(tmp_path: Path, data: Any) -> Catalog:
    (tmp_path / "lake.yml").write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return catalogs.load(tmp_path)


def test_the_lake_yml_of_the_repository() -> None:
    catalog = catalogs.load(REPOSITORY)
    assert list(catalog.datasets) == ["green", "yellow", "fhvhv"]
    green = catalog.dataset("green")
    assert green.landed_schema.field("fare_amount").type == pa.decimal128(12, 2)
    assert green.landed_schema.names[-2:] == ["source_file", "source_row"]
    assert [column[:2] for column in green.table_columns[-3:]] == [
        ("source_file", "STRING"),
        ("source_row", "BIGINT"),
        ("file_month", "DATE"),
    ]
    assert all(comment for _, _, comment in green.table_columns)
    assert green.official_name(date(2021, 1, 1)) == "green_tripdata_2021-01.parquet"
    assert green.month_of("green_tripdata_2021-01.csv.gz") == (2, date(2021, 1, 1))
    assert green.month_of("green_tripdata_2021-13.csv") is None
    assert green.month_of("yellow_tripdata_2021-01.csv") is None


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"r": {**ONE, "colour": 1}}, "unknown key `datasets.r.colour`"),
        ({"r": {**ONE, "name": "x"}}, "unknown key `datasets.r.name`"),
        (
            {"r": {**ONE, "columns": {"a": {"type": "int", "nullable": True}}}},
            "unknown key `datasets.r.columns.a.nullab",
        ),
        ({"r": {**ONE, "columns": {"a": {"type": "float"}}}}, "datasets.r.columns.a.type"),
        ({"r": {**ONE, "columns": {"a b": {"type": "int"}}}}, "column `a b` is not a SQL identifier"),
        ({"r": {**ONE, "columns": {"A": {"type": "int"}, "a": {"type": "int"}}}}, "`A` and `a` both claim"),
        ({"r": {**ONE, "columns": {"a": {"type": "int"}, "b": {"type": "int", "also": ["A "]}}}}, "both claim"),
        ({"r": {**ONE, "columns": {"Source_Row": {"type": "int"}}}}, "landing adds"),
        ({"r": {**ONE, "columns": {}}}, "datasets.r.columns"),
        ({"r": {**ONE, "file_name": ["r.csv"]}}, "`r.csv` must contain {month}"),
        ({"r": {**ONE, "file_name": ["r-*-{month}.csv"]}}, "can't contain *"),
        ({"r": {**ONE, "file_name": []}}, "datasets.r.file_name"),
        ({"r": {**ONE, "published": "https://example.org/"}}, "must contain {file_name}"),
        ({"2r": ONE}, "dataset `2r` is not a SQL identifier"),
        ({"Manifest": ONE}, "penstock's own table"),
        ({"r": ONE, "R": ONE}, "differ by case only"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, datasets: Any, message: str) -> None:
    with pytest.raises(PenstockError, match=re.escape(message)):
        load(tmp_path, {"datasets": datasets})


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    columns = "columns:\n      a: {type: int}\n      a: {type: string}\n"
    text = f"datasets:\n  r:\n    file_name: ['r-{{month}}.csv']\n    {columns}"
    with pytest.raises(PenstockError, match=r"`datasets\.r\.columns\.a` twice"):
        load(tmp_path, text)


def test_an_unknown_dataset_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(PenstockError, match="`blue`; known: r"):
        load(tmp_path, {"datasets": {"r": ONE}}).dataset("blue")


@given(st.text(max_size=12))
def test_only_sql_identifiers_become_columns(name: str) -> None:
    data = {"name": "r", "file_name": ["{month}.csv"], "columns": {name: {"type": "int"}}}
    plain = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) is not None
    try:
        Dataset.model_validate(data)
        accepted = True
    except ValueError:
        accepted = False
    assert accepted == (plain and name.lower() not in ("source_file", "source_row", "file_month"))


@pytest.mark.parametrize(
    ("change", "lands_again", "table_recreated"),
    [
        ({"type": "bigint"}, True, True),
        ({"also": ["b"]}, True, False),
        ({"optional": True}, True, False),
        ({"description": "other"}, False, True),
    ],
)
def test_fingerprints_change_with_the_columns(change: Any, lands_again: bool, table_recreated: bool) -> None:
    def dataset(extra: Any) -> Dataset:
        return Dataset.model_validate({"name": "r", **ONE, "columns": {"a": {"type": "int", **extra}}})

    before, after = dataset({}), dataset(change)
    assert (before.schema_fingerprint != after.schema_fingerprint) == lands_again
    assert (before.table_fingerprint != after.table_fingerprint) == table_recreated
