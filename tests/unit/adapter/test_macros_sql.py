"""The adapter's SQL, rendered without dbt and without Spark.

dbt's own macros that are called here are stood in for by the few lines they come to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.spark import SparkColumn

from dbt.adapters.penstock import column_types
from dbt.adapters.penstock.capabilities import table_format
from dbt.adapters.penstock.layout import FileLayout
from dbt.include.penstock import PACKAGE_PATH
from penstock.intervals.model_config import interval_properties
from penstock.sql import names
from tests.support.dbt_jinja import CompilationError, environment

MATERIALIZATION = re.compile(r"{% materialization .*?endmaterialization %}", re.DOTALL)
DISPATCH = "{{% macro {0}() %}}{{{{ return(penstock__{0}(*varargs, **kwargs)) }}}}{{% endmacro %}}"
DISPATCHED = ("file_format_clause", "tblproperties_clause", "partition_cols", "clustered_cols", "comment_clause")
COLUMNS = [SparkColumn("id", "bigint"), SparkColumn("name", "string"), SparkColumn("day", "date")]


class Config(dict[str, Any]):
    """A node's configuration."""

    def persist_relation_docs(self) -> bool:
        return bool((self.get("persist_docs") or {}).get("relation"))


def update_columns(updated: list[str], excluded: list[str], columns: list[SparkColumn]) -> list[str] | None:
    """dbt-spark's get_merge_update_columns."""
    if updated:
        return updated
    return [item.quoted for item in columns if item.name not in excluded] if excluded else None


Render = Callable[..., Any]


@pytest.fixture(scope="module")
def render() -> Render:
    """Return a function that evaluates a Jinja expression with the adapter's macros and normalizes whitespace."""
    files = sorted((Path(PACKAGE_PATH) / "macros").rglob("*.sql"))
    macros = MATERIALIZATION.sub("", "\n".join([*map(Path.read_text, files), *map(DISPATCH.format, DISPATCHED)]))
    dbt = environment()
    dbt.add_extension("jinja2.ext.loopcontrols")
    template = dbt.from_string(macros)

    def value(expression: str, model: dict[str, Any] | None = None, **config: Any) -> Any:
        node = {"alias": "m", "columns": {}, "constraints": [], **(model or {})}
        globals_ = {
            "config": Config(config),
            "model": Node(node),
            "modules": SimpleNamespace(re=re),
            "flags": SimpleNamespace(EMPTY=False),
            "local_md5": lambda text: f"{abs(hash(text)):012x}",
            "options_clause": lambda: "",
            "get_merge_unique_key_match": lambda source, target: f"{source} = {target}",
            "get_merge_update_columns": update_columns,
            "get_assert_columns_equivalent": lambda sql: "",
            "get_select_subquery": lambda sql: f"select id from ({sql})",
            "spark__listagg": lambda *arguments: "collected",
            "adapter": SimpleNamespace(
                table_format=lambda name, database: table_format(name or "delta"),
                interval_properties=lambda node: interval_properties(config, "delta"),
                seed_properties=lambda node, empty: {},
                quote=names.quote_identifier,
                literal=names.string_literal,
                column_name=lambda name, columns=None: names.column_expression(
                    name, None if columns is None else [item.name for item in columns]
                ),
                get_columns_in_relation=lambda relation: COLUMNS,
                render_raw_columns_constraints=lambda raw_columns: [],
                render_raw_model_constraints=lambda raw_constraints: [],
                type_change=column_types.change,
                arranged=lambda select, node: f"arranged({select})",
                layout_of=lambda node: FileLayout.parse(config, "delta", "m"),
            ),
            "columns": COLUMNS,
            "context": {"get_incremental_my_own_sql": None, "get_incremental_merge_sql": None},
        }
        module = template.make_module(globals_)
        found = dbt.compile_expression(expression)(**globals_, **vars(module))
        return " ".join(found.split()) if isinstance(found, str) else found

    return value


