"""Measure the main job on this machine: the first run, a build on a warm server, and landing a large file.

The benchmark runs on a copy of the project with its own server. The figures are wall seconds and peak memory (MB) of
whole processes. There is no ratio, because no other tool does the same job.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from bench.measure import run_command
from bench.projects import copy_project, sample_command
from bench.report import MB, Report

PAGES = ()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--rows", type=int, default=20_000_000, help="rows of the file that is landed; 0: no file")
    parser.add_argument("--builds", type=int, default=5, help="warm builds")


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Run the quickstart, the builds and the landing, and print each figure when it is known."""
    copy_project(folder)
    try:
        first = run_command(("penstock", "quickstart"), folder).wall
        print(f"penstock quickstart, nothing there but the environment  {first:7.1f} s", flush=True)
        builds = [run_command(("dbt", "build"), folder).wall for _ in range(options.builds)]
        each = ", ".join(f"{seconds:.1f}" for seconds in builds)
        print(f"dbt build on the sample, warm: median of {each}  {statistics.median(builds):7.1f} s", flush=True)
    finally:
        run_command(("penstock", "down"), folder)
    if options.rows:
        landing = run_command(sample_command("2030-01", options.rows, ["yellow"]), folder)
        print(f"making and landing {options.rows:,} rows: {landing.wall:.0f} s, peak {landing.peak / MB:.0f} MB")
    return Report([])
