"""The project's macros, rendered without dbt and without Spark.

dbt's `return` and `exceptions` are stood in for; everything else is plain Jinja, as in dbt.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from jinja2.runtime import Context, Macro
from jinja2.sandbox import SandboxedEnvironment

PROJECT = Path(__file__).resolve().parents[2]
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


class Returned(Exception):
    """What dbt's `return` raises; the nearest macro call catches it."""

    def __init__(self, value: Any) -> None:
        self.value = value


class CompilationError(Exception):
    """What `exceptions.raise_compiler_error` raises."""


class DbtLike(SandboxedEnvironment):
    """Jinja with dbt's way of returning values from macros."""

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().call(context, obj, *args, **kwargs)
        except Returned as returned:
            if isinstance(obj, Macro):
                return returned.value
            raise


def _return(value: Any) -> NoReturn:
    raise Returned(value)


def _refuse(message: str) -> NoReturn:
    raise CompilationError(" ".join(message.split()))


@pytest.fixture(scope="module")
def evaluate() -> Any:
    """A function from a Jinja expression to the value it has with the project's macros."""
    environment = DbtLike(extensions=["jinja2.ext.do"])
    environment.globals["return"] = _return
    environment.globals["exceptions"] = SimpleNamespace(raise_compiler_error=_refuse)
    environment.globals["target"] = SimpleNamespace(schema="warehouse")
    macros = "\n".join(path.read_text() for path in sorted((PROJECT / "macros").rglob("*.sql")))

    def value(expression: str) -> Any:
        found: list[Any] = []
        template = environment.from_string(macros + "{% do keep(" + expression + ") %}")
        template.render(keep=found.append)
        return found[0]

    return value


def normalised(sql: str) -> str:
    """SQL with each run of white space as one blank, and none beside a bracket."""
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(sql.split()))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("hints(broadcast('z'))", "/*+ broadcast(z) */"),
        ("hints(broadcast('a', 'b'))", "/*+ broadcast(a, b) */"),
        ("hints(broadcast('z'), rebalance('pickup_month'))", "/*+ broadcast(z), rebalance(pickup_month) */"),
        ("hints(shuffle_hash('trips'))", "/*+ shuffle_hash(trips) */"),
        ("hints(repartition(8))", "/*+ repartition(8) */"),
        ("hints(repartition(8, 'a', 'b'))", "/*+ repartition(8, a, b) */"),
        ("monthly_partitions('pickup_month')", {"partition_by": ["pickup_month"]}),
        ("generate_schema_name(none, none)", "warehouse"),
        ("generate_schema_name('staging', none)", "staging"),
    ],
)
def test_a_macro_gives(evaluate: Any, expression: str, expected: Any) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("hints()", "hints() needs at least one hint and was given none"),
        ("hints('broadcast')", "was given 'broadcast'"),
        ("hints('coalesce(1)')", "hints() takes what broadcast(), shuffle_hash(), rebalance(), repartition() return"),
        ("hints(3)", "was given '3'"),
        ("broadcast()", "broadcast() needs at least one name and was given none"),
        (
            "broadcast('z) */ drop')",
            "broadcast() takes names of letters, digits and underscores and was given 'z) */ drop'",
        ),
        ("broadcast(none)", "was given 'None'"),
        ("rebalance(7)", "rebalance() takes names of letters, digits and underscores and was given '7'"),
        ("shuffle_hash('a b')", "was given 'a b'"),
        ("repartition(0)", "repartition() takes a number of partitions of at least 1 first and was given '0'"),
        ("repartition('8')", "was given '8'"),
        ("repartition(true)", "was given 'True'"),
        (
            "monthly_partitions('to_date(x)')",
            "monthly_partitions() takes the name of a date column and was given 'to_date(x)'",
        ),
        ("monthly_partitions(none)", "was given 'None'"),
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
