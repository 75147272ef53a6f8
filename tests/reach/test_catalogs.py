"""A project on two catalogs: sources in an Iceberg REST catalog, marts in Delta, and readers other than Spark."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from deltalake import DeltaTable, QueryBuilder

from penstock.spark.server import control
from tests.reach.external_tools import from_pip, run_with
from tests.support.projects import Project, small_project
from tests.support.rest_catalog import rest_catalog

READERS = (
    *("duckdb==1.5.5", "duckdb-extension-iceberg==1.5.5", "duckdb-extension-avro==1.5.5"),
    *("duckdb-extension-httpfs==1.5.5", "pyiceberg==0.12.0", "pyarrow"),
)
# Each reader takes the catalog's address and a table, and prints the number of rows and the exact sum of the cents.
DUCKDB = """
import duckdb, importlib, sys
from pathlib import Path
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
for name in ("avro", "httpfs", "iceberg"):
    folder = Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
    connection.execute(f"load '{next(folder.rglob('*.duckdb_extension'))}'")
connection.execute(f"attach '' as ice (type iceberg, endpoint '{sys.argv[1]}', authorization_type 'none')")
print(*connection.execute(f"select count(*), sum(amount) from ice.{sys.argv[2]}").fetchone())
"""
PYICEBERG = """
import pyarrow.compute as pc, sys
from pyiceberg.catalog import load_catalog
table = load_catalog("ice", type="rest", uri=sys.argv[1]).load_table(sys.argv[2]).scan().to_arrow()
print(table.num_rows, pc.sum(table["amount"]).as_py())
"""
FILES = {
    "models/orders_clean.sql": "select * from {{ source('shop', 'orders') }} where amount > 0",
    "models/revenue.sql": "{{ config(materialized='incremental', incremental_strategy='merge', "
    "unique_key='customer') }} "
    "select customer, sum(amount) as amount, count(*) as orders from {{ ref('orders_clean') }} group by customer",
    "models/slow.sql": "{{ config(materialized='table') }} select id, java_method('java.lang.Thread', 'sleep', "
    "cast({{ var('wait', 1) }} as bigint)) as slept from range(1)",
    "models/share.py": """
def model(dbt, session):
    dbt.config(materialized="table", database="ice")
    orders, revenue = dbt.ref("orders_clean"), dbt.ref("revenue")
    dbt.ref("slow")
    joined = orders.join(revenue.withColumnRenamed("amount", "total"), "customer")
    return joined.selectExpr("id", "customer", "amount", "amount / total as share")
""",
    "snapshots/customers.yml": yaml.safe_dump(
        {
            "snapshots": [
                {
                    "name": "customers",
                    "relation": "ref('revenue')",
                    "config": {"database": "ice", "unique_key": "customer", "strategy": "check", "check_cols": "all"},
                }
            ]
        }
    ),
    "models/sources.yml": yaml.safe_dump(
        {
            "sources": [
                {
                    "name": "shop",
                    "database": "ice",
                    "schema": "shop",
                    "tables": [{"name": "orders", "columns": [{"name": "id", "data_tests": ["unique", "not_null"]}]}],
                }
            ]
        }
    ),
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with rest_catalog(tmp_path_factory.mktemp("rest")) as running:
        yield running.uri


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, catalog: str) -> Iterator[Project]:
    """Built once, stopped in the middle of the second build, and built again."""
    made = small_project(tmp_path_factory.mktemp("two"), FILES, catalogs={"ice": {"type": "rest", "uri": catalog}})
    try:
        assert made.penstock("up").returncode == 0
        made.sql("create schema ice.shop")
        made.sql(
            "create table ice.shop.orders using iceberg partitioned by (bucket(4, id)) as select id, "
            "concat('c', id % 7) as customer, cast(id % 100 as decimal(12,2)) / 4 as amount from range(1000)"
        )
        first = made.dbt("build")
        assert first.returncode == 0, first.stdout
        made.sql("insert into ice.shop.orders select 1000 + id, 'c1', cast(0.01 as decimal(12,2)) from range(10)")
        dbt = made.start("dbt", "build", "--vars", "wait: 60000")
        while "START sql table model small.slow" not in dbt.output():
            assert dbt.poll() is None, dbt.output()
            time.sleep(0.5)
        dbt.kill()
        dbt.wait(60)
        again = made.dbt("build")
        assert again.returncode == 0, again.stdout
        yield made
    finally:
        control.down(made.settings)


def test_every_table_is_right_after_a_killed_build(project: Project) -> None:
    total = project.sql("select sum(amount), count(*) from ice.shop.orders where amount > 0")
    assert project.sql("select sum(amount), sum(orders) from small.revenue") == total
    assert project.sql("select sum(amount), count(*) from ice.small.share") == total
    assert project.sql("select count(distinct customer), round(sum(share), 6) from ice.small.share") == [(7, 7.0)]
    current = "select sum(amount), sum(orders) from ice.small.customers where dbt_valid_to is null"
    assert project.sql(current) == total
    ended = "select customer, count(*) from ice.small.customers where dbt_valid_to is not null group by customer"
    assert project.sql(ended) == [("c1", 1)]


def test_the_docs_have_both_catalogs(project: Project) -> None:
    done = project.dbt("docs", "generate")
    assert done.returncode == 0, done.stdout
    found = json.loads((project.root / "target" / "catalog.json").read_text())
    databases = {name: item["metadata"]["database"] for name, item in {**found["nodes"], **found["sources"]}.items()}
    assert databases == {
        **{f"model.small.{name}": None for name in ("orders_clean", "revenue", "slow")},
        **dict.fromkeys(("model.small.share", "snapshot.small.customers", "source.small.shop.orders"), "ice"),
    }
    assert not found["errors"]


@pytest.mark.parametrize("table", ["shop.orders", "small.share", "small.customers"])
def test_other_readers_find_the_same_sums(project: Project, catalog: str, table: str) -> None:
    """DuckDB and PyIceberg, each through the catalog."""
    readers = from_pip(*READERS)
    rows, amount = project.sql(f"select count(*), sum(amount) from ice.{table}")[0]
    expected = [f"{rows} {amount}"]
    assert run_with(readers, DUCKDB, catalog, table) == expected
    assert run_with(readers, PYICEBERG, catalog, table) == expected


def test_delta_rs_reads_the_mart(project: Project) -> None:
    folder = Path(str(project.settings.warehouse_dir)) / "small.db" / "revenue"
    query = "select sum(amount) as amount, sum(orders) as orders from"
    found = QueryBuilder().register("t", DeltaTable(str(folder))).execute(f"{query} t").read_all()
    assert tuple(column[0].as_py() for column in found.columns) == project.sql(f"{query} small.revenue")[0]
