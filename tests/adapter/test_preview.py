"""`penstock preview` on a real server, in a project without a lake or interval models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import Project, edited, small_project

JOINED = """
    {{{{ config(materialized='table', partition_by='month') }}}}
    select /*+ {hint} */ t.id, t.month, z.zone
    from {{{{ ref('trips') }}}} t left join {{{{ ref('named') }}}} z on t.zone_id = z.zone_id
    where {where}
"""
MODELS = {
    "trips.sql": """
        {{ config(materialized='table', partition_by='month') }}
        select id, cast(id % 300 as int) as zone_id, cast(id % 3 as int) as month from range(2000)
    """,
    "zones.sql": """
        {{ config(materialized='table') }}
        select cast(id as int) as zone_id, concat('zone ', id) as zone from range(300)
    """,
    "named.sql": "{{ config(materialized='view') }} select zone_id, zone from {{ ref('zones') }}",
    "joined.sql": JOINED.format(hint="broadcast(z)", where="t.month = 1"),
    "collected.sql": "{{ config(materialized='incremental') }} select id, zone from {{ ref('joined') }}",
    "snake.py": """
def model(dbt, session):
    dbt.config(materialized="table")
    return dbt.ref("joined").filter("id < 10")
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The small project, run once. Its artifacts are also in the folder `state`."""
    files = {f"models/{name}": text for name, text in MODELS.items()}
    # A busy machine may need more than the ten seconds that EXPLAIN has by default.
    profile = {"keep_plans": True, "explain_seconds": 120}
    made = small_project(tmp_path_factory.mktemp("preview") / "small", files, profile, host=host)
    done = made.dbt("run")
    assert done.returncode == 0, done.stdout[-3000:]
    (made.root / "state").mkdir()
    shutil.copy(made.root / "target" / "manifest.json", made.root / "state")
    return made


def preview(project: Project, *arguments: str) -> dict[str, Any]:
    """Return the JSON of a preview, with the nodes by name."""
    done = project.penstock("preview", *arguments, "--json")
    assert done.returncode == 0, done.stdout[-3000:]
    data: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return {**data, "nodes": {node["name"]: node for node in data["nodes"]}}


def versions(project: Project) -> dict[str, int]:
    """Return the newest Delta version of each table."""
    names = ("trips", "zones", "joined", "collected", "snake")
    return {name: int(project.sql(f"describe history small.{name} limit 1")[0][0]) for name in names}


def test_nothing_has_changed(project: Project) -> None:
    before = versions(project)
    data = preview(project)
    nodes = data["nodes"]
    assert {name: node["action"] for name, node in nodes.items() if name != "named"} == {
        **dict.fromkeys(("trips", "zones", "joined", "snake"), "rebuild"),
        "collected": "add rows",
    }
    assert set(data["kinds"]) == {"rebuild"}
    assert nodes["joined"]["code"] == "unchanged" and nodes["joined"]["plan"] == ""
    assert nodes["trips"]["expected"]["rows"]["median"] == 2000
    assert nodes["trips"]["expected"]["bytes"]["median"] > 0
    assert nodes["snake"]["inputs"] == ["small.joined"]
    assert nodes["snake"]["notes"] == ["plan unknown until it runs"]
    assert versions(project) == before


def test_a_changed_hint_and_filter(project: Project) -> None:
    """The join, its shuffles and the lost pruning are found in the plan, although a view is between the tables."""
    changed = JOINED.format(hint="merge(z)", where="t.id >= 0")
    with edited(project.root / "models" / "joined.sql", changed):
        data = preview(project)
        failed = project.penstock("preview", "--select", "joined", "--fail-on", "new", "join")
    joined = data["nodes"]["joined"]
    assert (joined["code"], joined["plan"]) == ("changed", "changed")
    kinds = [change["kind"] for change in joined["plan_changes"]]
    assert set(kinds) == {"join", "exchange", "pruning"} and kinds.count("exchange") == 2
    join = joined["plan_changes"][0]
    assert "`t` (small.trips)" in join["subject"] and "`z` (small.zones)" in join["subject"]
    assert join["before"].startswith("broadcast hash join") and join["after"].startswith("sort-merge join")
    assert data["nodes"]["collected"]["downstream_of"] == data["nodes"]["snake"]["downstream_of"] == ["joined"]
    assert failed.returncode == 1
    assert "--fail-on found join: joined" in failed.stdout
    assert "not selected, but downstream of a changed model: collected, snake" in failed.stdout


def test_the_new_code_of_a_view_is_in_the_plan(project: Project) -> None:
    """The view still has its old query in Spark; the run would replace it first."""
    view = "{{ config(materialized='view') }} select zone_id, max(zone) as zone from {{ ref('zones') }} group by 1"
    with edited(project.root / "models" / "named.sql", view):
        joined = preview(project, "--select", "named", "joined")["nodes"]["joined"]
    assert joined["code"] == "changed" and joined["notes"] == []
    assert "small.zones, for aggregate" in " ".join(change["after"] for change in joined["plan_changes"])


def test_a_hint_that_spark_would_ignore(project: Project) -> None:
    with edited(project.root / "models" / "joined.sql", JOINED.format(hint="broadcast(zone)", where="t.month = 1")):
        joined = preview(project, "--select", "joined")["nodes"]["joined"]
    assert joined["kinds"] == ["changed", "rebuild", "hint"]
    assert "`zone` is no side of the join" in joined["plan_changes"][0]["after"]


def test_new_models(project: Project) -> None:
    """A model over a table that does not exist yet can't be explained; the preview says so."""
    first = project.root / "models" / "first.sql"
    second = project.root / "models" / "second.sql"
    with (
        edited(first, "{{ config(materialized='table') }} select id from {{ ref('trips') }}"),
        edited(second, "{{ config(materialized='table') }} select id from {{ ref('first') }}"),
    ):
        nodes = preview(project, "--select", "first+")["nodes"]
        against_state = preview(project, "--state", "state")
    assert [(node["name"], node["code"], node["action"], node["plan"]) for node in nodes.values()] == [
        ("first", "new", "create", "new"),
        ("second", "new", "create", "not compared"),
    ]
    assert nodes["second"]["notes"] == ["its plan is unknown: small.first does not exist yet"]
    assert nodes["first"]["expected"] == {"rows": None, "bytes": None, "seconds": None}
    assert against_state["kinds"]["new"] == ["first", "second"]
    assert "changed" not in against_state["kinds"] and against_state["compared_with"] == "state"


