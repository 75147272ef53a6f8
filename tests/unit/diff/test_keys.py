"""The columns that identify a row: which of dbt's declarations counts."""

from __future__ import annotations

from types import SimpleNamespace as Thing
from typing import Any

import pytest

from penstock.diff import keys
from penstock.diff.keys import Key
from penstock.diff.request import Baseline, Bounds
from penstock.errors import PenstockError


class Config(dict[str, Any]):
    """A node's configuration."""


def node(kind: str = "model", **given: Any) -> Any:
    config = Config(given.pop("config", {}))
    return Thing(resource_type=kind, config=config, columns=given.pop("columns", {}), **given)


def unique_test(name: str, where: str | None = None, **arguments: Any) -> Any:
    return Thing(test_metadata=Thing(name=name, kwargs=arguments), config=Config(where=where))


def constraint(kind: str, *names: str) -> Any:
    return Thing(type=Thing(value=kind), columns=list(names))


CASES = {
    "one column": (node(config={"unique_key": "id"}), [], Key(("id",), "unique_key")),
    "a list": (node(config={"unique_key": ["id", "`day`"]}), [], Key(("id", "day"), "unique_key")),
    "names with commas": (node(config={"unique_key": "id, day"}), [], Key(("id", "day"), "unique_key")),
    "a test": (node(), [unique_test("unique", column_name="id")], Key(("id",), "test unique")),
    "the test with fewer columns": (
        node(),
        [unique_test("unique_combination", columns=["id", "day"]), unique_test("unique", column_name="number")],
        Key(("number",), "test unique"),
    ),
    "the test of dbt_utils": (
        node(),
        [unique_test("unique_combination_of_columns", combination_of_columns=["id", "day"])],
        Key(("id", "day"), "test unique_combination_of_columns"),
    ),
    "a test of some rows": (node(), [unique_test("unique", "day > 1", column_name="id")], Key()),
    "another test": (node(), [unique_test("not_null", column_name="id")], Key()),
    "a test of a column that is not compared": (node(), [unique_test("unique", column_name="gone")], Key()),
    "constraints": (
        node(constraints=[constraint("unique", "number"), constraint("primary_key", "id", "day")]),
        [],
        Key(("id", "day"), "constraint primary_key"),
    ),
    "a constraint of a column": (
        node(columns={"id": Thing(name="id", constraints=[constraint("primary_key")])}),
        [],
        Key(("id",), "constraint primary_key"),
    ),
    "a snapshot": (node("snapshot", config={"unique_key": "id"}), [], Key(("dbt_scd_id",), "the snapshot's row id")),
    "nothing": (node(), [], Key()),
}


@pytest.mark.parametrize("case", CASES)
def test_the_key_of_a_node(case: str) -> None:
    of, tests, expected = CASES[case]
    possible = keys.candidates(of, tests)
    assert keys.choose(possible, ["id", "DAY", "number", "dbt_scd_id"]) == expected


def test_the_option_accepts_several_columns() -> None:
    assert keys.requested(["id,day", " zone "]).columns == ("id", "day", "zone")
    assert not keys.requested([])


def test_what_to_compare_with() -> None:
    assert Baseline.parse("prod") == Baseline("prod")
    assert Baseline.parse("version:12") == Baseline(version=12)
    assert Baseline.parse("version:-1") == Baseline(version=-1)
    for text in ("version:", "version:x", "version:1.5", " "):
        with pytest.raises(PenstockError, match=r"a target of profiles\.yml, version:N"):
            Baseline.parse(text)


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan")])
def test_a_share_outside_its_range(share: float) -> None:
    with pytest.raises(PenstockError, match="as --sample"):
        Bounds(sample=share)


def test_a_negative_limit() -> None:
    with pytest.raises(PenstockError, match="as --limit"):
        Bounds(limit=-1)
