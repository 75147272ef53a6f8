"""Measure what the records of a run and the plans before each model cost a whole build.

    .venv/bin/python bench/run.py records [--rounds 4] [--write-docs]

The benchmark builds a copy of this project fully, again and again, on one warm server. The builds take turns: as
shipped, without records of the run (`runs.keep: 0`), and without EXPLAIN before each model (`explain_seconds: 0`). The
figures are medians of CPU seconds, because other work on the machine hardly changes them.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from bench.projects import CORES, Cost, Project, write_settings
from bench.report import DOCS, Page, Report, format_rows, table, versions

PAGES = (Page(DOCS / "reference" / "run-records.md", "made by bench/records.py", ("",)),)
MEMORY = "3g"
BUILD = ("dbt", "build", "--full-refresh")
SHIPPED = "as shipped"
# By name: the section `runs` of penstock.yml, and a line of the target in profiles.yml.
VARIANTS = {
    SHIPPED: ({}, ""),
    "without run records": ({"runs": {"keep": 0}}, ""),
    "without EXPLAIN": ({}, "      explain_seconds: 0\n"),
}
# The line of the target below which another line is added.
THREADS = "      threads: 3\n"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--rows", type=int, default=160_000)
    parser.add_argument("--rounds", type=int, default=4)


def configure(project: Project, profile: str, variant: str) -> None:
    """Write the settings of a variant. They don't change the server."""
    settings, line = VARIANTS[variant]
    write_settings(project.folder, MEMORY, **settings)
    (project.folder / "profiles" / "profiles.yml").write_text(profile.replace(THREADS, THREADS + line, 1))


def turns(rounds: int) -> list[str]:
    """Return the variants in the order in which they run. Each round begins with another one.

    A server gets faster with each build. A fixed order would count this for the variant that runs last.
    """
    names = list(VARIANTS)
    return [names[(number + place) % len(names)] for number in range(rounds) for place in range(len(names))]


def rows(costs: dict[str, Sequence[Cost]]) -> list[list[str]]:
    """Return a row for each variant: medians, and the CPU seconds beside those of the build as shipped."""

    def cpu(name: str) -> float:
        return statistics.median(cost.spark + cost.client for cost in costs[name])

    return [
        [
            name,
            f"{statistics.median(cost.spark for cost in costs[name]):.1f}",
            f"{statistics.median(cost.client for cost in costs[name]):.1f}",
            f"{cpu(name) / cpu(SHIPPED):.3f}",
            f"{statistics.median(cost.wall for cost in costs[name]):.1f}",
        ]
        for name in VARIANTS
    ]


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Build twice to warm the server up, then build each variant in each round."""
    costs: dict[str, list[Cost]] = {name: [] for name in VARIANTS}
    with Project(folder / "project", MEMORY) as project:
        profile = (project.folder / "profiles" / "profiles.yml").read_text()
        project.run("penstock", "sample", "--rows", str(options.rows))
        for _ in range(2):
            project.run(*BUILD)
        for variant in turns(options.rounds):
            configure(project, profile, variant)
            cost = project.run(*BUILD)
            costs[variant].append(cost)
            print(f"{variant}: {cost.spark:.1f} + {cost.client:.1f} CPU s, {cost.wall:.1f} s", flush=True)
    heads = ["full build", "Spark's CPU s", "dbt's CPU s", "ratio", "wall s"]
    lines = table(heads, rows(dict(costs)))
    about = (
        f"`dbt build --full-refresh` of this project with {format_rows(options.rows)} rows on a warm server, "
        f"{CORES} cores. Medians of {options.rounds} rounds; {versions()}."
    )
    return Report(lines, {"": ["", about, "", *lines, ""]})
