"""`dbt snapshot` keeps what a zone was called, `dbt source freshness` asks the lake's manifest."""

from __future__ import annotations

from projects import Project, edited

SNAPSHOT = ("build", "--select", "zones", "dim_zones", "zones_history", "--exclude-resource-type", "test")
VERSIONS = "select zone, dbt_valid_to is null from warehouse.zones_history where zone_id = 1 order by dbt_valid_from"


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
    """Fresh by the project's own limits; stale, with an exit code, by shorter ones."""
    fresh = sampled.dbt("source", "freshness")
    assert fresh.returncode == 0, fresh.stdout
    assert fresh.stdout.count("PASS freshness of lake.") == 3
    sources = sampled.root / "models" / "staging" / "_sources.yml"
    text = sources.read_text()
    assert "{count: 45, period: day}" in text and "{count: 90, period: day}" in text
    with edited(sources, text.replace("{count: 45, period: day}", "{count: 1, period: minute}")):
        warned = sampled.dbt("source", "freshness")
        assert warned.returncode == 0 and warned.stdout.count("WARN freshness of lake.") == 3, warned.stdout
    with edited(sources, text.replace("{count: 90, period: day}", "{count: 1, period: minute}")):
        stale = sampled.dbt("source", "freshness", "--select", "source:lake.green")
        assert stale.returncode == 1 and "ERROR STALE freshness of lake.green" in stale.stdout, stale.stdout
