"""One more month at month 12: strategy `interval` beside dbt's `microbatch` and a table built anew.

The months end with the one that the clock is in: `microbatch` builds the batch of now and its lookback,
so that an older month that lands late is one it never sees.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path

import yaml
from batch_project import Cost, Place
from batch_results import Peer, Way

MONTHS, MEMORY = 12, "3g"
BUILT_ANEW, MICROBATCH, INTERVAL = "table", "microbatch", "interval"
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


def files(begin: date) -> dict[str, str]:
    """A dbt project of one source and the same model three times."""
    configs = {
        INTERVAL: {**INCREMENTAL, "incremental_strategy": INTERVAL},
        MICROBATCH: {
            **INCREMENTAL,
            "incremental_strategy": MICROBATCH,
            "batch_size": "month",
            "begin": f"{begin}",
            "lookback": 1,
        },
        BUILT_ANEW: {"materialized": "table", "partition_by": ["revenue_month"]},
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
        "dbt_project.yml": yaml.safe_dump(project),
        "profiles.yml": yaml.safe_dump({"peer": {"target": "dev", "outputs": {"dev": target}}}),
        "models/peer.yml": yaml.safe_dump({"sources": [{"name": "lake", "tables": [table]}], "models": models}),
        **{f"models/revenue_{name}.sql": SELECT for name in configs},
    }


def month_before(month: date, back: int) -> date:
    """The first day of the month so many months earlier."""
    number = month.year * 12 + month.month - 1 - back
    return date(number // 12, number % 12 + 1, 1)


def measure(top: Path, rows: int, rounds: int) -> Peer:
    """Eleven months built by each, then the twelfth, landed anew before each round; one round warms up."""
    this = datetime.now(timezone.utc).date().replace(day=1)
    begin, eleventh = month_before(this, MONTHS - 1), month_before(this, 1)
    names = [INTERVAL, MICROBATCH, BUILT_ANEW]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    batches: dict[str, int] = {}
    with Place(top / "peer", MEMORY, files(begin)) as place:
        place.land(f"{begin:%Y-%m}..{eleventh:%Y-%m}", rows * (MONTHS - 1), ["yellow"])
        place.run("dbt", "run")
        for number in range(rounds + 1):
            place.land(f"{this:%Y-%m}", rows, ["yellow"], seed=number + 2)
            # In another order each time: the first one's run brings the lake's table up to date.
            for name in names[number % 3 :] + names[: number % 3]:
                cost = place.run("dbt", "run", "--select", f"revenue_{name}")
                result = next(item for item in place.results() if item["unique_id"].startswith("model."))
                batches[name] = len((result.get("batch_results") or {}).get("successful", []))
                if name == INTERVAL:
                    batches[name] = int(result["message"] == f"built {this:%Y-%m}")
                if number:
                    costs[name].append(cost)
                    seconds[name].append(result["execution_time"])
        told = {
            name: place.query(f"select count(*), sum(trips), sum(revenue) from warehouse.revenue_{name}")
            for name in names
        }
    if len({str(item) for item in told.values()}) > 1 or batches[INTERVAL] != 1:
        raise SystemExit(f"the three tables differ, or the month was not built alone: {told}, {batches}")
    return Peer(rows, MONTHS, {name: Way(batches[name], seconds[name], costs[name]) for name in names})
