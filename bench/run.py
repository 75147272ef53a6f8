"""Run one benchmark.

    .venv/bin/python bench/run.py NAME [options]     # make bench NAME=…
    .venv/bin/python bench/run.py NAME --help

Every benchmark is a module with `add_options` and `measure`. This runner parses the options, gives the benchmark a
temporary folder, and prints the benchmark's report. With --write-docs it also writes the report's blocks into the
benchmark's pages of the docs.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # run as a script: Python puts the script's folder first on the path
    sys.path[0] = str(ROOT)

from bench.report import Page, Report  # noqa: E402

BENCHMARKS = {
    "adapter": ("adapter", "dbt commands by penstock's adapter, beside stock dbt-spark"),
    "against": ("against", "CPU seconds and statements of builds, beside another commit"),
    "batch": ("batch", "one more month, beside dbt's microbatch and a full refresh"),
    "diff": ("diff", "penstock diff of two large tables, beside a full outer join by DuckDB"),
    "duckdb": ("duckdb_peer", "CPU seconds of the SQL models, beside DuckDB"),
    "layout": ("layout", "queries on good and on careless layouts"),
    "main_job": ("main_job", "first run, warm build, landing a large file; no peer"),
    "rdd": ("rdd", "a model by RDDs, beside the same in SQL"),
    "records": ("records", "a full build, beside builds without run records and without EXPLAIN"),
    "scale": ("scale", "the build by rows, workers, months and files; no peer"),
}


class Benchmark(Protocol):
    """A module of this package that measures something.

    The module may have `check_options(parser, options)`, which rejects contradictory options with a usage error.

    Attributes:
        PAGES: the pages of the docs that show the tables; empty if no page does.
    """

    __doc__: str | None
    PAGES: tuple[Page, ...]

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the benchmark's own options."""

    def measure(self, options: argparse.Namespace, folder: Path) -> Report:
        """Measure in a temporary folder and return the report."""


def load_benchmark(name: str) -> Benchmark:
    """Import only this benchmark, because other benchmarks may need packages that aren't installed."""
    return cast(Benchmark, importlib.import_module(f"bench.{BENCHMARKS[name][0]}"))


def parse(arguments: Sequence[str]) -> tuple[Benchmark, argparse.Namespace]:
    """Parse the command line."""
    names = "\n".join(f"  {name:10}{summary}" for name, (_, summary) in BENCHMARKS.items())
    top = argparse.ArgumentParser(
        prog="bench/run.py",
        description="Run one benchmark.",
        epilog=f"benchmarks:\n{names}\n\n`bench/run.py NAME --help` lists the options of one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("name", choices=BENCHMARKS, metavar="NAME")
    name = top.parse_args(arguments[:1]).name
    benchmark = load_benchmark(name)
    parser = argparse.ArgumentParser(
        prog=f"bench/run.py {name}",
        description=benchmark.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    benchmark.add_options(parser)
    if benchmark.PAGES:
        text = f"write the tables into {', '.join(page.path.name for page in benchmark.PAGES)}"
        parser.add_argument("--write-docs", action="store_true", help=text)
    options = parser.parse_args(arguments[1:])
    if check := getattr(benchmark, "check_options", None):
        check(parser, options)
    return benchmark, options


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the docs if requested."""
    benchmark, options = parse(arguments)
    # After SIGTERM a benchmark stops its servers before it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory() as name:
        report = benchmark.measure(options, Path(name).resolve())
    if report.lines:
        print("\n".join(["", *report.lines]), flush=True)
    if benchmark.PAGES and options.write_docs:
        for page in benchmark.PAGES:
            page.write(report)


if __name__ == "__main__":
    main(sys.argv[1:])
