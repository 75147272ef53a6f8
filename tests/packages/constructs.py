"""The constructs of dbt packages, with the query that shows the result of each and the expected rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

KEY = hashlib.md5(b"1-ann").hexdigest()


@dataclass(frozen=True)
class Construct:
    """A construct, and how the test observes it.

    Attributes:
        name: the construct as the page shows it.
        query: reads the result from the built tables.
        rows: the expected rows.
        note: what the reader should know; empty if it works without a setting.
    """

    name: str
    query: str
    rows: list[tuple[Any, ...]]
    note: str = ""


TARGET_TYPE = "a package that tests `target.type` doesn't find Spark with `target_type: penstock` in the profile"
CONSTRUCTS = (
    Construct(
        "`adapter.dispatch`: `penstock__`, then `spark__`, then `default__`",
        "select a, b, c, d from small.engines",
        [("spark", "penstock", "default", "penstock")],
    ),
    Construct(
        "`target.type in ('spark', 'databricks')`, `'spark' in target.type`, `target.host`",
        "select a, b, c, d from small.targets",
        [("True", "True", "penstock", "True")],
        TARGET_TYPE,
    ),
    Construct(
        "`adapter.get_relation` and `api.Relation.create` with `target.database`",
        "select a, b, n from small.found_relation",
        [("True", "True", 3)],
    ),
    Construct(
        "`run_query` with DESCRIBE, and SHOW TABLES in place of `information_schema`",
        "select a, b from small.described",
        [("id bigint, name string, color string", "True")],
        "Spark has no `information_schema`. Also, " + TARGET_TYPE,
    ),
    Construct(
        "`api.Column`: `is_string`, `is_numeric`, `string_size`, `translate_type`, `is_integer`",
        "select a, b, c, d, e from small.column_helpers",
        [("True", "True", "20", "string", "True")],
    ),
    Construct(
        "all columns except some", "select * from small.starred order by id", [(1, "ann"), (2, "bob"), (3, "cid")]
    ),
    Construct(
        "union of relations, with a column that names each row's relation",
        "select origin, count(*) from small.united group by origin order by origin",
        [("people", 3), ("people_copy", 2)],
    ),
    Construct("pivot over distinct column values", "select blue, red from small.pivot", [(1, 2)]),
    Construct("row key that is a hash of columns", "select k from small.keyed", [(KEY,)]),
    Construct(
        "generated rows, one for each date",
        "select count(*), cast(max(day) as string) from small.days",
        [(5, "2024-03-02")],
    ),
    Construct("unpivot", "select value from small.unpivoted where id = 1 order by field", [("red",), ("ann",)]),
    Construct(
        "`dbt.dateadd`, `dbt.safe_cast`, `dbt.datediff`, `dbt.listagg`, `dbt.type_string`",
        "select cast(a as string), b, c, d, e from small.cross_database",
        [(date(2024, 2, 29).isoformat(), None, 30, "ann,bob,cid", "1")],
    ),
    Construct('source with `database: "{{ target.database }}"`', "select n from small.from_source", [(3,)]),
    Construct(
        "snapshot with `check_cols: all`",
        "select count(*), count(dbt_valid_to) from small.people_history",
        [(3, 0)],
    ),
    Construct(
        "INSERT of hundreds of rows with quotes and line breaks at the end of a run",
        "select distinct count(*) over (), note from small.run_log where node = 'long'",
        [(400, 'it\'s "quoted",\nline two; -- kept')],
    ),
    Construct(
        "`on-run-end` over `results`",
        "select status from small.run_log where node = 'model.small.engines'",
        [("success",)],
    ),
    Construct(
        "`on-run-end` over `graph`", "select status, note from small.run_log where node = 'graph'", [("models", "1")]
    ),
    Construct(
        "unit test with arrays and structs",
        "select status from small.run_log where node = 'unit_test.small.nested.nested_values'",
        [("pass",)],
    ),
)
