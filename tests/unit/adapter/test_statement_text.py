"""What a statement does, judged by its text."""

from __future__ import annotations

import pytest

from dbt.adapters.penstock.statement_text import (
    changed_relations,
    changes_session,
    finds_nothing,
    is_query,
    next_statement,
    reads_only,
    was_replaced_by_another_run,
    without_last_semicolons,
    written_table,
)

HEAD = '/* {"app": "dbt", "node_id": "model.p.m"} */\n'


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("select 1", True),
        ("  -- why\n  (select 1) union all (select 2)", True),
        ("((select 1))", True),
        ("with a as (select 1) select * from a", True),
        ("with a as (select 'insert into x') select * from a -- merge", True),
        ("show table extended in s like '*'", True),
        ("describe extended s.t", True),
        ("desc s.t", True),
        ("explain insert into t select 1", True),
        ("values (1), (2)", True),
        ("table t", True),
        ("select * from json.`file:/log/*.json` where `a -- b` = 1", True),
        ("with a as (select `update` from t) select * from a", True),
        ("insert into `/folder/*` select 1 /* why */", False),
        ("with a as (select 1) insert into t select * from a", False),
        ("with a as (select 1) merge into t using a on true when matched then delete", False),
        ("from a insert into b select *", False),
        ("insert into t select 1", False),
        ("create or replace table t using delta as select 1", False),
        ("drop table t", False),
        ("set a = 1", False),
        ("selected", False),
        ("begin select 1; end", False),
        ("call s.p()", False),
        ("/* a /* b */ select 1 */ insert into t values (1)", False),
        ("", False),
    ],
)
def test_statements_that_only_read(sql: str, reads: bool) -> None:
    """An ambiguous statement counts as one that writes; dbt's comment before it is ignored."""
    assert reads_only(sql) is reads
    assert reads_only(HEAD + sql) is reads


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("/* node */ set spark.sql.shuffle.partitions = 8", True),
        ("-- why\nuse staging", True),
        ("create or replace temporary view t as select 1", True),
        ("create temp function f as 'x'", True),
        ("declare variable x int", True),
        ("execute immediate 'set a = 1'", True),
        ("select 'set' as use", False),
        ("select 'create temporary view'", False),
        ("/* set a = 1 */ select 1", False),
        ("create or replace table t using delta as select temporary from v", False),
        ("describe extended t", False),
    ],
)
def test_statements_that_change_a_session(sql: str, changes: bool) -> None:
    """Only an unchanged session serves the next node."""
    assert changes_session(sql) is changes


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        (HEAD + "create or replace table `s`.`t` using delta as select 1", "`s`.`t`"),
        ("insert into table s.t select 1", "s.t"),
        ("insert overwrite s.t select 1", "s.t"),
        ("with a as (select 1) merge into c.s.t as d using a on true when matched then delete", "c.s.t"),
        ("delete from t where x = 'insert into no'", "t"),
        ("alter table s.t add columns (x int)", "s.t"),
        ("drop view if exists s.v", "s.v"),
        ("create table if not exists s.t (x int)", "s.t"),
        ("optimize", None),
    ],
)
def test_the_table_that_a_statement_writes(sql: str, name: str | None) -> None:
    """An error message names it."""
    assert written_table(sql) == name