class Node(dict[str, Any]):
    """A node whose keys are attributes too, as in dbt."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


def test_a_table_without_configuration_is_a_delta_table_in_one_commit(render: Render) -> None:
    assert render("penstock_create_table_as('s.m', 'select 1', none)") == (
        "create or replace table s.m using delta as select 1"
    )


def test_the_order_of_clauses(render: Render) -> None:
    sql = render(
        "penstock_create_table_as('s.m', 'select 1', penstock_own_location())",
        {"description": "it's \\ here"},
        partition_by="day",
        tblproperties={"delta.appendOnly": "true"},
        location_root="/lake/",
        persist_docs={"relation": True},
    )
    assert sql == (
        "create or replace table s.m using delta tblproperties ( 'delta.appendOnly' = 'true' ) partitioned by (`day`) "
        "location '/lake/m' comment 'it\\'s \\\\ here' as select 1"
    )


def test_clustering_by_the_format(render: Render) -> None:
    assert render("penstock_table_clauses(none)", clustered_by=["a", "b"]) == "using delta cluster by (`a`, `b`)"
    assert render("penstock_table_clauses(none)", clustered_by="a", buckets=4, file_format="parquet") == (
        "using parquet clustered by (`a`) into 4 buckets"
    )
    partitioned = render("penstock_table_clauses(none)", clustered_by="a", partition_by="day")
    assert partitioned == "using delta partitioned by (`day`)", "Z-order, which is maintenance's"


def test_a_query_is_wrapped_only_for_its_files(render: Render) -> None:
    """The layout (layout.py) wraps the query of every write, also to a temporary table."""
    create = "penstock_create_table_as('s.m', 'select 1', none)"
    assert render(create, sorted_within="a") == "create or replace table s.m using delta as arranged(select 1)"
    assert render(create, target_file_size_mb=0).endswith("arranged(select 1)"), "a wrong value reaches its check"
    assert render(create, sorted_within=[]).endswith("as select 1")


CONTRACT: dict[str, Any] = {
    "constraints": [{"type": "check", "name": "Young", "expression": "age < 20"}, {"type": "primary_key"}],
    "columns": {
        "id": {"name": "id", "constraints": [{"type": "not_null"}, {"type": "unique"}]},
        "from": {"name": "from", "quote": True, "constraints": [{"type": "check", "expression": "`from` > 0"}]},
    },
}


def test_constraints_are_created_with_the_table(render: Render) -> None:
    """As table properties in the same statement: its commit has both rows and constraints."""
    contract = SimpleNamespace(enforced=True)
    checks = render("penstock_constraints()", CONTRACT, contract=contract)
    assert [item["expression"] for item in checks] == ["age < 20", "`id` is not null", "`from` > 0"]
    assert [item["name"] for item in checks][:2] == ["young", "id_not_null"]
    sql = render("penstock_create_table_as('s.m', 'select 1', none)", CONTRACT, contract=contract)
    assert "'delta.constraints.young' = 'age < 20'" in sql
    assert "'delta.constraints.id_not_null' = '`id` is not null'" in sql
    assert render("penstock_constraints()", CONTRACT) == []


def test_a_format_without_constraints_has_checks_in_the_query(render: Render) -> None:
    contract = SimpleNamespace(enforced=True)
    sql = render("penstock_contracted('select 1 as id')", CONTRACT, contract=contract, file_format="parquet")
    assert sql.startswith("select * from (select id from (select 1 as id)) as DBT_INTERNAL_CHECKED where case")
    assert "when age < 20 then true else cast(raise_error('CHECK constraint young (age < 20) violated')" in sql
    assert "delta.constraints" not in render(
        "penstock_create_table_as('s.m', 'select 1', none)", CONTRACT, contract=contract, file_format="parquet"
    )


def arguments(**more: str) -> str:
    given = {"target_relation": "'s.t'", "temp_relation": "'t__dbt_tmp'", "dest_columns": "columns", **more}
    return "{" + ", ".join(f"'{k}': {v}" for k, v in {"target_columns": "columns", **given}.items()) + "}"


def test_append_by_name(render: Render) -> None:
    """The columns have the table's order; a column that the rows lack is null."""
    assert render(f"penstock__get_incremental_append_sql({arguments()})") == (
        "insert into s.t select `id`, `name`, `day` from t__dbt_tmp"
    )
    assert render(f"penstock__get_incremental_append_sql({arguments(dest_columns='columns[:1]')})") == (
        "insert into s.t select `id`, cast(null as string) as `name`, cast(null as date) as `day` from t__dbt_tmp"
    )


BATCH = {
    "batch": SimpleNamespace(event_time_start="2024-01-01 00:00:00+00:00", event_time_end="2024-01-02 00:00:00+00:00")
}


def test_a_batch_replaces_its_interval(render: Render) -> None:
    assert render(f"penstock__get_incremental_microbatch_sql({arguments()})", BATCH, event_time="day") == (
        "insert into s.t replace where `day` >= '2024-01-01 00:00:00+00:00' and `day` < '2024-01-02 00:00:00+00:00' "
        "select `id`, `name`, `day` from t__dbt_tmp"
    )
    assert render(
        f"penstock__get_incremental_microbatch_sql({arguments()})", BATCH, event_time="day", file_format="parquet"
    ) == ("insert overwrite s.t select `id`, `name`, `day` from t__dbt_tmp")


