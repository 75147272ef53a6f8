"""The project's quality macros and schema names, rendered without dbt and without Spark."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.dbt_jinja import CompilationError
from tests.support.project_macros import macros

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
    """Return a function that evaluates a Jinja expression with the project's macros."""
    return macros()


def normalised(sql: str) -> str:
    """Return SQL with each run of white space as one blank, and none beside a bracket."""
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(sql.split()))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("generate_schema_name(none, none)", "warehouse"), ("generate_schema_name('staging', none)", "staging")],
)
def test_the_configured_schema_is_unchanged(evaluate: Any, expression: str, expected: str) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize(("configured", "expected"), [("none", "dev"), ("'staging'", "dev_staging")])
def test_a_target_with_another_schema_writes_to_other_schemas(configured: str, expected: str) -> None:
    evaluate = macros(target=SimpleNamespace(schema="dev"))
    assert evaluate(f"generate_schema_name({configured}, none)") == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            "trip_rules(['green', 'purple'])",
            "services out of green, yellow, fhvhv. found: 'purple'. do: correct the list",
        ),
        ("trip_flags('green')", "a list of services out of green, yellow, fhvhv. found: 'green'. do: correct the list"),
    ],
)
def test_a_wrong_argument_is_named_in_the_error(evaluate: Any, expression: str, message: str) -> None:
    with pytest.raises(CompilationError, match=re.escape(message)):
        evaluate(expression)


def test_errors_quarantine_and_warnings_flag(evaluate: Any) -> None:
    """Every rule either quarantines or flags."""
    rules = {rule["name"]: rule["severity"] for rule in evaluate("quality_rules()")}
    assert [rule["name"] for rule in evaluate("trip_rules()")] == [n for n, s in rules.items() if s == "error"]
    assert [rule["name"] for rule in evaluate("trip_flags()")] == [n for n, s in rules.items() if s == "warn"]
    assert {name for name, severity in rules.items() if severity == "error"} == RULES


def test_only_taxi_trips_can_be_voided(evaluate: Any) -> None:
    assert {rule["name"] for rule in evaluate("trip_rules(['fhvhv'])")} == RULES - {"voided"}
    assert {rule["name"] for rule in evaluate("trip_rules(['green'])")} == RULES
    flags = {flag["name"] for flag in evaluate("trip_flags(['fhvhv'])")}
    assert flags == {"unknown_pickup_zone", "unknown_dropoff_zone", "zero_distance"}


SOUND = {
    "name": "far",
    "condition": "miles > 9",
    "severity": "warn",
    "services": ["green", "yellow"],
    "description": "It is far.",
}


def valid(evaluate: Any, *rules: dict[str, Any]) -> Any:
    """Return the rules after the checks of the list."""
    literal = json.dumps(rules).replace("null", "none")
    return evaluate(f"valid_rules({literal})")


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"warn_above": 0.1},
        {"error_above": 1},
        {"warn_above": 0, "error_above": 0},
        {"warn_above": 0.2, "error_above": {"green": 0.2, "yellow": 0.3}},
        {"warn_above": {"green": 0.5}, "error_above": {"yellow": 0.1}},
    ],
)
def test_a_complete_rule_is_accepted(evaluate: Any, limits: dict[str, Any]) -> None:
    assert valid(evaluate, SOUND | limits) == [SOUND | limits]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"condition": ""}, "no condition in rule 'far'"),
        ({"name": None}, "no name in rule 1 of the list"),
        ({"services": []}, "no services in rule 'far'"),
        ({"warn_over": 0.1}, "'warn_over' in rule 'far'"),
        ({"name": "far away"}, "'far away'"),
        ({"name": "far', 'b"}, "'far', 'b'"),
        ({"severity": "fatal"}, "'fatal' in rule 'far'"),
        ({"services": ["green", "purple"]}, "'purple'"),
        ({"services": "green"}, "'green'"),
        ({"warn_above": 1.01}, "1.01 in rule 'far'"),
        ({"error_above": -0.1}, "-0.1 in rule 'far'"),
        ({"error_above": "2 %"}, "'2 %' in rule 'far'"),
        ({"error_above": {"green": None}}, "none in rule 'far'"),
        ({"warn_above": {"fhvhv": 0.1}}, "'fhvhv' in rule 'far'"),
        ({"warn_above": 0.2, "error_above": 0.1}, "0.2 above 0.1 for green in rule 'far'"),
        ({"warn_above": {"yellow": 0.3}, "error_above": 0.2}, "0.3 above 0.2 for yellow in rule 'far'"),
    ],
)
def test_a_wrong_rule_is_refused_in_three_parts(evaluate: Any, change: dict[str, Any], found: str) -> None:
    with pytest.raises(CompilationError) as caught:
        valid(evaluate, SOUND | change)
    parts = re.fullmatch(r"needed: (.+)\. found: (.+)\. do: (.+)", str(caught.value))
    assert parts and parts[2] == found
    assert "macros/quality/quality_rules.sql" in parts[3]


