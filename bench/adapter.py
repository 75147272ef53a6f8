"""Compare penstock's adapter with dbt-spark by the time of dbt commands.

Both adapters run the same project, whose tables are all Delta tables, on the same warm server. They take turns and
write to separate schemas. The profile of dbt-spark has only the required keys. The figures are the median wall
seconds of the whole command and their ratio. The number of statements, and the sum of the seconds that dbt waited
for them, show where the time goes. Statements run in parallel, so this sum can exceed the wall seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.measure import run_command
from bench.options import comma_separated
from bench.projects import write_project
from bench.report import Report, table
from penstock.config.settings import load
from penstock.spark.server import control
from penstock.spark.server.record import Record

PAGES = ()
MODELS, TESTED, SECONDS, SEED_ROWS, CROWD = 20, 40, 6, 100_000, 2_000
STOCK, OURS = "dbt-spark", "penstock"
# The last two jobs run in a schema that also contains many tables of other projects (the crowd).
JOBS = {
    "models": (("build", "--select", "small"), f"{MODELS} small models, {TESTED} tests"),
    "statements": (("run", "--select", "slow", "--threads", "1"), f"5 statements of {SECONDS} s"),
    "seed": (("seed",), f"a seed of {SEED_ROWS:,} rows"),
    "crowd": (("run", "--select", "few"), f"a run beside {CROWD:,} tables of others"),
    "docs": (("docs", "generate", "--select", "few"), f"its docs beside {CROWD:,} tables"),
}
CROWDED = {"crowd", "docs"}


@dataclass(frozen=True)
class Measured:
    """One command: its wall seconds, its number of statements, and the sum of the statements' seconds."""

    wall: float
    statements: int
    answered: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=comma_separated(JOBS), default=list(JOBS), help=f"some of {','.join(JOBS)}")


def project_files() -> dict[str, str]:
    """Return 20 models (half of them views) with 40 tests, 5 slow models, a large seed, and 10 models for the crowd."""
    files, tested = {}, []
    for number in range(MODELS):
        kind = "view" if number % 2 else "table"
        source = f"from {{{{ ref('small_{number - 1}') }}}}" if number % 2 else "from range(1000)"
        text = f"{{{{ config(materialized='{kind}') }}}}\nselect id, id * 2 as twice {source}\n"
        files[f"models/small/small_{number}.sql"] = text
        columns = [{"name": "id", "data_tests": ["not_null", "unique"]}]
        tested.append({"name": f"small_{number}", "columns": columns})
    files["models/small/small.yml"] = yaml.safe_dump({"models": tested})
    for name, count, sql in (
        ("slow", 5, f"select java_method('java.lang.Thread', 'sleep', bigint({SECONDS * 1000})) as slept"),
        ("few", 10, "select 1 as id"),
    ):
        text = "{{ config(materialized='table') }}\n" + sql + "\n"
        files |= {f"models/{name}/{name}_{number}.sql": text for number in range(count)}
    project: dict[str, Any] = {
        "name": "bench",
        "version": "1.0.0",
        "profile": "bench",
        "models": {"bench": {"+file_format": "delta", "few": {"+schema": "crowd"}}},
        "seeds": {"bench": {"+file_format": "delta"}},
        "flags": {"send_anonymous_usage_stats": False},
    }
    settings = {"version": 1, "server": {"memory": "4g"}}
    files |= {"dbt_project.yml": yaml.safe_dump(project), "penstock.yml": yaml.safe_dump(settings)}
    return {**files, "seeds/large.csv": seed()}


def seed() -> str:
    """Return the seed's CSV."""
    lines = ["id,zone,fare,day,is_paid,note"]
    for row in range(SEED_ROWS):
        day = f"2024-{row % 12 + 1:02d}-{row % 28 + 1:02d}"
        lines.append(f"{row},{row % 263},{row % 9000 / 100},{day},{str(row % 3 == 0).lower()},trip {row}")
    return "\n".join(lines) + "\n"


def profiles(server: Record) -> str:
    """Return profiles with a target for each adapter. dbt-spark's has only required keys and the threads."""
    spark = {"type": "spark", "method": "thrift", "host": "127.0.0.1", "port": server.ports.thrift, "user": "bench"}
    spark |= {"auth": "CUSTOM", "password": server.token}
    outputs = {
        STOCK: {**spark, "schema": "stock", "threads": 3},
        OURS: {"type": "penstock", "schema": "own", "threads": 3},
    }
    return yaml.safe_dump({"bench": {"target": OURS, "outputs": outputs}})


def run_dbt(folder: Path, adapter: str, *command: str) -> Measured:
    """Run dbt with one of the adapters."""
    logs = folder / f"logs-{adapter}"
    (logs / "dbt.log").unlink(missing_ok=True)
    options = ("--target", adapter, "--target-path", f"target-{adapter}", "--log-path", str(logs))
    wall = run_command(("dbt", "--log-format-file", "json", *command, *options), folder).wall
    events = [json.loads(line) for line in (logs / "dbt.log").read_text().splitlines() if line.startswith("{")]
    elapsed = [event["data"]["elapsed"] for event in events if event["info"]["name"] == "SQLQueryStatus"]
    return Measured(wall, len(elapsed), sum(elapsed))


def create_crowd(server: Record) -> None:
    """Create the tables of other projects in the schema of each adapter that the crowd jobs use."""
    cursor = server.connect().cursor()
    for schema in ("stock_crowd", "own_crowd"):
        cursor.execute(f"create schema if not exists {schema}")
        for number in range(CROWD):
            cursor.execute(f"create table if not exists {schema}.other_{number} (id bigint, name string) using parquet")


def measure_job(folder: Path, job: str, rounds: int) -> dict[str, list[Measured]]:
    """Run a job with the two adapters in turns."""
    command, _ = JOBS[job]
    results: dict[str, list[Measured]] = {STOCK: [], OURS: []}
    # One round of the first job warms the server up. The other jobs would take long: dbt-spark polls every 5 s.
    warm_ups = int(job == "models")
    for number in range(rounds + warm_ups):
        for adapter, measured in results.items():
            result = run_dbt(folder, adapter, *command)
            print(f"{job} by {adapter}: {result.wall:.1f} s", flush=True)
            if number >= warm_ups:
                measured.append(result)
    return results


def rows(job: str, results: dict[str, list[Measured]]) -> list[list[str]]:
    """Return a row for each adapter, with its medians. Penstock's row also has the ratio."""
    base = statistics.median(result.wall for result in results[STOCK])
    cells = []
    for adapter, measured in results.items():
        wall = statistics.median(result.wall for result in measured)
        answered = statistics.median(result.answered for result in measured)
        ratio = f"{wall / base:.2f}" if adapter == OURS else ""
        text = JOBS[job][1] if adapter == STOCK else ""
        cells.append([text, adapter, f"{wall:.1f}", ratio, f"{measured[-1].statements}", f"{answered:.1f}"])
    return cells


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Measure each job with both adapters."""
    write_project(folder, project_files())
    settings = load(folder)
    try:
        server = control.up(settings)
        (folder / "profiles.yml").write_text(profiles(server))
        if CROWDED & set(options.only):
            create_crowd(server)
        cells = [row for job in options.only for row in rows(job, measure_job(folder, job, options.rounds))]
    finally:
        control.down(settings)
    heads = ["job (medians)", "adapter", "wall s", "ratio", "statements", "seconds in them"]
    return Report(table(heads, cells, text_columns=2, padded=True))
