"""The project of interval models with most of its tables in an Iceberg catalog, and one Delta table between them."""

from __future__ import annotations

import re
from typing import Any

from penstock.intervals.iceberg_history import history_sql, parse_history
from tests.adapter import intervals_project
from tests.adapter.intervals_project import Rides

ICEBERG = ("checked", "features", "daily", "outside", "outside_py")
PROJECT = (
    intervals_project.PROJECT
    + """
    checked: {+database: ice}
    features: {+database: ice}
    daily: {+database: ice, +partition_by: days(day)}
    outside: {+database: ice, +partition_by: month}
    outside_py: {+database: ice, +partition_by: months(month)}
    unpartitioned: {+database: ice, +enabled: "{{ var('unpartitioned', false) }}"}
"""
)
LEFT_OUT = ("models/batched.sql", "models/so_far.sql", "models/so_far_py.py")
FILES = {
    **{path: text for path, text in intervals_project.FILES.items() if path not in LEFT_OUT},
    "dbt_project.yml": PROJECT,
    "profiles.yml": intervals_project.PROFILES
    + "    connect: {type: penstock, method: connect, schema: small, threads: 2, keep_plans: false}\n",
    "models/unpartitioned.sql": "{{ config(event_time='month', partition_by='zone', tags='aside') }} "
    "select zone, file_month as month from {{ ref('checked') }}",
}


class IcebergRides(Rides):
    """The project, whose tables in the Iceberg catalog a query may name without the catalog."""

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return super().sql(re.sub(rf"(?<![.'])small\.(?=(?:{'|'.join(ICEBERG)})\b)", "ice.small.", query))

    def history(self, model: str) -> list[dict[str, Any]]:
        """Return a table's commits, oldest first."""
        if model not in ICEBERG:
            return super().history(model)
        commits = parse_history(self.sql(history_sql(f"ice.small.{model}")))
        return [{"version": item.version, "operation": item.operation, "commit": item} for item in commits]