def test_a_share_is_not_a_boolean(evaluate: Any) -> None:
    literal = json.dumps(SOUND)[:-1] + ", 'warn_above': true}"
    with pytest.raises(CompilationError, match="found: true in rule 'far'"):
        evaluate(f"valid_rules([{literal}])")


def test_a_rule_is_listed_once(evaluate: Any) -> None:
    with pytest.raises(CompilationError, match=r"every name once\. found: rule 'far' twice"):
        valid(evaluate, SOUND, SOUND)


CHECKS = """[
    {'name': 'far', 'condition': 'miles > 9 or miles < 0', 'services': ['green', 'fhvhv']},
    {'name': 'odd', 'condition': 'n is null', 'services': ['green', 'yellow', 'fhvhv']}]"""


def test_names_of_fired_checks_are_collected(evaluate: Any) -> None:
    sql = evaluate(f"fired_names({CHECKS}, ['green'])")
    assert normalised(sql) == (
        "case when(miles > 9 or miles < 0)or(n is null)then array_remove(array("
        "case when(miles > 9 or miles < 0)then 'far' else '' end,case when(n is null)then 'odd' else '' end),'')"
        "else cast(array()as array<string>)end"
    )


def test_a_check_of_some_services_tests_the_service(evaluate: Any) -> None:
    sql = evaluate(f"fired_names({CHECKS}, ['green', 'yellow'])")
    assert normalised(sql) == (
        "case when service_type in('green')and(miles > 9 or miles < 0)or(n is null)then array_remove(array("
        "case when service_type in('green')and(miles > 9 or miles < 0)then 'far' else '' end,"
        "case when(n is null)then 'odd' else '' end),'')else cast(array()as array<string>)end"
    )


def test_every_rule_is_listed_for_each_of_its_services(evaluate: Any) -> None:
    sql = normalised(evaluate("rule_applicability()"))
    listed = re.findall(r"\('(\w+)','(\w+)','(\w+)'\)", sql)
    rules = evaluate("quality_rules()")
    assert listed == [(service, rule["name"], rule["severity"]) for rule in rules for service in rule["services"]]
    assert sql.startswith("values(") and sql.endswith(")as applicable(service_type,rule,severity)")
    assert len(listed) == sql.count("('")


def test_limits_come_from_the_list(evaluate: Any) -> None:
    """One number for all services, numbers by service, and a service without a limit."""
    rules = [SOUND | {"warn_above": 0.1, "error_above": {"yellow": 0.5}}]
    sql = normalised(evaluate(f"rule_limits({json.dumps(rules)})"))
    assert sql == (
        "values('green','far',cast(0.1 as double),cast(null as double)),"
        "('yellow','far',cast(0.1 as double),cast(0.5 as double))as limits(service_type,rule,warn_above,error_above)"
    )
    assert normalised(evaluate("rule_limits()")).count("('") == sum(
        len(r["services"]) for r in evaluate("quality_rules()")
    )
