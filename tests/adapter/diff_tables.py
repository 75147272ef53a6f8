"""Pairs of tables that differ in every way that `penstock diff` knows, and models that name them."""

from __future__ import annotations

from penstock.diff.dbt_tables import DbtTable, Relation
from penstock.diff.keys import Key

BEFORE, AFTER = "prod", "small"
STRUCT = "named_struct('a', {a}, 'c', {c}, 'm', map({m}))"


def item(
    number: int,
    *,
    name: str = "'x'",
    amount: str = "10.10",
    rate: str = "0.5",
    info: str = STRUCT.format(a=1, c=2, m="'k', 1"),
    props: str = "map('a', 1, 'b', 2)",
    tags: str = "array(1, 2)",
    at: str = "2024-01-01 00:00:00.000001",
) -> str:
    """Return a row of `items` as a SELECT. Each value is SQL."""
    return (
        f"select cast({number} as int) as id, cast({name} as string) as name, "
        f"cast({amount} as decimal(10,2)) as amount, cast({rate} as double) as rate, {info} as info, "
        f"{props} as props, {tags} as tags, named_struct('at', timestamp_ntz'{at}') as times"
    )


# Each row of one table is different from its row in the other table in at most one column.
ITEMS_BEFORE = [
    item(1, name="null", rate="'NaN'", props="map('a', 1, 'b', 2)"),
    item(2, amount="10.10"),
    item(3, name="null"),
    item(4, props="map('a', 1, 'b', 2)"),
    item(5, info=STRUCT.format(a=1, c="cast(null as int)", m="'k', 1")),
    item(6, amount="1234567.89"),
    item(8, rate="1.0"),
    item(9, rate="-0.0"),
    item(10, info=STRUCT.format(a=1, c=2, m="'k', 1, 'l', 2")),
    item(11, tags="array(1, null)"),
    item(12, amount="null"),
    item(13, at="2024-01-01 00:00:00.000001"),
]
ITEMS_AFTER = [
    item(1, name="null", rate="'NaN'", props="map('b', 2, 'a', 1)"),
    item(2, amount="10.11"),
    item(3, name="'y'"),
    item(4, props="map('a', 1, 'b', 3)"),
    item(5, info=STRUCT.format(a="cast(null as int)", c=1, m="'k', 1")),
    item(7, amount="0.01"),
    item(8, rate="'NaN'"),
    item(9, rate="0.0"),
    item(10, info=STRUCT.format(a=1, c=2, m="'l', 2, 'k', 1")),
    item(11, tags="array(null, 1)"),
    item(12, amount="5.00"),
    item(13, at="2024-01-01 00:00:00.000002"),
]
STATEMENTS = [
    f"create schema if not exists {BEFORE}",
    f"create schema if not exists {AFTER}",
    f"create or replace table {BEFORE}.items using delta as {' union all '.join(ITEMS_BEFORE)}",
    f"create or replace table {AFTER}.items using delta as {' union all '.join(ITEMS_AFTER)}",
    # Other columns: one is added, one is removed, two have another type, one has another letter case.
    f"create or replace table {BEFORE}.shapes using delta as select 1 as id, 2 as number, cast(1.5 as decimal(4,1)) "
    "as price, 'a' as Label, 'gone' as old",
    f"create or replace table {AFTER}.shapes using delta as select 1 as id, 2L as number, "
    "cast(1.50 as decimal(10,2)) as price, 'b' as label, 'new' as fresh",
    f"create or replace table {BEFORE}.twice using delta as select * from values (1, 'a'), (1, 'a'), (2, 'b'), "
    "(null, 'n'), (null, 'n') as t(id, name)",
    f"create or replace table {AFTER}.twice using delta as select * from values (1, 'a'), (2, 'b'), (2, 'b'), "
    "(3, 'c'), (null, 'n'), (null, 'n') as t(id, name)",
    f"create or replace table {BEFORE}.keyless using delta as select * from values ('a', 1.5), ('a', 1.5), ('b', 2.5) "
    "as t(name, amount)",
    f"create or replace table {AFTER}.keyless using delta as select * from values ('a', 1.5), ('b', 2.5), ('b', 2.5), "
    "('b', 2.5) as t(name, amount)",
    f"create or replace table {BEFORE}.nullable using delta as select * from values (null, 1), (2, 2) as t(id, n)",
    f"create or replace table {AFTER}.nullable using delta as select * from values (null, 7), (2, 2) as t(id, n)",
    f"create or replace table {BEFORE}.same using delta as select id, id * 2 as n from range(1000)",
    f"create or replace table {AFTER}.same using delta as select id, id * 2 as n from range(1000)",
    f"create or replace table {BEFORE}.large using delta as select id, cast(id as decimal(12,2)) as amount, "
    "cast(id % 7 as int) as kind from range(20000)",
    f"create or replace table {AFTER}.large using delta as select id, cast(if(id % 100 = 3, id + 0.01, id) as "
    "decimal(12,2)) as amount, cast(id % 7 as int) as kind from range(20000)",
    f"create or replace table {AFTER}.fresh using delta as select id from range(3)",
    f"create or replace table {BEFORE}.unbuilt using delta as select id from range(3)",
    f"create or replace view {AFTER}.seen as select 1 as id",
    f"create or replace table {AFTER}.versions using delta as select id, 1 as n from range(3)",
    f"update {AFTER}.versions set n = 2 where id = 1",
    f"insert into {AFTER}.versions values (7, 1)",
]


def model(name: str, *keys: Key, is_view: bool = False) -> DbtTable:
    """Return a model with a table in both targets."""
    relations = {schema: Relation(f"spark_catalog.{schema}.{name}", f"{schema}.{name}") for schema in (BEFORE, AFTER)}
    return DbtTable(f"model.small.{name}", name, relations, keys, is_view)


ID = Key(("ID",), "unique_key")
