"""`penstock diff` on a real server: the exact differences between tables of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from penstock.diff import results
from penstock.diff.comparison import Comparison, compare_all
from penstock.diff.dbt_tables import DbtTable
from penstock.diff.keys import Key
from penstock.diff.request import Bounds
from penstock.diff.results import DIFFERENT, EQUAL, NEW, NOT_BUILT, Diff, TableDiff
from penstock.diff.row_changes import ADDED, REMOVED, Example
from penstock.errors import PenstockError
from penstock.report.warehouse_query import RunQuery, open_session
from tests.adapter.diff_tables import AFTER, BEFORE, ID, STATEMENTS, model
from tests.support.projects import Project, small_project


@pytest.fixture(scope="module")
def project(host: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose tables are made by SQL, so that only the comparison costs time."""
    made = small_project(tmp_path_factory.mktemp("diff"), {"models/a.sql": "select 1 as id"}, host=host)
    with open_session(made.settings) as run_query:
        for statement in STATEMENTS:
            run_query(statement)
    return made


@pytest.fixture(scope="module")
def run_query(project: Project) -> Iterator[RunQuery]:
    with open_session(project.settings) as run:
        yield run


def compare(run_query: RunQuery, table: DbtTable, **options: Any) -> TableDiff:
    """Compare one table between the two schemas."""
    return Comparison(run_query, AFTER, BEFORE, **options).compare(table)


def test_every_kind_of_value(run_query: RunQuery) -> None:
    """NULL, NaN, -0.0, the order of a map's entries: equal. A moved NULL in a struct, a microsecond: different."""
    found = compare(run_query, model("items", ID))
    assert (found.status, found.key.columns, found.rows) == (DIFFERENT, ("id",), (12, 12))
    assert (found.changes.added, found.changes.removed, found.changes.changed) == (1, 1, 8)
    expected = {"name": 1, "amount": 2, "rate": 1, "info": 1, "props": 1, "tags": 1, "times": 1}
    assert found.changes.columns == expected
    assert found.changes.examples[ADDED] == [Example(("7",))]
    assert found.changes.examples[REMOVED] == [Example(("6",))]
    assert found.changes.examples["amount"] == [Example(("2",), "10.10", "10.11"), Example(("12",), None, "5.00")]
    assert found.changes.examples["name"] == [Example(("3",), None, "y")]
    assert found.changes.examples["rate"] == [Example(("8",), "1.0", "NaN")]
    (info,) = found.changes.examples["info"]
    assert (info.key, json.loads(info.before or "")) == (("5",), {"a": 1, "c": None, "m": [{"key": "k", "value": 1}]})
    assert found.changes.examples["tags"] == [Example(("11",), "[1,null]", "[null,1]")]


def test_sums_are_exact(run_query: RunQuery) -> None:
    before, after = compare(run_query, model("items", ID)).figures["amount"]
    assert (before.total, after.total) == (Decimal("1234668.89") + Decimal("0.00"), Decimal("106.02"))
    assert (before.nulls, after.nulls) == (1, 0)
    assert before.mean == before.total / 11 if before.total else False


def test_other_columns(run_query: RunQuery) -> None:
    """Columns with equal names are compared, in a type that holds the values of both; letter case is ignored."""
    found = compare(run_query, model("shapes", ID))
    assert found.schema.added == (("fresh", "string"),)
    assert found.schema.removed == (("old", "string"),)
    assert found.schema.retyped == (("number", "int", "bigint"), ("price", "decimal(4,1)", "decimal(10,2)"))
    assert found.status == DIFFERENT
    assert found.changes.columns == {"label": 1}
    assert found.changes.examples["label"] == [Example(("1",), "a", "b")]


def test_a_key_with_duplicates(run_query: RunQuery) -> None:
    """Its duplicates are counted and named, and whole rows are compared."""
    found = compare(run_query, model("twice", ID))
    assert (found.duplicates.keys, found.duplicates.rows) == ((2, 2), (4, 4))
    assert {example.key[0] for example in found.duplicates.examples} == {"1", "2", None}
    assert "not unique (2 keys in 4 rows before, 2 keys in 4 rows after)" in found.note
    assert (found.changes.added, found.changes.removed, found.changes.changed) == (2, 1, 0)
    assert found.changes.examples == {
        ADDED: [Example(("2", "b")), Example(("3", "c"))],
        REMOVED: [Example(("1", "a"))],
    }


