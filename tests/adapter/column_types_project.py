"""A small dbt project of columns whose types are hard to store, to add or to declare; `step` tells its runs apart."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.projects import Project, small_project

STEP = "{% set second = var('step', 1) | int == 2 %}"
NULLS = "select 1 as id, null as x, array() as xs, named_struct('a', null, 'b', 1) as st, map() as m"
WIDE = "named_struct({% for n in range(60) %}'f{{ n }}', {{ n }}{{ ', ' if not loop.last }}{% endfor %})"


def append(change: str = "append_new_columns", strategy: str = "append") -> str:
    """Return the configuration of an incremental model."""
    return (
        "{{ config(materialized='incremental', unique_key='id', "
        f"incremental_strategy='{strategy}', on_schema_change='{change}') }}}} {STEP}"
    )


PY_NULLS = """
import pandas as pd
def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns")
    columns = {"id": [1], "x": [None], "xs": [[]]}
    if dbt.is_incremental:
        columns |= {"later": [None], "at": pd.to_datetime(["2024-01-01"])}
    frame = session.createDataFrame(pd.DataFrame(columns))
    return frame.withColumn("at", frame["at"].cast("timestamp_ntz")) if dbt.is_incremental else frame
"""
PY_EMPTY = """
import pandas as pd
def model(dbt, session):
    dbt.config(materialized="table", submission_method="METHOD", master="local[1]")
    return pd.DataFrame({
        "id": pd.Series([], dtype="int64"), "name": pd.Series([], dtype="object"),
        "at": pd.Series([], dtype="datetime64[ns, UTC]"), "kind": pd.Series([], dtype="category"),
        "n": pd.Series([], dtype="Int64"),
    })
"""
PY_TWICE = """
import pandas as pd
def model(dbt, session):
    dbt.config(materialized="table")
    return pd.DataFrame([[1, "a"]], columns=["id", "ID"])
"""
PY_DECLARED = """
def model(dbt, session):
    dbt.config(materialized="table", enforce_columns=True)
    return session.sql("select 1 as id, named_struct('C', 'x') as s, cast(1.5 as decimal(12, 4)) as amount, null as n")
