"""Compare a model written with RDDs with the same model in SQL: revenue by hour and zone from the same table.

The benchmark builds a project with a synthetic lake once. Then it fully refreshes `hourly_zone_revenue` and
`hourly_revenue_rdd` in turns. The figures are the median seconds that dbt reports for each model. The seconds of the
RDD model include the start of its spark-submit driver. That start is also measured alone, by running the same model on
an empty table.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from bench.projects import NO_TESTS, Project
from bench.report import Report

PAGES = ()
SQL, RDD = "hourly_zone_revenue", "hourly_revenue_rdd"
MEMORY = "3g"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)


def refresh(project: Project, model: str) -> float:
    """Refresh a model fully, and return the seconds that dbt reports for the model."""
    project.run("dbt", "run", "--select", model, "--full-refresh")
    (result,) = (item for item in project.results() if item["unique_id"].endswith(f".{model}"))
    return float(result["execution_time"])


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Build once, then refresh both models in turns."""
    with Project(folder / "project", MEMORY) as project:
        project.run("penstock", "sample", "--rows", str(options.rows))
        project.run("dbt", "build", "--select", f"+{SQL}", *NO_TESTS)
        seconds: dict[str, list[float]] = {SQL: [], RDD: []}
        for _ in range(options.rounds):
            for model, taken in seconds.items():
                taken.append(refresh(project, model))
        trips = int(project.query("select count(*) from warehouse.fct_trips")[0][0])
        project.query("delete from warehouse.fct_trips")
        start = refresh(project, RDD)
    sql, rdd = (statistics.median(seconds[name]) for name in (SQL, RDD))
    return Report(
        [
            f"{trips:,} trips: SQL {sql:.1f} s, RDD {rdd:.1f} s, of them {start:.1f} s to start its driver",
            f"RDD / SQL: {rdd / sql:.1f}; without the start: {(rdd - start) / sql:.1f}",
        ]
    )
