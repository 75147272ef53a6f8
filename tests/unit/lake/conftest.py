"""A project folder for each test, the lake's commands on it, and small source files."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from penstock.cli.lake import register
from penstock.errors import PenstockError
from penstock.lake import catalog as catalogs
from penstock.lake.manifest import Manifest

REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass
class Answer:
    """The output and the exit code of a command."""

    code: int
    text: str


@dataclass
class Project:
    """A project folder with the repository's lake.yml."""

    root: Path

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def catalog(self) -> catalogs.Catalog:
        return catalogs.load(self.root)

    @property
    def manifest(self) -> Manifest:
        return Manifest(self.lake)

    def penstock(self, *arguments: str) -> Answer:
        app = typer.Typer()
        register(app)
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
        if isinstance(result.exception, PenstockError):
            return Answer(1, str(result.exception))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.output)

    def rows(self, dataset: str, month: str) -> pa.Table:
        """Return the live rows of a month."""
        entry = self.manifest.live()[dataset, date.fromisoformat(f"{month}-01")]
        return pq.ParquetFile(self.lake / entry.folder / "part-0.parquet").read()

    def tree(self) -> dict[str, int]:
        """Return the modification time of every file of the lake outside the staging folder."""
        return {
            path.relative_to(self.lake).as_posix(): path.stat().st_mtime_ns
            for path in sorted(self.lake.rglob("*"))
            if path.is_file() and not path.relative_to(self.lake).parts[0].startswith(".")
        }


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(REPOSITORY / "lake.yml", root / "lake.yml")
    (root / "dbt_project.yml").write_text("name: x\n")
    monkeypatch.chdir(root)
    return Project(root)


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


GREEN_OLD: dict[str, pa.DataType] = {
    "VendorID": pa.int64(), "lpep_pickup_datetime": pa.timestamp("us"), "lpep_dropoff_datetime": pa.timestamp("us"),
    "store_and_fwd_flag": pa.string(), "RatecodeID": pa.float64(), "PULocationID": pa.int64(),
    "DOLocationID": pa.int64(), "passenger_count": pa.float64(), "trip_distance": pa.float64(),
    "fare_amount": pa.float64(), "extra": pa.float64(), "mta_tax": pa.float64(), "tip_amount": pa.float64(),
    "tolls_amount": pa.float64(), "ehail_fee": pa.null(), "improvement_surcharge": pa.float64(),
    "total_amount": pa.float64(), "payment_type": pa.float64(), "trip_type": pa.float64(),
    "congestion_surcharge": pa.float64(),
}  # fmt: skip
GREEN_NEW = {
    **GREEN_OLD, "VendorID": pa.int32(), "PULocationID": pa.int32(), "DOLocationID": pa.int32(),
    "RatecodeID": pa.int64(), "passenger_count": pa.int64(), "payment_type": pa.int64(), "trip_type": pa.int64(),
    "store_and_fwd_flag": pa.large_string(), "ehail_fee": pa.float64(),
}  # fmt: skip


def green_table(rows: int = 3, types: dict[str, pa.DataType] = GREEN_OLD, fare: float = 7.5) -> pa.Table:
    """Return the rows of a small green file; the counts of the last row are null."""

    def value(kind: pa.DataType, name: str, row: int) -> Any:
        if pa.types.is_null(kind) or (row == rows - 1 and name in ("passenger_count", "payment_type")):
            return None
        if pa.types.is_timestamp(kind):
            return datetime(2021, 1, 1, 0, 15, row % 60)
        if name == "fare_amount":
            return fare
        return "N" if name == "store_and_fwd_flag" else 1

    return pa.table({n: pa.array([value(k, n, r) for r in range(rows)], k) for n, k in types.items()})


GreenFile = Callable[..., Path]


@pytest.fixture
def green_file(tmp_path: Path) -> GreenFile:
    """Return a function that writes a green file into a folder: (month, rows, types, fare) -> path."""

    def write(month: str = "2021-01", rows: int = 3, types: Any = GREEN_OLD, fare: float = 7.5) -> Path:
        folder = tmp_path / "files"
        folder.mkdir(exist_ok=True)
        path = folder / f"green_tripdata_{month}.parquet"
        # The metadata differs by month, so that files with the same rows have different bytes.
        pq.write_table(green_table(rows, types, fare).replace_schema_metadata({"month": month}), path)
        return path

    return write


@pytest.fixture
def tlc() -> Path:
    """Return the folder of real TLC files; skip the test when there is none."""
    folder = os.environ.get("PENSTOCK_TLC_DATA")
    if not folder:
        pytest.skip("PENSTOCK_TLC_DATA names no folder of real files")
    return Path(folder)
