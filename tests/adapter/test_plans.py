"""Tests of plans and files on a real server: each holds for one model and fails for its twin, which says why."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
import yaml

from penstock.plans import plan_store, queries
from tests.support.projects import ROOT, Project, edited, small_project

TABLE = "{{ config(materialized='table') }}\n"
NO_CHANCE = "{{ config(spark_conf={'spark.sql.autoBroadcastJoinThreshold': -1}) }}\n"
MONTHLY = "{{ config(**monthly_partitions('month')) }}\n"
JOIN = "select %s facts.id, dims.zone from {{ ref('facts') }} as facts\nleft join {{ ref('dims') }} as dims on "
KEYED = "facts.zone_id = dims.zone_id\n"

# By test: its arguments, the model it holds for, the twin it fails for, and words of the failure.
PAIRS: dict[str, tuple[dict[str, object], str, str, str]] = {
    "plan_broadcasts": (
        {"side": "dims"},
        NO_CHANCE + JOIN % "{{ hints(broadcast('dims')) }}" + KEYED,
        NO_CHANCE + JOIN % "" + KEYED,
        "found: SortMergeJoin LeftOuter on zone_id = zone_id in the plan that ran",
    ),
    "plan_exchanges_at_most": (
        {"n": 1},
        "select month, count(*) as n from {{ ref('facts') }} group by month",
        "with months as (select month, count(*) as n from {{ ref('facts') }} group by month)\n"
        "select n, count(*) as months from months group by n",
        "found: 2 in the plan that ran: hash(n); hash(month)",
    ),
    "plan_prunes_partitions": (
        {"column": "month", "value": "2024-02-01"},
        MONTHLY + "select * from {{ ref('facts') }}",
        "select * from {{ ref('facts') }}",
        "PartitionFilters [] and PushedFilters [IsNotNull(month), EqualTo(month,2024-02-01)]",
    ),
    "plan_reads_columns_at_most": (
        {"n": 2},
        "select month, sum(amount) as amount from {{ ref('facts') }} group by month",
        "select month, sum(amount) as amount from {{ ref('facts') }} where id > 3 group by month",
        "small.facts in b_plan_reads_columns_at_most. found: 3 in Scan: id, month, amount",
    ),
    "plan_has_no_cartesian": (
        {},
        NO_CHANCE + JOIN % "" + KEYED,
        JOIN % "" + "true",
        "BroadcastNestedLoopJoin LeftOuter, without a condition of small.facts and small.dims",
    ),
    "plan_has_no_single_partition_window": (
        {},
        "select id, row_number() over (partition by month order by id) as place from {{ ref('facts') }}",
        "select id, row_number() over (order by id) as place from {{ ref('facts') }}",
        "below Exchange SinglePartition in the plan that ran",
    ),
    "file_sizes_between": (
        {"min": 0.002, "max": 0.1},
        "select {{ hints(repartition(1)) }} * from {{ ref('facts') }}",
        "select {{ hints(repartition(20)) }} id, month from {{ ref('facts') }} where id < 200",
        "files under 0.002 MB",
    ),
    "files_per_partition_at_most": (
        {"n": 1},
        MONTHLY + "select {{ hints(rebalance('month')) }} * from {{ ref('facts') }}",
        MONTHLY + "select {{ hints(repartition(3)) }} * from {{ ref('facts') }}",
        "found: 3 files in month=2024-01-01; 3 files in month=2024-02-01",
    ),
    "stats_present": (
        {"columns": ["id"]},
        "select * from {{ ref('facts') }}",
        "{{ config(tblproperties={'delta.dataSkippingNumIndexedCols': '0'}) }} select * from {{ ref('facts') }}",
        "needed: row counts, least and greatest values of id in every file",
    ),
}


def entry_of(name: str, test: str, arguments: dict[str, object]) -> dict[str, object]:
    """A model's entry in a yml."""
    given = {"arguments": arguments} if arguments else {}
    return {"name": name, "data_tests": [{test: {"name": f"{name}_test", **given}}]}


