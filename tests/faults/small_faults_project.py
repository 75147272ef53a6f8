"""A small project for tests that kill its server: its files, background runs and tables."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from penstock.spark.server import control
from tests.support import spark_ui
from tests.support.forked_commands import Started
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import Project

WAIT = LIMIT
# With `slow` each of a task's two hundred rows takes that many milliseconds, so that a kill interrupts the write.
SLOW = (
    "{{ \"java_method('java.lang.Thread', 'sleep', %sL)\" % var('slow') "
    "if var('slow', 0) else 'cast(null as string)' }}"
)
# Milliseconds a row, for a write that never ends by itself and for one that does.
NEVER, SLOWLY = 5000, 20
# Enough slots for the sleeping tasks of all nodes at once.
SLOTS = "local[24]"
ROWS = f"select id, {{{{ var('version', 1) }}}} as version, {SLOW} as slept from range(0, 800, 1, 4)"
FILES = {
    "models/a_table.sql": "{{ config(materialized='table') }} " + ROWS,
    "models/an_incremental.sql": (
        "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }} " + ROWS
    ),
    "models/an_append.sql": "{{ config(materialized='incremental', incremental_strategy='append') }} " + ROWS,
    "models/a_python.py": """

def model(dbt, session):
    dbt.config(materialized="table")
    version, slow = dbt.config.get("version"), dbt.config.get("slow")
    pause = f"java_method('java.lang.Thread', 'sleep', {slow}L)" if slow else "cast(null as string)"
    return session.range(0, 800, 1, 4).selectExpr("id", f"{version} as version", f"{pause} as slept")
""",
    "models/schema.yml": """
models:
  - name: a_python
    config:
      version: "{{ var('version', 1) }}"
      slow: "{{ var('slow', 0) }}"
""",
    "snapshots/a_snapshot.sql": """
{% snapshot a_snapshot %}
{{ config(unique_key='id', strategy='check', check_cols=['version']) }}
"""
    + ROWS
    + """
{% endsnapshot %}
""",
    "seeds/a_seed.csv": "id,version\n" + "".join(f"{number},1\n" for number in range(800)),
}


def start(project: Project, *arguments: str, folder: str = "other") -> Started:
    """Start dbt in the background, with its own target and log folders."""
    return project.start("dbt", *arguments, "--target-path", f"target-{folder}", "--log-path", f"logs-{folder}")


def kill_server_when_busy(project: Project, dbt: Started, names: Sequence[str]) -> int:
    """Kill Spark while each node has a running task; return the id of the killed process."""
    server = control.current(project.settings)
    assert server and server.spark

    def is_busy() -> bool:
        assert dbt.poll() is None, dbt.communicate()[0]
        jobs = spark_ui.api(project, "jobs?status=running")
        busy = [job.get("description") or "" for job in jobs if job["numActiveTasks"]]
        return all(any(f".{name}" in text for text in busy) for name in names)

    wait_until(is_busy, f"tasks of {', '.join(names)} at work")
    psutil.Process(server.spark.pid).kill()
    return server.spark.pid


def tables(project: Project) -> set[str]:
    """Return every table and view of the project's schema."""
    return {row[1] for kind in ("tables", "views") for row in project.sql(f"show {kind} in small")}
