"""Build a twelfth month: compare the strategy `interval` with dbt's `microbatch` and a full refresh.

The last of the months is the current month, since `microbatch` chooses its batches by the clock: it builds the current
month and the lookback before it, and never builds an older month that lands late.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path

import yaml

from bench.batch_results import Peer, Way
from bench.measure import ROOT
from bench.projects import Cost, Project

MONTHS, MEMORY = 12, "3g"
FULL_REFRESH, MICROBATCH, INTERVAL = "table", "microbatch", "interval"
SELECT = """
select
    file_month as revenue_month,
    pulocationid as pickup_zone_id,
    count(*) as trips,
    sum(total_amount) as revenue
from {{ source('lake', 'yellow') }}
group by file_month, pulocationid
"""
INCREMENTAL = {"materialized": "incremental", "event_time": "revenue_month", "partition_by": ["revenue_month"]}


def project_files(begin: date) -> dict[str, str]:
    """Return a dbt project, as text by path: one source, and the same model three times."""
    configs = {
        INTERVAL: {**INCREMENTAL, "incremental_strategy": INTERVAL},
        MICROBATCH: {
            **INCREMENTAL,
            "incremental_strategy": MICROBATCH,
            "batch_size": "month",
            "begin": f"{begin}",
            "lookback": 1,
        },
        FULL_REFRESH: {"materialized": "table", "partition_by": ["revenue_month"]},
    }
    table = {"name": "yellow", "config": {"event_time": "file_month"}}
    models = [{"name": f"revenue_{name}", "config": config} for name, config in configs.items()]
    project = {
        "name": "peer",
        "version": "1.0.0",
        "profile": "peer",
        "flags": {"send_anonymous_usage_stats": False},
        "on-run-start": ["{{ penstock_sync_lake() }}"],
        "models": {"peer": {"+file_format": "delta"}},
    }
    target = {"type": "penstock", "schema": "warehouse", "threads": 1}
    return {
        "lake.yml": (ROOT / "lake.yml").read_text(),
        "dbt_project.yml": yaml.safe_dump(project),
        "profiles.yml": yaml.safe_dump({"peer": {"target": "dev", "outputs": {"dev": target}}}),
        "models/peer.yml": yaml.safe_dump({"sources": [{"name": "lake", "tables": [table]}], "models": models}),
        **{f"models/revenue_{name}.sql": SELECT for name in configs},
    }


def month_before(month: date, back: int) -> date:
    """Return the first day of the month that is `back` months earlier."""
    number = month.year * 12 + month.month - 1 - back
    return date(number // 12, number % 12 + 1, 1)


def measure(folder: Path, rows: int, rounds: int) -> Peer:
    """Build eleven months by each strategy, then the twelfth month, which lands again before each round.

    The first round warms the server up.
    """
    current = datetime.now(timezone.utc).date().replace(day=1)
    begin, eleventh = month_before(current, MONTHS - 1), month_before(current, 1)
    names = [INTERVAL, MICROBATCH, FULL_REFRESH]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    batches: dict[str, int] = {}
    with Project(folder / "peer", MEMORY, project_files(begin)) as project:
        project.land(f"{begin:%Y-%m}..{eleventh:%Y-%m}", rows * (MONTHS - 1), ["yellow"])
        project.run("dbt", "run")
        for number in range(rounds + 1):
            project.land(f"{current:%Y-%m}", rows, ["yellow"], seed=number + 2)
            # Each round has another order, because the first run also registers the new month with Spark.
            for name in names[number % 3 :] + names[: number % 3]:
                cost = project.run("dbt", "run", "--select", f"revenue_{name}")
                result = next(item for item in project.results() if item["unique_id"].startswith("model."))
                batches[name] = len((result.get("batch_results") or {}).get("successful", []))
                if name == INTERVAL:
                    batches[name] = int(result["message"] == f"built {current:%Y-%m}")
                if number:
                    costs[name].append(cost)
                    seconds[name].append(result["execution_time"])
        totals = {
            name: project.query(f"select count(*), sum(trips), sum(revenue) from warehouse.revenue_{name}")
            for name in names
        }
    if len({str(item) for item in totals.values()}) > 1 or batches[INTERVAL] != 1:
        raise SystemExit(
            f"needed: three equal tables, and one interval built. found: {totals}, {batches}. "
            "do: compare the strategies"
        )
    return Peer(rows, MONTHS, {name: Way(batches[name], seconds[name], costs[name]) for name in names})
