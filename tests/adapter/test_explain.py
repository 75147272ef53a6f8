"""`penstock explain` on a real server: what it says of models that ran, of those that didn't, and of mistakes."""

from __future__ import annotations

import json
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support.projects import Project, edited, small_project

MODELS = {
    "trips.sql": """
        {{ config(materialized='table', partition_by='month') }}
        select id, cast(id % 300 as int) as zone_id, id * 2 as amount, cast(id % 3 as int) as month from range(20000)
    """,
    "zones.sql": """
        {{ config(materialized='table') }}
        select cast(id as int) as zone_id, concat('zone ', id) as zone from range(300)
    """,
    "broadcasted.sql": """
        {{ config(materialized='table', partition_by='month') }}
        select /*+ broadcast(z), rebalance(month) */ t.id, t.month, z.zone
        from {{ ref('trips') }} t left join {{ ref('zones') }} z on t.zone_id = z.zone_id
        where t.month = 1
    """,
    "merged.sql": """
        {{ config(materialized='table') }}
        with ranked as (
            select *, row_number() over (partition by zone_id order by amount) as place from {{ ref('trips') }}
        )
        select /*+ merge(zones) */ ranked.id, ranked.place, zones.zone
        from ranked join {{ ref('zones') }} as zones on ranked.zone_id = zones.zone_id
    """,
    "by_size.sql": """
        {{ config(materialized='view') }}
        select t.id, z.zone, row_number() over (order by t.id) as place
        from {{ ref('trips') }} t join {{ ref('zones') }} z on t.zone_id = z.zone_id
    """,
    "never.sql": """
        {{ config(materialized='table', target_file_size_mb=8) }}
        select id from {{ ref('trips') }} cross join {{ ref('zones') }}
    """,
    "badly_laid.sql": "{{ config(materialized='table', target_file_size_mb='x') }} select 1 as id",
    "broken.sql": "{{ config(materialized='table') }} select nothing from {{ ref('trips') }}",
    "uncompiled.sql": "{{ config(materialized='table') }} select {{ no_macro() }}",
    "snake.py": """
def model(dbt, session):
    dbt.config(materialized="table")
    return dbt.ref("trips").filter("month = 2").select("id", "amount")
""",
    "unrun.py": """
def model(dbt, session):
    dbt.config(materialized="table")
    return dbt.ref("trips")
""",
}
RUN = ("trips", "zones", "broadcasted", "merged", "by_size", "snake")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The small project, run once."""
    files = {f"models/{name}": text for name, text in MODELS.items()}
    files["seeds/codes.csv"] = "code\n1\n"
    made = small_project(tmp_path_factory.mktemp("explain") / "small", files, {"keep_plans": True}, host=host)
    done = made.dbt("run", "--select", *RUN)
    assert done.returncode == 0, done.stdout
    return made


def explain(project: Project, *arguments: str, code: int = 0) -> str:
    """What the command prints, in a terminal of 100 columns, its lines as one."""
    done = project.penstock("explain", *arguments, COLUMNS="100")
    assert done.returncode == code, done.stdout
    assert "Traceback" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100 or code or "--plan" in arguments
    return " ".join(done.stdout.split())


def says(text: str, *words: str) -> None:
    """All of these words are in a text."""
    assert [item for item in words if item not in text] == [], text


def test_a_broadcast_join_that_ran(project: Project, tmp_path: Path) -> None:
    html, svg = tmp_path / "plan.html", tmp_path / "plan.svg"
    before = (project.root / "target" / "run_results.json").read_bytes()
    text = explain(project, "broadcasted", "--html", str(html), "--svg", str(svg))
    says(
        text,
        "broadcasted (table): 1 join, 1 exchange, 2 scans, ",
        "the plan that ran at 2",
        "broadcast hash join, left outer, on zone_id = zone_id",
        "right `z` (small.zones): 300 rows,",
        "sent whole to every task",
        "left `t` (small.trips)",
        "gave 6,667 rows",
        "why: the hint broadcast(z)",
        "rebalance month",
        "partition filter: month = 1",
        " 1 of 3 ",
        "3 of 4",
        "files of small.broadcasted as they are now",
        "1 partition by month, 1 file each",
    )
    assert "changed since" not in text
    assert (project.root / "target" / "run_results.json").read_bytes() == before
    drawn = "".join(ET.parse(svg).getroot().itertext())
    says(drawn, "broadcast hash join", "left outer", "zone_id = zone_id", "small.trips", "6,667 rows", "sent whole to")
    page = html.read_text()
    assert ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6]) is not None
    says(page, "why: the hint broadcast(z)", "prefers-color-scheme: dark")
    assert not [word for word in ("<script", "src=", "href=", "@import", "url(") if word in page]


def test_a_merge_join_and_a_window_that_ran(project: Project) -> None:
    text = explain(project, "merged")
    says(
        text,
        "sort-merge join, inner, on zone_id = zone_id",
        "left `ranked` (small.trips): 20,000 rows",
        "right `zones` (small.zones): 300 rows",
        "why: the hint merge(zones)",
        "window",
        "3 stages skew: longest task / median task",
    )


def test_a_python_model_by_its_last_write(project: Project) -> None:
    says(
        explain(project, "snake"),
        "snake (table, Python): no joins",
        "small.trips 3 of 4",
        "partition filter: month = 2",
    )


def test_a_view_is_explained_live_and_a_whole_window_is_warned_of(project: Project) -> None:
    text = explain(project, "by_size")
    says(
        text,
        "the plan that Spark would begin with now: a view runs with its readers",
        "broadcast hash join, inner",
        "is under spark.sql.autoBroadcastJoinThreshold (10.0 MiB)",
        "brings all rows into one task",
    )
    assert "files of" not in text


def test_a_model_that_never_ran(project: Project) -> None:
    text = explain(project, "never")
    says(
        text,
        "now: it has not run",
        "round robin",
        "rebalance",
        "has no condition: every row is paired",
        "without a condition",
    )
    assert not (project.root / "target" / "plans" / "model.small.never.json").exists()


def test_code_that_changed_since_is_said_and_explained_live(project: Project) -> None:
    model = project.root / "models" / "broadcasted.sql"
    with edited(model, MODELS["broadcasted.sql"].replace("broadcast(z)", "merge(z)")):
        says(explain(project, "broadcasted"), "its code changed since", "why: the hint broadcast(z)")
        live = explain(project, "broadcasted", "--live")
        says(live, "now: as --live asks", "sort-merge join, left outer", "why: the hint merge(z)")


def test_the_plan_itself_and_the_facts_for_machines(project: Project) -> None:
    plan = project.penstock("explain", "merged", "--plan")
    assert plan.stdout.startswith("== Physical Plan ==\nAdaptiveSparkPlan")
    facts = json.loads(project.penstock("explain", "small.merged", "--json").stdout)
    assert [join["kind"] for join in facts["joins"]] == ["sort-merge join"]
    assert facts["joins"][0]["left"]["rows"] == 20000
    assert {item["table"]: item["of_columns"] for item in facts["scans"]} == {"small.trips": 4, "small.zones": 2}
    assert facts["has_run"] is True


MISTAKES = {
    "mergd": ("needed: a model of this project", "no `mergd`", "did you mean `merged`"),
    "codes": ("`codes` is a seed",),
    "unrun": ("a Python model has none before", "dbt run --select unrun"),
    "snake --live": ("dbt run --select snake",),
    "broken": ("UNRESOLVED_COLUMN", "`nothing`"),
    "badly_laid": ("target_file_size_mb of model.small.badly_laid", "'x'", "correct target_file_size_mb"),
    "uncompiled": ("the compiled query of uncompiled", "no_macro"),
    "merged --svg /no/such/folder/a.svg": ("a file to write, /no/such/folder/a.svg", "No such file"),
}
# One process for all of them: most of a command's time goes into loading dbt.
EACH = """
import sys
from penstock.cli.main import main
for line in sys.argv[1:]:
    sys.argv = ["penstock", "explain", *line.split()]
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code
    print(f"=== {code}", file=sys.stderr, flush=True)
