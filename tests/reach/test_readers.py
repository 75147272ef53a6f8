"""Readers that aren't Spark SQL: the same rows and sums, by the very commands of two pages in docs/how-to."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from penstock.spark.java import find
from penstock.spark.server import control
from tests.reach.delta_readers import DOCS, PROBES, VECTORS, blocks, by_extension, promised
from tests.reach.external_tools import from_pip, missing
from tests.support.projects import INTERPRETED, Project, make_project

try:
    from deltalake import DeltaTable, QueryBuilder
    from deltalake.exceptions import DeltaError, DeltaProtocolError
except ImportError:
    missing("needed: the package deltalake. found: none. do: pip install -e .[dev]")

EXTENSION = ("duckdb==1.5.5", "duckdb-extension-delta==1.5.5")
# Partitioned; the same with deletion vectors after a deletion and an update; replaced; merged into.
TABLES = ("monthly_zone_revenue", "fct_trips", "dim_zones", "zones_history", "hourly_zone_revenue")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two small months, built; then a table replaced, one merged into, one with rows deleted and updated."""
    made = make_project(tmp_path_factory.mktemp("read"), spark_conf=INTERPRETED)
    try:
        words = ("--rows", "3000", "--months", "2024-01..2024-02", "--dataset", "green", "--dataset", "yellow")
        assert made.penstock("sample", *words).returncode == 0
        chosen = ("--select", "+monthly_zone_revenue", "+hourly_zone_revenue", "zones_history")
        done = made.dbt("build", *chosen, "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
        assert done.returncode == 0, done.stdout
        zones = made.root / "seeds" / "zones.csv"
        zones.write_text(zones.read_text().replace("Astoria Park", "Astoria"))
        kinds = ("--resource-type", "seed", "--resource-type", "model", "--resource-type", "snapshot")
        done = made.dbt("build", "--select", "zones", "dim_zones", "zones_history", *kinds)
        assert done.returncode == 0, done.stdout
        made.sql(f"alter table warehouse.fct_trips set tblproperties ({VECTORS})")
        made.sql("delete from warehouse.fct_trips where pickup_zone_id % 7 = 3")
        made.sql("update warehouse.fct_trips set total_amount = total_amount + 0.01 where dropoff_zone_id % 5 = 1")
        made.sql("create schema probe")
        yield made
    finally:
        control.down(made.settings)


@pytest.fixture(scope="module")
def extension() -> Path:
    """DuckDB with its extension for Delta, apart: it is of another version than this environment's."""
    return from_pip(*EXTENSION)


def _folder(project: Project, table: str, schema: str = "warehouse") -> str:
    return str(project.settings.warehouse_dir / f"{schema}.db" / table)


def _by_spark(project: Project, table: str) -> pa.Table:
    from pyspark.sql import SparkSession

    running = control.current(project.settings)
    assert running
    session = SparkSession.builder.remote(f"sc://localhost:{running.ports.connect}/;token={running.token}").create()
    try:
        found: pa.Table = session.sql(f"select * from warehouse.{table}").toArrow()
        return found
    finally:
        session.stop()


def _alike(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The same columns and types in the same order of rows, so that two tables compare."""
    cast = table.select(schema.names).cast(pa.schema([(field.name, field.type) for field in schema]))
    return cast.sort_by([(name, "ascending") for name in schema.names]).combine_chunks()


def _money(schema: pa.Schema) -> str:
    """A query of the number of rows and the exact sum of each column that has cents."""
    cents = [field.name for field in schema if pa.types.is_decimal(field.type)]
    return ", ".join(["count(*)", *(f"sum({name})" for name in cents)])


@pytest.mark.parametrize("table", TABLES)
def test_delta_rs_and_duckdb_read_what_spark_reads(project: Project, table: str, extension: Path) -> None:
    expected = _by_spark(project, table)
    assert expected.num_rows > 200
    opened = DeltaTable(_folder(project, table))
    streamed = pa.table(QueryBuilder().register("t", opened).execute("select * from t").read_all())
    assert _alike(streamed, expected.schema).equals(_alike(expected, expected.schema))

    # Sums, by each engine itself.
    query = f"select {_money(expected.schema)} from"
    sums = list(project.sql(f"{query} warehouse.{table}")[0])
    by_delta_rs = pa.table(QueryBuilder().register("t", opened).execute(f"{query} t").read_all())
    assert [column[0].as_py() for column in by_delta_rs.columns] == sums
    import duckdb

    rows = QueryBuilder().register("t", opened).execute("select * from t")  # noqa: F841, DuckDB finds it by its name
    assert list(duckdb.execute(f'{query} "rows"').fetchall()[0]) == sums
    assert by_extension(extension, f"{query} delta_scan('{_folder(project, table)}')") == [str(sums)]


def test_the_tables_are_what_they_are_said_to_be(project: Project) -> None:
    """Partitioned, with deletion vectors, replaced, merged into: else the test above shows less than it says."""
    assert DeltaTable(_folder(project, "monthly_zone_revenue")).metadata().partition_columns == ["revenue_month"]
    log = sorted((Path(_folder(project, "fct_trips")) / "_delta_log").glob("*.json"))
    assert any('"deletionVector":{' in path.read_text() for path in log)
    for table, operation in (("dim_zones", "REPLACE TABLE AS SELECT"), ("zones_history", "MERGE")):
        history = DeltaTable(_folder(project, table)).history()
        assert any(operation in commit["operation"] for commit in history), history
    closed = "select count(*) from warehouse.zones_history where dbt_valid_to is not null"
    assert project.sql(closed) == [(1,)]


def test_duckdb_reads_a_dataset_of_a_table_without_deletion_vectors(project: Project) -> None:
    import duckdb

    monthly = DeltaTable(_folder(project, "monthly_zone_revenue")).to_pyarrow_dataset()  # noqa: F841
    query = "select count(*), sum(revenue_monthly_total_amount) from"
    assert duckdb.execute(f"{query} monthly").fetchall() == project.sql(f"{query} warehouse.monthly_zone_revenue")


def test_the_docs_name_each_feature_that_is_tried() -> None:
    assert set(promised()) == set(PROBES)


@pytest.mark.parametrize("feature", PROBES)
def test_features_are_read_or_refused_as_the_docs_say(project: Project, feature: str, extension: Path) -> None:
    project.sql("drop table if exists probe.t")
    for statement in PROBES[feature]:
        project.sql(statement)
    folder = _folder(project, "t", "probe")
    query = "select count(*), sum(id) from"
    expected = list(project.sql(f"{query} probe.t")[0])
    opened = DeltaTable(folder)
    assert feature in (opened.protocol().reader_features or [])

    def by_query() -> list[object]:
        found = pa.table(QueryBuilder().register("t", opened).execute(f"{query} t").read_all())
        return [column[0].as_py() for column in found.columns]

    def by_dataset() -> list[object]:
        found = opened.to_pyarrow_dataset().to_table(columns=["id"])
        return [found.num_rows, pa.compute.sum(found["id"]).as_py()]

    results = [_said(by_query, expected), _said(by_dataset, expected)]
    duckdb_says = by_extension(extension, f"{query} delta_scan('{folder}')")
    assert duckdb_says == [str(expected)]
    assert [*results, "reads"] == promised()[feature]


def _said(read: object, expected: list[object]) -> str:
    """Whether a reader refuses a table or reads it; wrong rows are neither."""
    try:
        found = read()  # type: ignore[operator]
    except (DeltaProtocolError, DeltaError):
        return "refuses"
    assert found == expected
    return "reads"


def test_a_table_is_freed_of_deletion_vectors_as_the_docs_say(project: Project) -> None:
    project.sql("drop table if exists probe.t")
    for statement in PROBES["deletionVectors"]:
        project.sql(statement)
    folder = _folder(project, "t", "probe")
    with pytest.raises(DeltaProtocolError, match="deletionVectors"):
        DeltaTable(folder).to_pyarrow_dataset()
    for statement in blocks("sql")[0].replace("warehouse.fct_trips", "probe.t").split(";"):
        if statement.strip():
            project.sql(statement.strip())
    assert DeltaTable(folder).to_pyarrow_dataset().count_rows() == project.sql("select count(*) from probe.t")[0][0]


# A block that goes on with the notebook of the one before is run with it.
CODE = re.sub(r"```\n[^`]*```python\n(?=spark)", "", DOCS)
PYTHON = {f"{code.splitlines()[0]} #{number}": code for number, code in enumerate(blocks("python", CODE))}


@pytest.mark.parametrize("block", PYTHON)
def test_the_docs_python_prints_sparks_sums(project: Project, block: str, extension: Path) -> None:
    """Each block as it stands, in the project's folder: the three lines of a notebook among them."""
    code = PYTHON[block]
    apart = {"PYTHONPATH": str(extension)} if "duckdb_extension_delta" in code else {}
    done = project.program(sys.executable, "-c", code, **apart)
    assert done.returncode == 0, done.stdout
    table, column = ("fct_trips", "total_amount") if "fct_trips" in code else (
        "monthly_zone_revenue", "revenue_monthly_total_amount")  # fmt: skip
    sums = project.sql(f"select service_type, sum({column}) from warehouse.{table} group by all order by 1")
    assert [service for service, _ in sums] == ["green", "yellow"]
    for service, total in sums:
        assert re.search(rf"{service}\D.*\b{total}\b", done.stdout), done.stdout


def test_a_notebook_takes_three_lines() -> None:
    [notebook] = [code for code in blocks("python") if "SparkSession" in code]
    assert len([line for line in notebook.splitlines() if line]) == 3
    assert any(notebook in code and "spark.table" in code for code in PYTHON.values())


def test_beeline_prints_the_rows(project: Project) -> None:
    """The docs' command, at this server's port."""
    [command] = [block for block in blocks("shell") if block.startswith("beeline")]
    running = control.current(project.settings)
    assert running
    java = {"JAVA_HOME": str(find(None).home)}
    here = command.replace("127.0.0.1:10000", f"127.0.0.1:{running.ports.thrift}")
    assert here != command or running.ports.thrift == 10000
    done = project.program("sh", "-c", f"{here.rstrip()} 2>beeline.log", **java)
    assert done.returncode == 0, (project.root / "beeline.log").read_text()
    query = "select service_type, sum(revenue_monthly_total_amount) from warehouse.monthly_zone_revenue"
    # beeline's prompt may stand before the first line.
    printed = done.stdout.splitlines()[-3:]
    assert printed[0].endswith("service_type,total")
    assert printed[1:] == [f"{service},{total}" for service, total in project.sql(f"{query} group by all order by 1")]

    wrong = here.replace("monthly_zone_revenue", "no_such_table").rstrip()
    refused = project.program("sh", "-c", f"{wrong} 2>beeline.log", **java)
    assert refused.returncode == 1
    assert "TABLE_OR_VIEW_NOT_FOUND" in (project.root / "beeline.log").read_text()


def test_the_record_with_the_token_is_its_owners_alone(project: Project) -> None:
    path = project.settings.state_dir / "server.json"
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["token"]