def test_a_table_without_a_key(run_query: RunQuery) -> None:
    """Whole rows are compared with their numbers of occurrences; the output says how to give a key."""
    found = compare(run_query, model("keyless"))
    assert (found.changes.added, found.changes.removed) == (2, 1)
    assert found.changes.examples == {
        ADDED: [Example(("b", "2.5"), times=2)],
        REMOVED: [Example(("a", "1.5"))],
    }
    assert "--key" in found.note


def test_a_key_that_is_null(run_query: RunQuery) -> None:
    found = compare(run_query, model("nullable", ID))
    assert (found.changes.added, found.changes.removed, found.changes.changed) == (0, 0, 1)
    assert found.changes.examples["n"] == [Example((None,), "1", "7")]


def test_equal_tables(run_query: RunQuery) -> None:
    found = compare(run_query, model("same", ID))
    assert (found.status, found.rows, found.drifted) == (EQUAL, (1000, 1000), [])


def test_many_changes_and_a_limit(run_query: RunQuery) -> None:
    """The counts are complete; the examples are the first ones of few buckets, and no more than the limit."""
    found = compare(run_query, model("large", ID), bounds=Bounds(limit=4))
    assert (found.changes.changed, found.changes.columns) == (200, {"amount": 200})
    examples = found.changes.examples["amount"]
    assert len(examples) == 4
    assert all(Decimal(item.after or 0) - Decimal(item.before or 0) == Decimal("0.01") for item in examples)
    before, after = found.figures["amount"]
    assert (before.total, after.total) == (Decimal("199990000.00"), Decimal("199990002.00"))


def test_a_sample_has_the_same_rows_on_both_sides(run_query: RunQuery) -> None:
    bounds = Bounds(sample=0.25)
    one, two = (compare(run_query, model("large", ID), bounds=bounds) for _ in range(2))
    assert one == two
    assert one.rows[0] == one.rows[1] and 4000 < one.rows[0] < 6000
    assert (one.changes.added, one.changes.removed) == (0, 0) and 20 < one.changes.changed < 90


def test_tables_that_are_missing(run_query: RunQuery) -> None:
    """A table that only the other target has was not built here; one that only this target has is new."""
    found = compare_all(Comparison(run_query, AFTER, BEFORE), [model("fresh", ID), model("unbuilt", ID)])
    assert [(item.status, item.rows[1]) for item in found] == [(NEW, 3), (NOT_BUILT, 0)]
    assert Diff("a", "b", found).differs and not Diff("a", "b", found[1:]).differs
    with pytest.raises(PenstockError, match=r"needed: built tables of `small`\. found: none of unbuilt"):
        compare_all(Comparison(run_query, AFTER, BEFORE), [model("unbuilt", ID)])


@pytest.mark.parametrize(
    ("version", "changes"), [(-1, (1, 0, 0)), (-2, (1, 0, 1)), (0, (1, 0, 1)), (1, (1, 0, 0)), (2, (0, 0, 0))]
)
def test_earlier_versions(run_query: RunQuery, version: int, changes: tuple[int, int, int]) -> None:
    found = Comparison(run_query, AFTER, version=version).compare(model("versions", ID))
    assert (found.changes.added, found.changes.removed, found.changes.changed) == changes


@pytest.mark.parametrize("version", [99, -99])
def test_a_version_that_does_not_exist(run_query: RunQuery, version: int) -> None:
    with pytest.raises(
        PenstockError, match=rf"the Delta version {version} of versions\. found: it has the versions 0 to 2"
    ):
        compare_all(Comparison(run_query, AFTER, version=version), [model("versions", ID)])


def test_a_view_has_no_versions(run_query: RunQuery) -> None:
    with pytest.raises(PenstockError, match="a table with versions"):
        compare_all(Comparison(run_query, AFTER, version=-1), [model("seen", ID, is_view=True)])


def test_a_key_that_a_table_lacks(run_query: RunQuery) -> None:
    with pytest.raises(PenstockError, match=r"columns of same in both tables as --key\. found: no zone"):
        compare(run_query, model("same", ID), key=Key(("id", "zone"), "--key"))


def test_json(run_query: RunQuery) -> None:
    """Money is text, so that no reader rounds it; the document is JSON without NaN."""
    found = compare(run_query, model("items", ID))
    text = json.dumps(results.to_json(Diff("a", "b", [found])), allow_nan=False)
    (table,) = json.loads(text)["tables"]
    amount = next(item for item in table["drift"] if item["name"] == "amount")
    assert amount["after"]["sum"] == "106.02"
    column = next(item for item in table["changed_columns"] if item["name"] == "amount")
    assert column["examples"][0] == {"key": {"id": "2"}, "before": "10.10", "after": "10.11"}
