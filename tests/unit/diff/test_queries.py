"""The SQL of comparisons, and what is read from its results."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlglot

from penstock.diff import checksums, columns, multisets, row_changes
from penstock.diff.row_changes import ADDED, REMOVED
from penstock.diff.source_rows import BUCKETS, ComparedRows

NUMBERS = [("id", "bigint"), ("name", "string"), ("amount", "decimal(10,2)"), ("rate", "double")]
NESTED = [("info", "struct<a:int,m:map<string,array<map<int,int>>>>"), ("odd `name`", "map<int,variant>")]


def rows(sample: float = 1.0, where: str = "") -> ComparedRows:
    compared = columns.compared_columns(NUMBERS + NESTED, NUMBERS + NESTED)
    return ComparedRows("p.t", "d.t version as of 3", compared[:1], compared[1:], where, sample)


def test_every_query_is_valid_sql() -> None:
    of = rows(0.1, "day is null")
    counts = row_changes.parse_counts(of, [(3, 1, 1, 2, 1, 0, 0, 0, 2)])
    for sql in (
        checksums.query(of),
        multisets.duplicates_query(of, 10),
        multisets.differences_query(of, [1, 2], 10),
        row_changes.counts_query(of, [1, 2]),
        row_changes.examples_query(of, counts, 10),
    ):
        assert sqlglot.parse_one(sql, read="spark")
        assert sql.count("where day is null") == 2
        assert sql.count(", 1000000) < 100000") == 2


def test_one_query_compares_all_rows() -> None:
    """Without a filter on buckets: all of them are read, and each table once."""
    sql = checksums.query(rows())
    assert sql.count(" from p.t") == sql.count(" from d.t version as of 3") == 1
    assert "1024) in (" not in sql
    assert "where" not in rows().table(True, range(BUCKETS))
    assert "in (4, 7)" in rows().table(True, [7, 4, 4])


def test_checksums_name_the_buckets_that_differ() -> None:
    of = rows()
    figures = [5, 5, Decimal("10.10"), 4, 0.5, 5, 5]
    result = [
        (False, 1, 5, -7, 2, 3, *figures),
        (True, 1, 5, -7, 2, 3, *figures),
        (False, 2, 5, 1, 2, 3, *figures),
        (True, 2, 5, 1, 2, 4, *figures),
        (True, 9, 1, 1, 2, 3, 0, 0, None, 0, None, 0, 0),
    ]
    found = checksums.parse(of, result)
    assert (found.differing, found.rows) == ([2, 9], (10, 11))
    before, after = found.figures["v1"]
    assert (before.total, after.total, before.nulls, after.nulls) == (Decimal("20.20"), Decimal("20.20"), 0, 1)
    assert before.mean == Decimal("2.02")
    assert found.figures["v2"][0].mean == 1.0 / 8
    assert found.figures["v0"][0].total is None


def test_a_sum_that_spark_cannot_represent_is_unknown() -> None:
    of = ComparedRows("a", "b", (), columns.compared_columns([("n", "bigint")], [("n", "bigint")]))
    found = checksums.parse(of, [(False, 1, 2, 0, 0, 0, 2, 5), (False, 2, 2, 0, 0, 0, 2, None)])
    total = found.figures["v0"][0].total
    assert total is not None and total != total


def test_buckets_of_examples_are_few() -> None:
    """They have the examples of every kind that the limit allows, and no more buckets than needed."""
    of = rows()
    result = [(bucket, 0, 1, 3, 3, 0, 0, 0, 0) for bucket in range(100)] + [(500, 1, 0, 1, 0, 0, 1, 0, 0)]
    counts = row_changes.parse_counts(of, result)
    assert (counts.totals.added, counts.totals.removed, counts.totals.changed) == (1, 100, 301)
    assert counts.totals.columns == {"v0": 300, "v2": 1}
    assert counts.example_buckets(3) == [0, 1, 2, 500]
    assert counts.example_buckets(0) == []


def test_examples_are_read_by_kind() -> None:
    found = row_changes.parse_examples([("added", None, None, "1"), ("v0", "a", None, "2"), ("v0", "b", "c", None)])
    assert [item.key for item in found[ADDED]] == [("1",)]
    assert [(item.key, item.before, item.after) for item in found["v0"]] == [(("2",), "a", None), ((None,), "b", "c")]


def test_duplicates_and_multisets_are_read() -> None:
    duplicates = multisets.parse_duplicates([(True, 2, 5, 3, "7"), (False, 1, 2, 2, "7"), (True, 2, 5, 2, None)], 10)
    assert (duplicates.keys, duplicates.rows) == ((1, 2), (2, 5))
    assert [(item.key, item.times) for item in duplicates.examples] == [(("7",), 3), ((None,), 2)]
    assert not multisets.parse_duplicates([], 10)
    of = ComparedRows("a", "b", (), columns.compared_columns(NUMBERS[:2], NUMBERS[:2]))
    changes = multisets.parse_differences(of, [("added", 5, 4, '{"v0":"1","v1":null}'), ("removed", 2, 1, "{}")], 1)
    assert (changes.added, changes.removed, changes.changed) == (5, 2, 0)
    assert changes.examples[ADDED][0].key == ("1", None) and changes.examples[ADDED][0].times == 4
    assert changes.examples[REMOVED][0].key == (None, None)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("int", "bigint", "bigint"),
        ("tinyint", "smallint", "smallint"),
        ("int", "decimal(12,2)", "decimal(12,2)"),
        ("bigint", "decimal(12,2)", "decimal(21,2)"),
        ("decimal(10,4)", "decimal(12,2)", "decimal(14,4)"),
        ("decimal(38,0)", "decimal(38,20)", "string"),
        ("float", "decimal(12,2)", "double"),
        ("date", "timestamp", "timestamp"),
        ("timestamp", "timestamp_ntz", "timestamp_ntz"),
        ("int", "string", "string"),
        ("array<int>", "array<bigint>", "string"),
    ],
)
def test_types_that_differ_are_compared_in_one(one: str, other: str, common: str) -> None:
    assert columns.common_type(one, other) == columns.common_type(other, one) == common


def test_columns_are_matched_by_name_without_letter_case() -> None:
    before, after = [("Id", "int"), ("old", "int"), ("n", "int")], [("ID", "int"), ("N", "string"), ("new", "date")]
    changes = columns.schema_changes(before, after)
    assert (changes.added, changes.removed, changes.retyped) == (
        (("new", "date"),),
        (("old", "int"),),
        (("N", "int", "string"),),
    )
    compared = columns.compared_columns(before, after)
    assert [(item.name, item.names, item.type.name) for item in compared] == [
        ("ID", ("Id", "ID"), "int"),
        ("N", ("n", "N"), "string"),
    ]
    assert [compared[1].value(side) for side in (False, True)] == ["cast(`n` as string)", "`N`"]


def test_a_map_is_compared_as_sorted_entries() -> None:
    (column,) = columns.compared_columns([("m", "map<string,map<int,int>>")], [("m", "map<string,map<int,int>>")])
    inner = "array_sort(transform(map_entries(x0.value), x1 -> struct(x1.key as key, x1.value as value)))"
    assert column.value(True) == (
        f"array_sort(transform(map_entries(`m`), x0 -> struct(x0.key as key, {inner} as value)))"
    )
