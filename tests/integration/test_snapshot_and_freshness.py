"""`dbt snapshot` keeps what a zone was called, `dbt source freshness` asks the lake's manifest."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.projects import Project, edited

SNAPSHOT = ("build", "--select", "zones", "dim_zones", "zones_history", "--exclude-resource-type", "test")
VERSIONS = "select zone, dbt_valid_to is null from warehouse.zones_history where zone_id = 1 order by dbt_valid_from"
LANDED = "select max(landed_at) from lake.manifest where is_live and dataset = '{}'"


def _limit(project: Project, days: int) -> tuple[Path, str]:
    """The sources' file, and its text when the limit of so many days is none: any age is above it."""
    path = project.root / "models" / "staging" / "_sources.yml"
    limit = f"{{count: {days}, period: day}}"
    text = path.read_text()
    assert limit in text
    return path, text.replace(limit, "{count: 0, period: day}")


def _results(project: Project) -> dict[str, Any]:
    """What dbt wrote of each dataset, by its name."""
    results = json.loads((project.root / "target" / "sources.json").read_text())["results"]
    return {result["unique_id"].rsplit(".", 1)[-1]: result for result in results}


def test_a_renamed_zone_has_two_rows_of_history(sampled: Project) -> None:
    """The old row stays, closed; zones that didn't change have one row."""
    before = sampled.sql(VERSIONS)
    seed = sampled.root / "seeds" / "zones.csv"
    (line,) = [text for text in seed.read_text().splitlines() if text.startswith("1,")]
    name = str(before[-1][0])
    assert name in line
    with edited(seed, seed.read_text().replace(line, line.replace(name, "Elsewhere"))):
        done = sampled.dbt(*SNAPSHOT)
        assert done.returncode == 0, done.stdout
        assert sampled.sql(VERSIONS) == [*((zone, False) for zone, _ in before), ("Elsewhere", True)]
        rows, zones = sampled.sql("select count(*), count(distinct zone_id) from warehouse.zones_history")[0]
        assert (rows, zones) == (265 + len(before), 265)
    assert sampled.dbt(*SNAPSHOT).returncode == 0


def test_freshness_is_that_of_the_newest_landing(sampled: Project) -> None:
    """Fresh by the project's own limits; above them a warning, or an error with an exit code."""
    fresh = sampled.dbt("source", "freshness")
    assert fresh.returncode == 0, fresh.stdout
    results = _results(sampled)
    assert {name: result["status"] for name, result in results.items()} == dict.fromkeys(
        ("green", "yellow", "fhvhv"), "pass"
    )
    for name, result in results.items():
        landed = sampled.sql(LANDED.format(name))[0][0]
        # Both in UTC, the manifest's without saying so.
        assert datetime.fromisoformat(result["max_loaded_at"].replace("Z", "+00:00")).replace(tzinfo=None) == landed
        assert 0 < result["max_loaded_at_time_ago_in_s"] < 86_400
    with edited(*_limit(sampled, 45)):
        warned = sampled.dbt("source", "freshness")
        assert warned.returncode == 0 and warned.stdout.count("WARN freshness of lake.") == 3, warned.stdout
    with edited(*_limit(sampled, 90)):
        stale = sampled.dbt("source", "freshness", "--select", "source:lake.green")
        assert stale.returncode == 1 and "ERROR STALE freshness of lake.green" in stale.stdout, stale.stdout


def test_an_empty_lake_is_named_and_a_landing_is_seen_at_once(project: Project) -> None:
    """Datasets without a month say what to do; docs need no ledger; the lake is synced before it is asked."""
    empty = project.dbt("source", "freshness")
    assert empty.returncode == 1, empty.stdout
    for name in ("green", "yellow", "fhvhv"):
        assert f"needed: a month of {name} in the lake. found: none is live. do: `penstock land {name} " in empty.stdout
    assert "Traceback" not in empty.stdout
    docs = project.dbt("docs", "generate")
    assert docs.returncode == 0, docs.stdout
    manifest = json.loads((project.root / "target" / "manifest.json").read_text())
    assert "source.penstock.batches.batch_runs" in manifest["sources"]
    landed = project.penstock("sample", "--rows", "1000", "--dataset", "green", "--months", "2023-01")
    assert landed.returncode == 0, landed.stdout
    fresh = project.dbt("source", "freshness", "--select", "source:lake.green")
    assert fresh.returncode == 0 and "PASS freshness of lake.green" in fresh.stdout, fresh.stdout
    assert {row[0] for row in project.sql("show schemas")} == {"default", "lake"}, "no model was built"
