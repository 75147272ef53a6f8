"""House rules of the dbt project that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project_macros import macros

PROJECT = Path(__file__).resolve().parents[2]
SQL = sorted((PROJECT / "models").rglob("*.sql"))
MODELS = [*SQL, *sorted((PROJECT / "python_models").rglob("*.py"))]


def _named(key: str) -> dict[str, dict[str, Any]]:
    files = [*(PROJECT / "models").rglob("*.yml"), *(PROJECT / "python_models").rglob("*.yml")]
    return {item["name"]: item for file in files for item in yaml.safe_load(file.read_text()).get(key, [])}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_is_described_with_its_grain_and_columns(path: Path) -> None:
    model = _named("models")[path.stem]
    assert "Grain: one row per " in model["description"]
    assert model["columns"] and all(column["description"] for column in model["columns"])


def test_a_snapshot_is_described_with_its_grain_columns_and_tests() -> None:
    (file,) = (PROJECT / "snapshots").rglob("*.yml")
    for snapshot in yaml.safe_load(file.read_text())["snapshots"]:
        assert "Grain: one row per " in snapshot["description"]
        assert snapshot["columns"] and all(column["description"] for column in snapshot["columns"])
        assert snapshot["data_tests"]


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_a_model_is_short_and_ends_with_final(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 80
    assert lines[-1] == "select * from final"


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_hints_and_partitions_come_from_macros(path: Path) -> None:
    assert not re.search(r"/\*\+|partition_by|partitioned by", path.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_every_broadcast_side_is_in_the_query(path: Path) -> None:
    """Spark ignores a hint whose alias is not in the query, without an error."""
    text = path.read_text()
    for arguments in re.findall(r"broadcast\(([^)]*)\)", text):
        for alias in re.findall(r"'(\w+)'", arguments):
            assert re.search(rf"\bjoin {alias}\b", text), f"no join of {alias}"


RULES = macros()("quality_rules()")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_every_rule_has_a_unit_test_with_both_sides_of_its_edge(rule: dict[str, Any]) -> None:
    test = _named("unit_tests").get(rule["name"])
    assert test, f"no unit test {rule['name']} in models/intermediate/_unit_tests.yml"
    assert test["model"] in ("int_trips_checked", "int_fhvhv_trips_checked")
    column = {"error": "reasons", "warn": "flags"}[rule["severity"]]
    fired = {f'"{rule["name"]}"' in row[column] for row in test["expect"]["rows"]}
    assert fired == {True, False}, "one row that breaks the rule, one that doesn't"


def test_every_macro_is_described() -> None:
    macros = {
        name
        for file in (PROJECT / "macros").rglob("*.sql")
        for name in re.findall(r"{%-? macro (\w+)", file.read_text())
    }
    files = (PROJECT / "macros").rglob("*.yml")
    described = {item["name"]: item for file in files for item in yaml.safe_load(file.read_text())["macros"]}
    # Generic tests; tests/unit/test_reference_docs.py compares their arguments.
    tests = {name for name in described if name.startswith("test_")}
    assert macros == set(described) - tests
    assert all(item["description"] for item in described.values())
