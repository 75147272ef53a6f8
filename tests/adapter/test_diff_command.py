"""The command `penstock diff`: exit codes, output and errors; interval models of two targets."""

from __future__ import annotations

import json
import shutil
from datetime import date
from typing import Any

import pytest
import yaml

from penstock.intervals.grain import GRAINS, MONTH
from tests.adapter.diff_tables import STATEMENTS
from tests.adapter.intervals_project import ORDINARY, Rides
from tests.support.projects import Project, small_project

TARGET = {"type": "penstock", "threads": 1, "keep_plans": False}
# Nothing listens at this port.
NOWHERE = {"host": "127.0.0.1", "port": 1}
OUTPUTS = {
    "dev": {**TARGET, "schema": "small"},
    "prod": {**TARGET, "schema": "prod"},
    "same_schema": {**TARGET, "schema": "small"},
    "far": {**TARGET, "schema": "small", **NOWHERE},
    "far_prod": {**TARGET, "schema": "prod", **NOWHERE},
}
INCREMENTAL = "{{ config(materialized='incremental', unique_key='id') }} select 1 as id"
TABLE = "{{ config(materialized='table') }} select 1 as id"
FILES = {
    "profiles.yml": yaml.safe_dump({"small": {"target": "dev", "outputs": OUTPUTS}}),
    "models/items.sql": INCREMENTAL,
    "models/same.sql": TABLE,
    "models/unbuilt.sql": TABLE,
    "models/fresh.sql": TABLE,
    "models/versions.sql": INCREMENTAL,
    "models/seen.sql": "{{ config(materialized='view') }} select 1 as id",
}


@pytest.fixture(scope="module")
def project(host: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = small_project(tmp_path_factory.mktemp("diff_command"), FILES, host=host)
    for statement in STATEMENTS:
        made.sql(statement)
    return made


def diff(project: Project, *arguments: str, code: int) -> str:
    """Run the command, which must end with an exit code, and return its output."""
    done = project.penstock("diff", *arguments)
    assert done.returncode == code, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


def document(text: str) -> dict[str, Any]:
    """Return the JSON document in a command's output, which also has lines about progress."""
    loaded: dict[str, Any] = json.loads(text[text.index("{") :])
    return loaded


def test_two_targets(project: Project) -> None:
    """A model that was not built here is no difference, a table that only this target has is one."""
    found = document(diff(project, "--against", "prod", "--json", code=1))
    assert (found["before"], found["after"], found["differs"]) == ("target prod", "target dev", True)
    tables = {table["name"]: table for table in found["tables"]}
    statuses = {name: table["status"] for name, table in tables.items()}
    assert statuses == {
        "fresh": "new", "items": "different", "same": "equal", "unbuilt": "not built here", "versions": "new",
    }  # fmt: skip
    assert (tables["items"]["key"], tables["items"]["key_source"]) == (["id"], "unique_key")
    assert tables["items"]["rows"] == {"before": 12, "after": 12, "added": 1, "removed": 1, "changed": 8}
    assert tables["same"]["note"].startswith("no key")


def test_equal_tables_and_markdown(project: Project) -> None:
    text = diff(project, "--against", "prod", "--select", "same unbuilt", "--markdown", code=0)
    assert "### penstock diff: target prod → target dev" in text
    assert "| `same` | 1,000 | 1,000 | equal |" in text
    assert "| `unbuilt` |  |  | not built here |" in text


def test_the_terminal(project: Project) -> None:
    text = diff(project, "--against", "version:-1", "--select", "versions", "--exit-zero", code=0)
    assert "version -1 → target dev" in text
    assert "versions            3           4  1 added" in text
    assert "    id=7" in text


ERRORS = {
    "an unknown target": (("--against", "nowhere"), "found: `nowhere`; other targets: far, far_prod"),
    "the same target": (("--against", "dev"), "needed: another target than the current one"),
    "another server": (("--against", "far_prod"), "`dev` uses this machine, `far_prod` uses 127.0.0.1:1"),
    "the same tables": (("--against", "same_schema", "-s", "same"), "the same tables in both: same"),
    "a server that is down": (("--target", "far", "--against", "far_prod"), "needed: a session on target far"),
    "no such node": (("--against", "prod", "-s", "nothing"), "needed: a model, seed or snapshot to compare"),
    "nothing built": (("--against", "prod", "-s", "unbuilt"), "needed: built tables of `dev`"),
    "no such version": (("--against", "version:9", "-s", "versions"), "found: it has the versions 0 to 2"),
    "no version": (("--against", "version:x"), "needed: a target of profiles.yml, version:N"),
    "no such key": (("--against", "prod", "-s", "items", "--key", "zone"), "found: no zone"),
    "a share above 1": (("--against", "prod", "--sample", "2"), "needed: a share above 0 and at most 1"),
    "two formats": (("--against", "prod", "--json", "--markdown"), "needed: one of --json and --markdown"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_has_three_parts(project: Project, case: str) -> None:
    arguments, text = ERRORS[case]
    output = diff(project, *arguments, code=2)
    assert text in " ".join(output.split())
    assert all(f"{part}:" in output for part in ("needed", "found", "do"))


def skipped(rides: Rides, *arguments: str, code: int) -> dict[str, tuple[str, str, int]]:
    """Return the status, the skipped intervals and the number of changed rows of each model."""
    tables = document(diff(rides.project, "--json", *arguments, code=code))["tables"]
    return {
        table["name"]: (table["status"], table["skipped_intervals"]["which"], table["rows"]["changed"])
        for table in tables
    }


def test_interval_models(rides: Rides) -> None:
    """Equal intervals are skipped, unless another program changed a table after they were built."""
    shutil.copytree(rides.project.root / "target", rides.project.root / "artifacts", dirs_exist_ok=True)
    rides.sql("drop schema if exists other cascade")
    rides.dbt("run", "--select", "totals", "--target", "other", "--defer", "--state", "artifacts")
    months = "2024-01..2024-03" if len(rides.lake) == 3 else ""
    against = ("--target", "other", "--against", "dev", "--key", "month,zone_name")
    deferred = skipped(rides, *against, "--select", "totals checked", code=0)
    assert deferred["totals"][0] == "equal" and deferred["totals"][1].startswith(months)
    assert deferred["checked"] == ("not built here", "", 0)

    rides.dbt("build", *ORDINARY, "--target", "other", "--full-refresh")
    models = ("--target", "other", "--against", "dev", "--select", "checked totals daily features")
    built = skipped(rides, *models, code=0)
    assert {name: status for name, (status, _, _) in built.items()} == dict.fromkeys(built, "equal")
    assert all(which for _, which, _ in built.values())

    month = sorted(rides.lake)[1]
    rides.sql(f"update other.totals set fare = fare + 0.01 where month = date'{month}-01'")
    changed = skipped(rides, *against, "--select", "totals", code=1)
    assert changed == {"totals": ("different", "", 2)}
    last = sorted(rides.lake)[-1]
    start = date.fromisoformat(f"{last}-01")
    end = GRAINS[MONTH].following(start)
    rides.dbt(
        *("run", "--select", "totals", "--target", "other"),
        *("--event-time-start", start.isoformat(), "--event-time-end", end.isoformat()),
    )
    after_build = skipped(rides, *against, "--select", "totals", code=1)
    assert after_build == {"totals": ("different", last, 2)}
    rides.sql("drop schema other cascade")