def files() -> dict[str, str]:
    """The project: facts and dims, and a pair of models a test."""
    entries = []
    made = {
        "models/dims.sql": TABLE + "select id as zone_id, concat('zone ', id) as zone from range(100)",
        "models/facts.sql": TABLE
        + "select id, id % 100 as zone_id, add_months(date'2024-01-01', cast(id % 3 as int)) as month, "
        + "cast(id % 50 as decimal(12, 2)) as amount from range(3000)",
    }
    for test, (arguments, good, bad, _) in PAIRS.items():
        for letter, text in (("a", good), ("b", bad)):
            made[f"models/pairs/{letter}_{test}.sql"] = TABLE + text
            entries.append(entry_of(f"{letter}_{test}", test, arguments))
    made["models/pairs/pairs.yml"] = yaml.safe_dump({"models": entries})
    # Each of its hooks runs jobs of its own after the model's.
    months = "create or replace table small.months using delta as select distinct month from {{ this }}"
    hooks = ["{{ compact() }}", months]
    hooked = f"{{{{ config(materialized='table', partition_by='month', post_hook={hooks}) }}}}\n"
    made["models/hooked.sql"] = hooked + "select {{ hints(repartition(3)) }} * from {{ ref('facts') }}"
    view = "{{ config(materialized='view') }}" + NO_CHANCE + JOIN % "{{ hints(broadcast('dims')) }}" + KEYED
    made["models/views/seen.sql"] = view
    made["models/views/through.sql"] = (
        NO_CHANCE + TABLE + JOIN.replace("facts')", "seen')") % "" + "facts.zone = dims.zone"
    )
    made["models/views/stepwise.sql"] = (
        "{{ config(materialized='incremental', incremental_strategy='append') }}\n"
        "select month, count(*) as n from {{ ref('facts') }} group by month"
    )
    made["models/views/python.py"] = (
        "def model(dbt, session):\n    dbt.config(materialized='table')\n"
        "    return dbt.ref('facts').groupBy('month').count()\n"
    )
    made["models/views/views.yml"] = yaml.safe_dump(
        {
            "models": [
                entry_of("seen", "plan_broadcasts", {"side": "dims"}),
                entry_of("through", "plan_broadcasts", {"side": "facts"}),
                entry_of("stepwise", "plan_exchanges_at_most", {"n": 1}),
                entry_of("python", "plan_exchanges_at_most", {"n": 0}),
            ]
        }
    )
    return made


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The project on a server, with the checkout's macros and tests of plans."""
    project = small_project(tmp_path_factory.mktemp("planned"), files(), {"keep_plans": True}, host=host)
    for part in ("macros", "tests/data/generic"):
        shutil.copytree(ROOT / part, project.root / part)
    shutil.rmtree(project.root / "macros" / "schemas")
    settings = project.root / "dbt_project.yml"
    settings.write_text(settings.read_text() + "test-paths: [tests/data]\n")
    return project


def results(project: Project) -> dict[str, str]:
    """Each test's and model's status in the last run, by name."""
    found = json.loads((project.root / "target" / "run_results.json").read_text())["results"]
    return {item["unique_id"].split(".")[2]: item["status"] for item in found}


@pytest.fixture(scope="module")
def built(planned: Project) -> subprocess.CompletedProcess[str]:
    """One build of every pair: what it printed."""
    done = planned.dbt("build", "--exclude", "views")
    (planned.root / "statuses.json").write_text(json.dumps(results(planned)))
    return done


@pytest.mark.parametrize("test", PAIRS)
def test_a_test_holds_for_one_model_and_fails_for_its_twin(
    planned: Project, built: subprocess.CompletedProcess[str], test: str
) -> None:
    """Its exit code is a failure's, and the twin's message names what Spark did."""
    assert built.returncode == 1
    failures = [line for line in built.stdout.splitlines() if f" {test}: needed: " in line]
    statuses = json.loads((planned.root / "statuses.json").read_text())
    assert statuses[f"a_{test}_test"] == "pass", built.stdout
    assert statuses[f"b_{test}_test"] == "fail", built.stdout
    assert len(failures) == 1, built.stdout
    assert PAIRS[test][3] in failures[0]
    assert " do: " in failures[0]


def test_views_increments_and_python_models_have_plans(
    planned: Project, built: subprocess.CompletedProcess[str]
) -> None:
    """A view is explained as it stands; a Python model's grouping is one exchange too many; twice over."""
    done = [planned.dbt("build", "--select", "views") for _ in range(2)][-1]
    assert results(planned) == {
        "seen": "success",
        "through": "success",
        "stepwise": "success",
        "python": "success",
        "seen_test": "pass",
        "through_test": "fail",
        "stepwise_test": "pass",
        "python_test": "fail",
    }, done.stdout
    assert "found: 1 in the plan that ran: hash(month)" in done.stdout
    assert re.search(r"plan_broadcasts: .*`facts`.*found: SortMergeJoin LeftOuter on zone = zone", done.stdout)
    written = plan_store.read(planned.root / "target", "model.small.python")
    assert written and written.executed and written.executed.stages
    assert queries.scans(written.plan)[0].table == "small.facts"  # type: ignore[arg-type]


def test_the_plan_is_the_models_and_not_its_hooks(planned: Project, built: subprocess.CompletedProcess[str]) -> None:
    """Hooks that compact and make another table run later, with jobs of their own."""
    assert len(planned.sql("select * from small.months")) == 3
    written = plan_store.read(planned.root / "target", "model.small.hooked")
    assert written and written.executed, built.stdout
    assert queries.scans(written.plan)[0].table == "small.facts"  # type: ignore[arg-type]
    assert "RoundRobinPartitioning(3)" in written.executed.plan


def test_a_plan_of_older_code_fails(planned: Project, built: subprocess.CompletedProcess[str]) -> None:
    """Also when only a macro changed; the message says what to type, and that repairs it."""
    hint = planned.root / "macros" / "joins" / "hints.sql"
    with edited(hint, hint.read_text().replace("{%- set", "{#- another -#}\n    {%- set", 1)):
        done = planned.dbt("test", "--select", "a_plan_broadcasts")
        assert done.returncode == 1
        assert "found: one of older code. do: dbt run --select a_plan_broadcasts" in done.stdout
        assert planned.dbt("build", "--select", "a_plan_broadcasts").returncode == 0
    planned.dbt("run", "--select", "a_plan_broadcasts")
    assert planned.dbt("test", "--select", "a_plan_broadcasts").returncode == 0