"""
DECLARED = (
    "select 1 as ID, cast(2 as bigint) as n, cast(1.5 as decimal(10, 2)) as d, 'x' as note, null as day, "
    "named_struct('a', 'x', 'B', array(1)) as s, cast('abc' as varchar(5)) as v, current_timestamp() as at"
)
WRONG = (
    "select 1 as id, named_struct('c', 'x') as s, cast(1.5 as decimal(12, 4)) as amount, cast('a' as varchar(9)) as v"
)

MODELS = {
    "v_table": f"{{{{ config(materialized='table') }}}} {NULLS}",
    "v_view": f"{{{{ config(materialized='view') }}}} {NULLS}",
    "v_files": f"{{{{ config(materialized='table', file_format='parquet') }}}} {NULLS}",
    "v_of_view": "{{ config(materialized='table') }} select * from {{ ref('v_view') }}",
    "v_added": f"{append()} select 1 as id, null as x{{% if second %}}, null as y, array() as ys{{% endif %}}",
    "v_kept": f"{append('sync_all_columns', 'merge')} select {{{{ 2 if second else 1 }}}} as id, "
    "{{ 'null' if second else 5 }} as n, {{ 'array()' if second else 'array(1)' }} as ns",
    "v_same": f"{append('fail')} select {{{{ 2 if second else 1 }}}} as id, {{{{ 'null' if second else 5 }}}} as n",
    "w_added": f"{append()} select 1 as id{{% if second %}}, {WIDE} as s{{% endif %}}",
    "w_view": f"select {WIDE} as s",
    "t_added": f"{append()} select 1 as id"
    "{% if second %}, timestamp_ntz'2024-01-01' as at, 2 as `odd name`{% endif %}",
    "t_full": f"{STEP}{{{{ config(materialized='table') }}}} select 1 as id"
    "{% if second %}, array(timestamp_ntz'2024-01-01') as at, named_struct('odd name', 2) as st{% endif %}",
    "helpers": "{{ config(materialized='table') }} select cast('a' as {{ api.Column.string_type(40) }}) as s, "
    "cast(1 as {{ api.Column.numeric_type('numeric', 10, 2) }}) as n, cast(1 as {{ dbt.type_numeric() }}) as t, "
    "{{ api.Column('c', 'struct<a:int>').literal('null') }} as l",
    "c_table": f"{{{{ config(materialized='table') }}}} {DECLARED}",
    "c_view": f"{{{{ config(materialized='view') }}}} {DECLARED}",
    "c_files": f"{{{{ config(materialized='table', file_format='parquet') }}}} {DECLARED}",
    "c_more": f"{append('append_new_columns')} {DECLARED}",
    "x_table": f"{{{{ config(materialized='table', tags='wrong') }}}} {WRONG}",
    "x_view": f"{{{{ config(materialized='view', tags='wrong') }}}} {WRONG}",
    "x_more": f"{{{{ config(materialized='incremental', on_schema_change='fail', tags='wrong') }}}} {WRONG}",
    "x_long": "{{ config(materialized='table', tags='wrong') }} select cast('abcdef' as varchar(5)) as v",
    "x_unknown": "{{ config(materialized='table', tags='wrong') }} select 1 as id",
}
GOOD = {
    **{"id": "INTEGER", "N": "long", "d": "numeric(10, 2)", "note": "STRING", "day": "date"},
    **{"s": "STRUCT<A: string NOT NULL COMMENT 'x, y', b :ARRAY< int >>", "v": "varchar( 5 )", "at": "Timestamp"},
}
BAD = {"id": "int", "s": "struct<a:string,b:int>", "amount": "decimal(10,2)", "v": "varchar(5)"}


def declared(name: str, types: dict[str, str], **config: object) -> dict[str, object]:
    """Return a model's entry in a schema file, with its columns and an enforced contract."""
    columns = [{"name": column, "data_type": words} for column, words in types.items()]
    return {"name": name, "config": {"contract": {"enforced": True}, **config}, "columns": columns}


PYTHON = {"ID": "long", "s": "struct<c:string>", "amount": "decimal(12,3)", "N": "date"}
SCHEMA = {
    "models": [
        *(declared(name, GOOD) for name in ("c_table", "c_view", "c_files", "c_more")),
        *(declared(name, BAD) for name in ("x_table", "x_view", "x_more")),
        declared("x_long", {"v": "varchar(5)"}),
        declared("x_unknown", {"id": "integr"}),
        {
            "name": "p_declared",
            "columns": [{"name": name, "data_type": words} for name, words in PYTHON.items()],
            "config": {"tags": "wrong"},
        },
        {"name": "p_twice", "config": {"tags": "wrong"}},
    ]
}
SNAPSHOT = (
    "{% snapshot v_kept_rows %}{{ config(unique_key='id', strategy='check', check_cols='all') }}"
    f"{STEP} select 1 as id, {{{{ \"'a'\" if second else 'null' }}}} as x"
    "{% if second %}, null as y, timestamp_ntz'2024-01-01' as at{% endif %}{% endsnapshot %}"
)


def make(root: Path, host: Project) -> Project:
    """Make the project on another project's server."""
    files = {f"models/{name}.sql": sql for name, sql in MODELS.items()}
    files |= {
        "models/schema.yml": yaml.safe_dump(SCHEMA),
        "models/p_nulls.py": PY_NULLS,
        "models/p_empty.py": PY_EMPTY.replace("METHOD", "connect"),
        "models/p_empty_submit.py": PY_EMPTY.replace("METHOD", "spark_submit"),
        "models/p_declared.py": PY_DECLARED,
        "models/p_twice.py": PY_TWICE,
        "snapshots/v_kept_rows.sql": SNAPSHOT,
        "seeds/v_seed.csv": "id,x\n1,\n",
        "seeds/seeds.yml": yaml.safe_dump({"seeds": [{"name": "v_seed", "config": {"column_types": {"X": "void"}}}]}),
    }
    return small_project(root, files, host=host)
