"""Hints, layouts and maintenance, rendered without dbt and without Spark."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlfluff.core import FluffConfig, Linter

from tests.support.dbt_jinja import CompilationError
from tests.support.project_macros import PROJECT, macros
from tests.unit.macro_stubs import CONTEXT, NODES, Spark

REFERENCE = PROJECT / "docs" / "reference"
PAGE = (REFERENCE / "layout.md").read_text() + (REFERENCE / "layout-errors.md").read_text()
REFUSED = re.findall(r"^\| `(.+?)` \| (needed: .+) \|$", PAGE, re.MULTILINE)
HINTS = {
    "hints(broadcast('z'))": "/*+ broadcast(z) */",
    "hints(broadcast('a', 'b'))": "/*+ broadcast(a, b) */",
    "hints(broadcast('my zones', 'w.left', 'é'))": "/*+ broadcast(`my zones`, w.`left`, `é`) */",
    "hints(broadcast('a`b'))": "/*+ broadcast(`a``b`) */",
    "hints(merge('t'))": "/*+ merge(t) */",
    "hints(shuffle_hash('trips'))": "/*+ shuffle_hash(trips) */",
    "hints(shuffle_replicate_nl('z'))": "/*+ shuffle_replicate_nl(z) */",
    "hints(coalesce(2))": "/*+ coalesce(2) */",
    "hints(repartition(8))": "/*+ repartition(8) */",
    "hints(repartition('a'))": "/*+ repartition(a) */",
    "hints(repartition(8, 'a', 'b'))": "/*+ repartition(8, a, b) */",
    "hints(repartition_by_range('a', 'b.c'))": "/*+ repartition_by_range(a, b.c) */",
    "hints(repartition_by_range(8, 'a'))": "/*+ repartition_by_range(8, a) */",
    "hints(rebalance())": "/*+ rebalance */",
    "hints(rebalance(4))": "/*+ rebalance(4) */",
    "hints(broadcast('z'), rebalance('pickup_month'))": "/*+ broadcast(z), rebalance(pickup_month) */",
    "hints(broadcast('a'), merge('b'), none, rebalance(3, 'x y'))": (
        "/*+ broadcast(a), merge(b), rebalance(3, `x y`) */"
    ),
    "hints(none)": "",
}
CONF = "spark.sql.adaptive."


@pytest.mark.parametrize(("expression", "expected"), HINTS.items())
def test_a_hint(expression: str, expected: str) -> None:
    assert macros()(expression) == expected


@pytest.fixture(scope="module")
def linter() -> Linter:
    """Return sqlfluff with the configuration of `make lint`."""
    config = FluffConfig.from_path(str(PROJECT / "models" / "marts"))
    config._configs["templater"]["jinja"]["load_macros_from_path"] = str(PROJECT / "macros")
    return Linter(config=config)


@pytest.mark.parametrize("expression", [*HINTS, "hints(broadcast_if_small(ref('dim_zones'), 'z'))"])
def test_a_hint_lints(linter: Linter, expression: str) -> None:
    """Every hint passes the project's lint rules in a query with a join."""
    sql = f"select {{{{ {expression} }}}}\n    z.a,\n    b.c\nfrom z\ninner join b on z.a = b.a\n"
    found = linter.lint_string(sql, fname=str(PROJECT / "models" / "marts" / "m.sql"))
    assert not found.get_violations(), [item.desc() for item in found.get_violations()]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("monthly_partitions('pickup_month')", {"partition_by": ["pickup_month"]}),
        ("clustered('zone')", {"clustered_by": ["zone"]}),
        ("clustered(['zone', 'day'])", {"clustered_by": ["zone", "day"]}),
        ("sorted_within(('zone', 'day'))", {"sorted_within": ["zone", "day"]}),
        ("target_file_size(128)", {"target_file_size_mb": 128}),
        ("skipping_stats(['zone', 'day'])", {"tblproperties": {"delta.dataSkippingStatsColumns": "zone,day"}}),
        (
            "adaptive(advisory_mb=64, coalesce=false, skew_join=true, skew_factor=2.5, skew_mb=32, broadcast_mb=0)",
            {
                "spark_conf": {
                    f"{CONF}advisoryPartitionSizeInBytes": "64m",
                    f"{CONF}skewJoin.skewedPartitionThresholdInBytes": "32m",
                    "spark.sql.autoBroadcastJoinThreshold": "-1",
                    f"{CONF}coalescePartitions.enabled": "false",
                    f"{CONF}skewJoin.enabled": "true",
                    f"{CONF}skewJoin.skewedPartitionFactor": "2.5",
                }
            },
        ),
        (
            "layout(monthly_partitions('m'), clustered(['z']), target_file_size(128))",
            {"partition_by": ["m"], "clustered_by": ["z"], "target_file_size_mb": 128},
        ),
        (
            "layout(adaptive(skew_mb=1), adaptive(skew_mb=1, coalesce=true))",
            {
                "spark_conf": {
                    f"{CONF}skewJoin.skewedPartitionThresholdInBytes": "1m",
                    f"{CONF}coalescePartitions.enabled": "true",
                }
            },
        ),
    ],
)
def test_a_layout_is_configuration(expression: str, expected: Any) -> None:
    assert macros()(expression) == expected


