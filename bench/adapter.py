"""penstock's adapter beside stock dbt-spark: one server, one project, one run, as ratios.

    .venv/bin/python bench/adapter.py [--rounds 3] [--only models,statements,seed,crowd]

Both read the same project (Delta tables throughout) on the same warm server, dbt-spark by a profile of
its own with nothing but its required keys, each in schemas of its own, in turns. Printed are medians of
wall seconds of the whole command, their ratio, and where each spends the time: dbt's own work,
statements (their number, and the seconds they took as dbt saw them; several run at once).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from penstock.config.settings import load
from penstock.spark.server import control
from penstock.spark.server.record import Record

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
MODELS, TESTED, SECONDS, SEED_ROWS, CROWD = 20, 40, 6, 100_000, 2_000
COMMANDS = {
    "models": (("build", "--select", "small"), f"{MODELS} small models, {TESTED} tests"),
    "statements": (("run", "--select", "slow", "--threads", "1"), f"5 statements of {SECONDS} s"),
    "seed": (("seed",), f"a seed of {SEED_ROWS:,} rows"),
    "crowd": (("run", "--select", "few"), f"a run beside {CROWD:,} tables of others"),
    "docs": (("docs", "generate", "--select", "few"), f"its docs beside {CROWD:,} tables"),
}


@dataclass(frozen=True)
class Measured:
    """One command: wall seconds, statements sent, and the seconds these took, added up."""

    wall: float
    statements: int
    answered: float


def write_project(folder: Path) -> None:
    """Twenty models (half of them views), forty tests, five slow statements, a large seed, ten models in a crowd."""
    (folder / "models" / "small").mkdir(parents=True)
    tests = []
    for number in range(MODELS):
        kind = "view" if number % 2 else "table"
        below = f"from {{{{ ref('small_{number - 1}') }}}}" if number % 2 else "from range(1000)"
        text = f"{{{{ config(materialized='{kind}') }}}}\nselect id, id * 2 as twice {below}\n"
        (folder / "models" / "small" / f"small_{number}.sql").write_text(text)
        columns = [{"name": "id", "data_tests": ["not_null", "unique"]}]
        tests.append({"name": f"small_{number}", "columns": columns})
    (folder / "models" / "small" / "small.yml").write_text(yaml.safe_dump({"models": tests}))
    for name, count, sql in (
        ("slow", 5, f"select java_method('java.lang.Thread', 'sleep', bigint({SECONDS * 1000})) as slept"),
        ("few", 10, "select 1 as id"),
    ):
        (folder / "models" / name).mkdir()
        for number in range(count):
            text = "{{ config(materialized='table') }}\n" + sql + "\n"
            (folder / "models" / name / f"{name}_{number}.sql").write_text(text)
    (folder / "seeds").mkdir()
    with (folder / "seeds" / "large.csv").open("w") as file:
        file.write("id,zone,fare,day,is_paid,note\n")
        for row in range(SEED_ROWS):
            day = f"2024-{row % 12 + 1:02d}-{row % 28 + 1:02d}"
            file.write(f"{row},{row % 263},{row % 9000 / 100},{day},{str(row % 3 == 0).lower()},trip {row}\n")
    project = {"name": "bench", "version": "1.0.0", "profile": "bench", "models": {"bench": {"+file_format": "delta"}}}
    project["models"]["bench"]["few"] = {"+schema": "crowd"}
    project["seeds"] = {"bench": {"+file_format": "delta"}}
    project["flags"] = {"send_anonymous_usage_stats": False}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (folder / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": {"memory": "4g"}}))
    (folder / ".penstock").mkdir()
    for shared in ("jars", "cds"):
        (ROOT / ".penstock" / shared).mkdir(parents=True, exist_ok=True)
        (folder / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)


def write_profiles(folder: Path, server: Record) -> None:
    """A target for each adapter; dbt-spark's has its required keys and no other, bar the threads that both have."""
    spark = {"type": "spark", "method": "thrift", "host": "127.0.0.1", "port": server.ports.thrift, "user": "bench"}
    spark |= {"auth": "CUSTOM", "password": server.token}
    outputs = {
        "dbt-spark": {**spark, "schema": "stock", "threads": 3},
        "penstock": {"type": "penstock", "schema": "own", "threads": 3},
    }
    (folder / "profiles.yml").write_text(yaml.safe_dump({"bench": {"target": "penstock", "outputs": outputs}}))


def measure(folder: Path, adapter: str, *command: str) -> Measured:
    """Run dbt with one of the adapters; end the bench when it fails."""
    logs = folder / f"logs-{adapter}"
    (logs / "dbt.log").unlink(missing_ok=True)
    options = ("--target", adapter, "--target-path", f"target-{adapter}", "--log-path", str(logs))
    begin = time.monotonic()
    done = subprocess.run(
        [str(BIN / "dbt"), "--log-format-file", "json", *command, *options],
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    wall = time.monotonic() - begin
    if done.returncode:
        sys.exit(f"{adapter}: {done.stdout[-3000:]}")
    events = [json.loads(line) for line in (logs / "dbt.log").read_text().splitlines() if line.startswith("{")]
    elapsed = [event["data"]["elapsed"] for event in events if event["info"]["name"] == "SQLQueryStatus"]
    return Measured(wall, len(elapsed), sum(elapsed))


def crowd(folder: Path) -> None:
    """Others' tables in both adapters' schemas of the crowd."""
    server = control.current(load(folder))
    assert server
    cursor = server.connect().cursor()
    for schema in ("stock_crowd", "own_crowd"):
        cursor.execute(f"create schema if not exists {schema}")
        for number in range(CROWD):
            cursor.execute(f"create table if not exists {schema}.other_{number} (id bigint, name string) using parquet")


def main() -> None:
    """Measure in turns, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(COMMANDS), help="which of " + ", ".join(COMMANDS))
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    table = Table("job", "adapter", "wall s", "ratio", "statements", "seconds in them", title="medians")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder)
        settings = load(folder)
        try:
            write_profiles(folder, control.up(settings))
            if {"crowd", "docs"} & set(chosen):
                crowd(folder)
            for job in chosen:
                command, words = COMMANDS[job]
                # Stock dbt-spark polls every five seconds: a round of both warms the server, unless it is that long.
                found: dict[str, list[Measured]] = {"dbt-spark": [], "penstock": []}
                for number in range(arguments.rounds + (job == "models")):
                    for adapter, results in found.items():
                        result = measure(folder, adapter, *command)
                        if number or job != "models":
                            results.append(result)
                base = statistics.median(result.wall for result in found["dbt-spark"])
                for adapter, results in found.items():
                    wall = statistics.median(result.wall for result in results)
                    answered = statistics.median(result.answered for result in results)
                    ratio = f"{wall / base:.2f}" if adapter == "penstock" else ""
                    table.add_row(words, adapter, f"{wall:.1f}", ratio, str(results[-1].statements), f"{answered:.1f}")
                    words = ""
        finally:
            control.down(settings)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