def test_a_model_that_dbt_or_spark_can_not_compile(project: Project) -> None:
    """The other models are still compared."""
    with (
        edited(
            project.root / "models" / "uncompiled.sql", "{{ config(materialized='table') }} select {{ no_macro() }}"
        ),
        edited(
            project.root / "models" / "broken.sql",
            "{{ config(materialized='table') }} select x from {{ ref('trips') }}",
        ),
    ):
        nodes = preview(project)["nodes"]
    assert "dbt can't compile it now" in nodes["uncompiled"]["notes"][0]
    assert "UNRESOLVED_COLUMN" in nodes["broken"]["notes"][0]
    assert nodes["joined"]["code"] == "unchanged"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--select", "nothing_here"), ("found: `--select nothing_here`, which matches none",)),
        (("--state", "models"), ("needed: a manifest.json in the folder of --state", "found: none in models")),
        (("--target", "nowhere"), ("needed: a target of profiles.yml", "`nowhere`; known: dev")),
        (("--fail-on", "joins"), ("needed: a kind of change for --fail-on",)),
    ],
)
def test_bad_input_is_one_error_of_three_parts(
    project: Project, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    done = project.penstock("preview", *arguments)
    assert done.returncode == 1
    for part in (*parts, "do:"):
        assert part in " ".join(done.stdout.split()), done.stdout


def test_a_project_that_does_not_parse(project: Project) -> None:
    with edited(project.root / "models" / "bad.sql", "{{ config(materialized='table') }} select {% if %}"):
        done = project.penstock("preview")
    assert done.returncode == 1 and "needed: a dbt project that can be parsed" in done.stdout


def test_a_folder_without_a_project(project: Project, tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("version: 1\n")
    done = Project(tmp_path).penstock("preview")
    assert done.returncode == 1 and "no dbt_project.yml" in done.stdout


def test_a_server_that_can_not_start(project: Project, tmp_path: Path) -> None:
    shutil.copytree(project.root, tmp_path / "copy", ignore=shutil.ignore_patterns("target", "logs", ".penstock"))
    (tmp_path / "copy" / "penstock.yml").write_text("version: 1\nserver: {java_home: /nowhere}\n")
    done = Project(tmp_path / "copy").penstock("preview")
    assert done.returncode == 1
    assert "needed:" in done.stdout and "found:" in done.stdout and "do:" in done.stdout