"""


def test_mistakes(project: Project) -> None:
    done = project._run(sys.executable, "-c", EACH, *MISTAKES)
    *answers, rest = re.split(r"=== (\d)\n", done.stdout)
    assert not rest
    assert len(answers) == 2 * len(MISTAKES), done.stdout
    for text, code, words in zip(answers[::2], answers[1::2], MISTAKES.values(), strict=True):
        assert code == "1", text
        assert "Traceback" not in text
        says(" ".join(text.split()), "needed: ", "found: ", "do: ", *words)


def test_without_a_server_the_kept_plan_is_told_and_nothing_is_started(project: Project, tmp_path: Path) -> None:
    copy = tmp_path / "small"
    shutil.copytree(project.root, copy, ignore=shutil.ignore_patterns("penstock.yml"))
    alone = Project(copy)
    says(explain(alone, "merged"), "why: the hint merge(zones)", "no server is up")
    says(explain(alone, "never", code=1), "a running server, to explain never", "penstock up")
    assert not (copy / ".penstock" / "server.json").exists()
    with edited(copy / "models" / "wrong.yml", "models: ["):
        says(explain(alone, "merged", code=1), "a dbt project that can be parsed", "wrong.yml")
    (copy / "dbt_project.yml").unlink()
    says(explain(alone, "merged", code=1), "needed: a dbt project", "no dbt_project.yml")
