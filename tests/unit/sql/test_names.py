"""Quoted identifiers, string literals, merge columns and duplicate keys."""

from __future__ import annotations

import pytest

from penstock.delta import duplicate_key_error
from penstock.python_runtime.writer import ALL_COLUMNS, list_merge_columns
from penstock.sql import names


@pytest.mark.parametrize("text", ["plain", "it's", "C:\\new and \\", "two\nlines", '"${x}"', "'", "\\'"])
def test_a_string_literal_evaluates_to_its_text(text: str) -> None:
    inside = names.string_literal(text)[1:-1]
    assert "'" not in inside.replace("\\\\", "").replace("\\'", "")
    assert inside.replace("\\\\", "\0").replace("\\'", "'").replace("\0", "\\") == text


@pytest.mark.parametrize(
    ("name", "columns", "sql"),
    [
        ("order", None, "`order`"),
        ("a b", None, "`a b`"),
        ("ba`ck", None, "`ba``ck`"),
        ("`a b`", None, "`a b`"),
        ("`a`.`b`", None, "`a`.`b`"),
        ("days(ts)", None, "days(ts)"),
        ("day, hour", None, "`day`, `hour`"),
        ("do.t", None, "`do.t`"),
        ("do.t", ["do.t"], "`do.t`"),
        ("do.t", ["do"], "do.t"),
        ("ORDER", ["order"], "`order`"),
        ("`/key/x`", ["/key/x"], "`/key/x`"),
        ("a || b", ["a", "b"], "a || b"),
        ("`gone`", ["a"], "`gone`"),
    ],
)
def test_a_configured_column_is_quoted(name: str, columns: list[str] | None, sql: str) -> None:
    """Quoted names, transforms and expressions are unchanged."""
    assert names.column_expression(name, columns) == sql


def test_a_duplicate_key_is_named() -> None:
    """The message has its value, its number of rows, and the number of duplicate keys."""
    queries: list[str] = []

    def rows(sql: str) -> list[tuple[object, ...]]:
        queries.append(sql)
        return [("1", None, 3, 2)]

    parts = duplicate_key_error.error_parts(rows, "s.t", "new", ["`id`", "`k`"])
    assert parts and parts[1] == "3 rows with `id` = '1', `k` = null; 2 keys occur more than once"
    assert (
        "left semi join s.t as old on new.`id` = old.`id` and new.`k` = old.`k` group by new.`id`, new.`k`"
        in queries[0]
    )
    assert duplicate_key_error.error_parts(lambda sql: [], "s.t", "new", ["id"]) is None


def test_a_merge_lists_the_columns_that_rows_and_table_share() -> None:
    """With the table's names; a merge without marked stars is unchanged."""
    sql = f"when matched then update set {ALL_COLUMNS} when not matched then insert {ALL_COLUMNS}"
    assert list_merge_columns(sql, ["ID", "ba`ck", "old"], ["id", "ba`ck", "new"]) == (
        "when matched then update set `ID` = DBT_INTERNAL_SOURCE.`ID`, `ba``ck` = DBT_INTERNAL_SOURCE.`ba``ck` "
        "when not matched then insert (`ID`, `ba``ck`) values (DBT_INTERNAL_SOURCE.`ID`, DBT_INTERNAL_SOURCE.`ba``ck`)"
    )
    assert list_merge_columns("merge into t using s on true when matched then update set *", ["a"], ["a"]).endswith(
        "update set *"
    )


def test_a_name_without_its_catalog() -> None:
    assert (
        names.without_catalog("ice.s.t") == names.without_catalog("s.t") == "s.t" and names.without_catalog("t") == "t"
    )
    assert names.without_catalog("`my.ice`.`s`.`a ``b``.c`") == "`s`.`a ``b``.c`"