@pytest.mark.parametrize(
    ("sql", "message", "again"),
    [
        ("create or replace table w.t as select 1", "[DELTA_METADATA_CHANGED] changed", True),
        ("/* node */ create or replace table w.t as select 1", "[DELTA_CONCURRENT_WRITE] x", True),
        ("create or replace table w.t as select 1", "[TABLE_OR_VIEW_NOT_FOUND] `w`.`t`", False),
        ("insert into w.t select 1", "[DELTA_METADATA_CHANGED] changed", False),
        ("create or replace view w.v as select 1", "[TABLE_OR_VIEW_NOT_FOUND] `spark_catalog`.`w`.`v`", True),
        ("create or replace view w.`V` as select 1", "[TABLE_OR_VIEW_ALREADY_EXISTS] `w`.`v`", True),
        ("create or replace view w.v as select * from w.gone", "[TABLE_OR_VIEW_NOT_FOUND] `w`.`gone`", False),
    ],
)
def test_a_replacement_at_the_same_time_as_another_run(sql: str, message: str, again: bool) -> None:
    assert was_replaced_by_another_run(sql, message) == again


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("select 1", set()),
        ("describe extended s.t", set()),
        ("set spark.x = update s.t", set()),
        ("create or replace temporary view t__dbt_tmp as select * from s.t", set()),
        ("insert into S.`T` select * from s.u", {"s.t"}),
        ("with a as (select 1) insert into s.t select * from a", {"s.t"}),
        ("from s.a insert into s.b select * insert into s.c select *", {"s.b", "s.c"}),
        ("insert into s.t replace where m = 'drop table s.x' select 1", {"s.t"}),
        ("create or replace table spark_catalog.s.t using delta as select 1", {"s.t"}),
        ("create or replace view s.v as select 1", {"s.v"}),
        ("alter table s.t add columns (c int)", {"s.t"}),
        ("drop view if exists s.v", {"s.v"}),
        ("merge into s.t using u on true when matched then update set a = 1", {"s.t"}),
        ("alter table s.t rename to s.u", None),
        ("insert into t select 1", None),
        ("from s.a insert into s.b select * insert into c select *", None),
        ("insert into identifier('s.t') select 1", None),
        ("insert into delta.`/lake/t` select 1", None),
        ("drop schema s cascade", None),
        ("optimize s.t", None),
        ("call s.p()", None),
        ("/* a /* b */ select 1 */ create table s.t (a int)", {"s.t"}),
    ],
)
def test_the_relations_that_a_statement_may_change(sql: str, changed: set[str] | None) -> None:
    """None means any relation, when the text is ambiguous."""
    assert changed_relations(sql) == changed
    assert changed_relations(HEAD + sql) == changed


@pytest.mark.parametrize(
    ("sql", "nothing"),
    [
        ("\n  select '' as failure where false\n", True),
        ("SELECT 1 AS number WHERE FALSE -- nothing was found", True),
        ("select 'found' as failure where false", True),
        ("select 1 as number", False),
        ("select 1 as number where false or true", False),
        ("select number from numbers where false", False),
        ("select 1 as number where false union all select 2", False),
    ],
)
def test_queries_that_certainly_have_no_rows(sql: str, nothing: bool) -> None:
    assert finds_nothing(sql) is nothing


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("select 1;", "select 1"),
        ("select 1;;  -- done;", "select 1    -- done;"),
        ("select * from (\nselect 1; -- why\n) t", "select * from (\nselect 1  -- why\n) t"),
        ("with a as (select ';' as `;)`; ) select 1 /* ;) */", "with a as (select ';' as `;)`  ) select 1 /* ;) */"),
        ("select r'\\';", "select r'\\'"),
        ("select 1; select 2;", "select 1; select 2"),
        ("begin select 1; end;", "begin select 1; end"),
        ("select 'a;'", "select 'a;'"),
    ],
)
def test_semicolons_at_the_end_are_removed(sql: str, sent: str) -> None:
    """All other text keeps its position, so that Spark's positions are right."""
    assert without_last_semicolons(sql) == sent


def test_a_second_statement_is_found() -> None:
    assert next_statement("update t set a = ';'; update t set b = 2;") == "update t set b = 2;"
    assert next_statement("update t set a = ';'; -- done;") is None
    assert next_statement("select `;`, ';'") is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("/* c */ select 1", True),
        ("(select 1)", True),
        ("with a as (select 1) select * from a", True),
        ("table t", True),
        ("with a as (select 1) insert into t select * from a", False),
        ("show tables", False),
        ("explain select 1", False),
        ("from a insert into b select *", False),
    ],
)
def test_queries_are_told_from_commands(sql: str, expected: bool) -> None:
    """Spark Connect runs a command once, when the client sends it."""
    assert is_query(sql) is expected
