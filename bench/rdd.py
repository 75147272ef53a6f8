"""The RDD way beside SQL: the same revenue by hour and zone, from the same table, in turns, as a ratio.

    .venv/bin/python bench/rdd.py [--rows 2000000] [--rounds 3]

A project with a made lake is built once; then `hourly_zone_revenue` and `hourly_revenue_rdd` are made anew
in turns. Printed are medians of the seconds that dbt says each model took. Those of the RDD model hold the
start of a driver of its own, which is measured alone by the same model over an empty table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from projects import Project, make_project

from penstock.spark.server import control

SQL, RDD = "hourly_zone_revenue", "hourly_revenue_rdd"


def seconds(project: Project, model: str) -> float:
    """Make a model anew; how long dbt says it took."""
    done = project.dbt("run", "--select", model, "--full-refresh")
    if done.returncode:
        sys.exit(done.stdout[-3000:])
    (result,) = (
        item
        for item in json.loads((project.root / "target" / "run_results.json").read_text())["results"]
        if item["unique_id"].endswith(f".{model}")
    )
    return float(result["execution_time"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project", java_options=[])
        try:
            for command in (("penstock", "sample", "--rows", str(asked.rows)), ("dbt", "build", "--select", f"+{SQL}")):
                more = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
                done = project.program(*command, *(more if command[0] == "dbt" else ()))
                if done.returncode:
                    sys.exit(done.stdout[-3000:])
            taken: dict[str, list[float]] = {SQL: [], RDD: []}
            for _ in range(asked.rounds):
                for model, found in taken.items():
                    found.append(seconds(project, model))
            trips = int(project.sql("select count(*) from warehouse.fct_trips")[0][0])
            project.sql("delete from warehouse.fct_trips")
            start = seconds(project, RDD)
        finally:
            control.down(project.settings)
    sql, rdd = (statistics.median(taken[name]) for name in (SQL, RDD))
    print(f"{trips:,} trips: SQL {sql:.1f} s, RDD {rdd:.1f} s, of them {start:.1f} s to start its driver")
    print(f"RDD / SQL: {rdd / sql:.1f}; without the start: {(rdd - start) / sql:.1f}")


if __name__ == "__main__":
    main()