@pytest.mark.parametrize(("expression", "message"), REFUSED, ids=[item[0] for item in REFUSED])
def test_a_wrong_argument_raises_the_documented_error(expression: str, message: str) -> None:
    with pytest.raises(CompilationError) as caught:
        macros(**CONTEXT)(expression)
    assert str(caught.value) == message
    assert ". found: " in message and ". do: " in message


def test_the_documented_operations_can_be_parsed_by_a_shell() -> None:
    text = PAGE
    commands = [shlex.split(line)[2:] for line in re.findall(r"^dbt run-operation .+$", text, re.MULTILINE)]
    assert {name for name, *_ in commands} == {"compact", "cluster", "vacuum", "analyze"}
    spark = Spark()
    for name, *options in commands:
        given = yaml.safe_load(options[1]) if options else {}
        macros(**spark.context(given=given))(f"{name}(**given)")
    assert "optimize w.fct_trips where pickup_month >= date'2024-01-01' zorder by (`zone`, `day`)" in spark.sent


def test_the_docs_list_the_errors_of_every_macro() -> None:
    called = {re.split(r"\W", expression)[0] for expression, _ in REFUSED}
    public = {*re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE)}
    assert len(REFUSED) >= 50
    assert public == called
    assert public <= {path.stem for path in Path(PROJECT / "macros").rglob("*.sql")}


@pytest.mark.parametrize(
    ("size", "arguments", "hint", "message"),
    [
        (1024**2, "", "broadcast(z)", "w.zones is 1.00 MB, the limit 10 MB: broadcast(z)"),
        (10 * 1024**2, "", "broadcast(z)", "w.zones is 10.00 MB, the limit 10 MB: broadcast(z)"),
        (1024**2, ", limit=0.5", None, "w.zones is 1.00 MB, the limit 0.5 MB: no broadcast of z"),
        (None, ", 10", None, "w.zones is of unknown size, the limit 10 MB: no broadcast of z"),
    ],
)
def test_a_broadcast_by_size_logs_its_reason(size: int | None, arguments: str, hint: str | None, message: str) -> None:
    spark = Spark({"zones": size})
    assert macros(**spark.context())(f"broadcast_if_small(ref('zones'), 'z'{arguments})") == hint
    assert spark.logged == [message]


def test_no_query_runs_while_dbt_parses() -> None:
    spark = Spark()
    evaluate = macros(**spark.context(execute=False))
    assert evaluate("broadcast_if_small(none, 'z')") is None
    assert all(not evaluate(f"{name}('nowhere')").strip() for name in ("compact", "cluster", "vacuum", "analyze"))
    assert not spark.sent and not spark.logged


DELTA = "spark.databricks.delta."


def test_compact_uses_the_models_target_size_and_restores_the_session() -> None:
    spark = Spark()
    macros(**spark.context())("compact('fct_trips', where=\"month = date'2024-01-01'\")")
    top, low = f"{DELTA}optimize.maxFileSize", f"{DELTA}optimize.minFileSize"
    assert spark.sent == [
        *(f"set {top}", f"set {top}=134217728", f"set {low}", f"set {low}=33554432"),
        "optimize w.fct_trips where month = date'2024-01-01'",
        *(f"set {top}=1", f"set {low}=1"),
    ]
    assert spark.logged == ["compact w.fct_trips: 9 files of 9.00 MB became 2 of 8.00 MB"]


def test_cluster_applies_zorder_in_a_partitioned_table() -> None:
    spark = Spark()
    macros(**spark.context())("cluster()")
    assert [sql for sql in spark.sent if sql.startswith("optimize")] == [
        "optimize w.fct_trips zorder by (`zone`, `day`)",
        "optimize w.clustered",
    ]
    assert spark.logged[0] == ("cluster w.fct_trips: 9 files of 9.00 MB became 2 of 8.00 MB, zorder by (`zone`, `day`)")


def test_vacuum_applies_its_retention_hours() -> None:
    spark = Spark()
    macros(**spark.context())("vacuum('dim_zones', retention_hours=200)")
    assert "vacuum w.dim_zones retain 200 hours" in spark.sent
    assert f"set {DELTA}vacuum.retentionWindowIgnore.enabled=false" in spark.sent
    assert f"reset {DELTA}vacuum.retentionWindowIgnore.enabled" in spark.sent
    assert spark.logged == ["vacuum w.dim_zones: 3 files of 3.00 MB deleted, unused for 200 hours"]


def test_without_a_model_every_suitable_table_is_maintained() -> None:
    """Views, missing tables and other projects' tables are skipped; formats differ in what they support."""
    spark = Spark()
    evaluate = macros(**spark.context())
    evaluate("compact()")
    assert [sql for sql in spark.sent if sql.startswith("optimize")] == [
        f"optimize w.{name}" for name in ("dim_zones", "fct_trips", "clustered")
    ]
    evaluate("analyze()")
    assert spark.sent[-3:-1] == [
        "analyze table w.extract compute statistics",
        "analyze table w.extract compute statistics for all columns",
    ]
    assert spark.logged[-1] == "analyze w.extract: 100 bytes, 7 rows"


def test_a_hook_maintains_its_own_model() -> None:
    """The table exists before dbt's cache contains it."""
    spark = Spark()
    missing = next(item for item in NODES if item["name"] == "missing")
    macros(**spark.context(this="w.missing", model=missing))("analyze()")
    assert spark.sent[0] == "analyze table w.missing compute statistics"