MERGE = "penstock__get_merge_sql('s.t', 'src', {}, columns, {})"


def test_merge_on_one_key_or_several(render: Render) -> None:
    sql = render(MERGE.format("'id'", "none"))
    assert sql.startswith(
        "merge into s.t as DBT_INTERNAL_DEST using src as DBT_INTERNAL_SOURCE "
        "on (DBT_INTERNAL_SOURCE.`id` = DBT_INTERNAL_DEST.`id`) when matched then update set "
        "`id` = DBT_INTERNAL_SOURCE.`id`,"
    )
    assert sql.endswith(
        "when not matched then insert (`id`, `name`, `day`) values "
        "(DBT_INTERNAL_SOURCE.`id`, DBT_INTERNAL_SOURCE.`name`, DBT_INTERNAL_SOURCE.`day`)"
    )
    several = render(MERGE.format("['id', 'day']", "['DBT_INTERNAL_DEST.day > 1']"))
    assert (
        "on (DBT_INTERNAL_DEST.day > 1) and (DBT_INTERNAL_SOURCE.`id` = DBT_INTERNAL_DEST.`id`) "
        "and (DBT_INTERNAL_SOURCE.`day` = DBT_INTERNAL_DEST.`day`)"
    ) in several


@pytest.mark.parametrize("key", ["none", "[]", "''"])
def test_merge_without_a_key_only_inserts(render: Render, key: str) -> None:
    sql = render(MERGE.format(key, "none"))
    assert "on (false)" in sql
    assert "when matched" not in sql


@pytest.mark.parametrize(
    ("config", "updated"),
    [
        ({"merge_update_columns": ["name"]}, "update set `name` = DBT_INTERNAL_SOURCE.`name` when"),
        ({"merge_update_columns": "name"}, "update set `name` = DBT_INTERNAL_SOURCE.`name` when"),
        ({"merge_exclude_columns": ["id", "day"]}, "update set `name` = DBT_INTERNAL_SOURCE.`name` when"),
    ],
)
def test_merge_updates_the_configured_columns(render: Render, config: dict[str, Any], updated: str) -> None:
    assert updated in render(MERGE.format("'id'", "none"), **config)


def test_merge_of_columns_that_are_not_known_yet(render: Render) -> None:
    """The columns of a Python model are known after it has run."""
    sql = render("penstock__get_merge_sql('s.t', 'src', 'id', none, none)")
    assert sql.endswith(
        "when matched then update set /* all columns */ * when not matched then insert /* all columns */ *"
    )


@pytest.mark.parametrize("strategy", ["append", "merge", "insert_overwrite", "microbatch", "my_own"])
def test_strategies_of_the_format(render: Render, strategy: str) -> None:
    assert render("penstock_strategy()", incremental_strategy=strategy) == strategy


def test_strategies_the_format_lacks(render: Render) -> None:
    assert render("penstock_strategy()") == "append"
    with pytest.raises(CompilationError, match="Invalid incremental strategy provided: merge"):
        render("penstock_strategy()", incremental_strategy="merge", file_format="parquet")
    with pytest.raises(CompilationError, match="Invalid incremental strategy provided: unheard_of"):
        render("penstock_strategy()", incremental_strategy="unheard_of")
    with pytest.raises(CompilationError, match="needed: partition_by"):
        render("penstock_strategy()", incremental_strategy="microbatch", file_format="parquet")


def test_datediff_truncates_both_dates(render: Render) -> None:
    assert render("penstock__datediff('a', 'b', 'hour')") == (
        "timestampdiff(hour, date_trunc('hour', cast(a as timestamp)), date_trunc('hour', cast(b as timestamp)))"
    )
    assert "cast(a as timestamp) + interval '1' day" in render("penstock__datediff('a', 'b', 'week')")
    with pytest.raises(CompilationError, match="found: fortnight"):
        render("penstock__dateadd('fortnight', 1, 'a')")


def test_casts_and_parts(render: Render) -> None:
    assert render("penstock__safe_cast('a', 'int')") == "try_cast(a as int)"
    assert render('penstock__safe_cast("\'array(1)\'", "array<int>")') == "try_cast(array(1) as array<int>)"
    assert render("penstock__split_part('a', \"'|'\", -1)") == "split_part(a, '|', -1)"
    assert render("penstock__listagg('a', \"','\", 'order by b', none)") == "listagg(a, ',') within group (order by b)"
    assert render("penstock__listagg('a', \"','\", none, 2)") == "collected"
