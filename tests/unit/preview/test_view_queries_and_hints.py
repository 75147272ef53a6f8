"""Queries with the new text of changed views, and hints that would fail a run."""

from __future__ import annotations

import pytest
import sqlglot

from penstock.preview.query_hints import invalid_hints
from penstock.preview.view_queries import with_view_queries

FIRST = ("w.first", "select a from w.t")
SECOND = ("w.second", "select a from w.first where a > 1")


def test_views_are_replaced_by_their_queries_in_order() -> None:
    sql = "select s.a, w.second.a from w.second as s join w.second_one o on true"
    text = with_view_queries(sql, {"first": FIRST, "second": SECOND})
    assert text == (
        "with penstock_view_first as (\nselect a from w.t\n),\n"
        "penstock_view_second as (\nselect a from penstock_view_first where a > 1\n)\n"
        "select * from (\n"
        "select s.a, penstock_view_second.a from penstock_view_second as s join w.second_one o on true\n)"
    )
    assert sqlglot.parse_one(text, dialect="spark")


def test_a_query_that_reads_no_changed_view_stays_as_it_is() -> None:
    sql = "select a from w.first_one, x.w.first"
    assert with_view_queries(sql, {"first": FIRST}) == sql
    assert with_view_queries(sql, {}) == sql


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        ("broadcast(zone)", "`zone` is no side of the join (t, z): Spark would ignore it, so the run stops"),
        ("brodcast(z)", "no hint of Spark"),
    ],
)
def test_a_hint_that_spark_would_ignore(hint: str, message: str) -> None:
    (change,) = invalid_hints(f"select /*+ {hint} */ t.a from w.t t join w.z z on t.a = z.a")
    assert change.kind == "hint" and message in change.after


def test_valid_hints_and_unreadable_queries_are_no_change() -> None:
    assert list(invalid_hints("select /*+ broadcast(z), rebalance(a) */ t.a from w.t t join w.z z on t.a = z.a")) == []
    assert list(invalid_hints("select /*+ broadcast(z) */ from from")) == []