def test_a_plan_that_is_not_there_fails(planned: Project, built: subprocess.CompletedProcess[str]) -> None:
    """As after `dbt clean`."""
    shutil.move(planned.root / "target" / "plans", planned.root / "moved")
    done = planned.dbt("test", "--select", "a_plan_broadcasts")
    shutil.move(planned.root / "moved", planned.root / "target" / "plans")
    assert done.returncode == 1
    assert "found: none in target/plans. do: dbt run --select a_plan_broadcasts" in done.stdout


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        ("/*+ broadcast(dim) */", "found: `dim`; this select has `facts`, `dims`. do: name one of these aliases"),
        ("/*+ brodcast(dims) */", "needed: a hint that Spark has, in a_plan_broadcasts. found: brodcast"),
    ],
)
def test_a_hint_that_spark_would_ignore_is_refused_before_anything_is_sent(
    planned: Project, built: subprocess.CompletedProcess[str], hint: str, words: str
) -> None:
    """Typed by hand or by a macro alike; the table stays."""
    model = planned.root / "models" / "pairs" / "a_plan_broadcasts.sql"
    before = planned.sql("describe history small.a_plan_broadcasts")[0][0]
    with edited(model, model.read_text().replace("{{ hints(broadcast('dims')) }}", hint)):
        done = planned.dbt("run", "--select", "a_plan_broadcasts")
    assert done.returncode == 1
    assert words in done.stdout
    assert planned.sql("describe history small.a_plan_broadcasts")[0][0] == before


BAD = [
    (
        "plan_broadcasts",
        {"side": 5},
        "as an alias of the query or a table it reads. found: 5",
    ),
    ("plan_broadcasts", {"side": "nobody"}, "needed: `nobody` as a side of a join in a_plan_broadcasts. found: sides"),
    (
        "plan_exchanges_at_most",
        {"n": -1},
        "as a whole number of at least 0. found: -1",
    ),
    ("plan_exchanges_at_most", {"n": "two"}, "found: 'two'"),
    ("plan_reads_columns_at_most", {"n": 0}, "a whole number of at least 1. found: 0"),
    ("plan_reads_columns_at_most", {"n": 1, "table": "nobody"}, "needed: a scan of nobody in a_plan_broadcasts"),
    ("plan_prunes_partitions", {"column": "nobody", "value": 1}, "nobody"),
    (
        "file_sizes_between",
        {"min": 2, "max": 1},
        "above its min. found: min 2 and max 1",
    ),
    ("file_sizes_between", {"min": True, "max": 1}, "a number of MB, at least 0. found: True"),
    ("files_per_partition_at_most", {"n": 1.5}, "a whole number of at least 1. found: 1.5"),
    ("stats_present", {"columns": "id"}, "a list of columns. found: 'id'"),
]


def test_bad_arguments_are_refused_by_name(planned: Project, built: subprocess.CompletedProcess[str]) -> None:
    """Every one in a run of its own test: an error or failure, with its words."""
    name = "a_plan_broadcasts"
    tests = [{test: {"name": f"bad_{place}", "arguments": given}} for place, (test, given, _) in enumerate(BAD)]
    entry = yaml.safe_dump({"models": [{"name": name, "data_tests": tests}]})
    yml = planned.root / "models" / "pairs" / "pairs.yml"
    kept_yml = yaml.safe_load(yml.read_text())
    rest = yaml.safe_dump({"models": [item for item in kept_yml["models"] if item["name"] != name]})
    with edited(yml, rest), edited(planned.root / "models" / "bad.yml", entry):
        done = planned.dbt("test", "--select", name)
        statuses = results(planned)
    for place, (_, _, words) in enumerate(BAD):
        assert statuses[f"bad_{place}"] in ("error", "fail"), done.stdout
        assert words in done.stdout


def test_a_slow_explain_is_cancelled_and_the_model_runs(
    tmp_path_factory: pytest.TempPathFactory, host: Project
) -> None:
    """The log names the model and the setting, and the stored plan is the executed one."""
    levels = ["l0 as (select id from range(4))"]
    levels += [f"l{i} as (select a.id from l{i - 1} as a union all select id + 1 from l{i - 1})" for i in range(1, 9)]
    files = {"models/deep.sql": f"{TABLE}with {', '.join(levels)} select count(*) as n from l8"}
    profile = {"keep_plans": True, "explain_seconds": 0.05}
    project = small_project(tmp_path_factory.mktemp("deep"), files, profile, host=host)
    done = project.dbt("run")
    assert done.returncode == 0, done.stdout
    assert "deep: EXPLAIN was cancelled after 0.05 s (explain_seconds in profiles.yml)" in done.stdout
    assert project.sql("select n from small.deep") == [(1024,)]
    captured = plan_store.read(project.root / "target", "model.small.deep")
    assert captured and not captured.explained and captured.executed
