"""The project's quality macros and schema names, rendered without dbt and without Spark."""

from __future__ import annotations

import re
from typing import Any

import pytest
from dbt_jinja import CompilationError
from macro_values import macros

RULES = {
    "pickup_outside_month",
    "dropoff_before_pickup",
    "longer_than_12_hours",
    "distance_negative",
    "distance_over_100_miles",
    "voided",
    "fare_negative",
    "zone_out_of_range",
    "duplicate_row",
}


@pytest.fixture(scope="module")
def evaluate() -> Any:
    """A function from a Jinja expression to the value it has with the project's macros."""
    return macros()


def normalised(sql: str) -> str:
    """SQL with each run of white space as one blank, and none beside a bracket."""
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(sql.split()))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("generate_schema_name(none, none)", "warehouse"), ("generate_schema_name('staging', none)", "staging")],
)
def test_a_schema_is_named_as_it_is_configured(evaluate: Any, expression: str, expected: str) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("trip_rules(['green', 'purple'])", "services are green, yellow, fhvhv and 'purple' was given"),
        ("trip_flags('green')", "'g' was given"),
    ],
)
def test_a_bad_argument_is_refused_with_what_was_given(evaluate: Any, expression: str, message: str) -> None:
    with pytest.raises(CompilationError, match=re.escape(message)) as caught:
        evaluate(expression)
    assert ";" in str(caught.value), "the message says what to do"


def test_every_rule_is_defined_once_and_completely(evaluate: Any) -> None:
    rules = evaluate("trip_rules()")
    assert [rule["name"] for rule in rules] == list(dict.fromkeys(rule["name"] for rule in rules))
    assert {rule["name"] for rule in rules} == RULES
    assert all(set(rule) == {"name", "condition", "services", "description"} for rule in rules)


def test_only_taxi_trips_can_be_voided(evaluate: Any) -> None:
    assert {rule["name"] for rule in evaluate("trip_rules(['fhvhv'])")} == RULES - {"voided"}
    assert {rule["name"] for rule in evaluate("trip_rules(['green'])")} == RULES
    flags = {flag["name"] for flag in evaluate("trip_flags(['fhvhv'])")}
    assert flags == {"unknown_pickup_zone", "unknown_dropoff_zone", "zero_distance"}


CHECKS = """[
    {'name': 'far', 'condition': 'miles > 9 or miles < 0', 'services': ['green', 'fhvhv']},
    {'name': 'odd', 'condition': 'n is null', 'services': ['green', 'yellow', 'fhvhv']}]"""


def test_names_are_collected_where_conditions_hold(evaluate: Any) -> None:
    sql = evaluate(f"fired_names({CHECKS}, ['green'])")
    assert normalised(sql) == (
        "array_compact(array(case when(miles > 9 or miles < 0)then 'far' end,case when(n is null)then 'odd' end))"
    )


def test_a_check_of_some_services_is_guarded_in_a_relation_of_more(evaluate: Any) -> None:
    sql = evaluate(f"fired_names({CHECKS}, ['green', 'yellow'])")
    assert normalised(sql) == (
        "array_compact(array(case when service_type in('green')and(miles > 9 or miles < 0)then 'far' end,"
        "case when(n is null)then 'odd' end))"
    )


def test_every_rule_is_listed_for_each_of_its_services(evaluate: Any) -> None:
    sql = normalised(evaluate("rule_applicability()"))
    pairs = set(re.findall(r"\('(\w+)','(\w+)'\)", sql))
    assert pairs == {(service, rule["name"]) for rule in evaluate("trip_rules()") for service in rule["services"]}
    assert sql.startswith("values(") and sql.endswith(")as applicable(service_type,rule)")
    assert len(pairs) == sql.count("('") == 2 * len(RULES) + len(RULES) - 1
