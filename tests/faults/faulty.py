"""The project whose server the tests kill: its files, runs in the background, and what is there afterwards."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import spark_ui
from projects import Project

from penstock.server import control

WAIT = 240
# With `slow` a row takes 20 ms to make, so that a write of the hundred rows a task gets is met half-way.
SLOW = "{{ \"java_method('java.lang.Thread', 'sleep', 20L)\" if var('slow', false) else 'cast(null as string)' }}"
ROWS = f"select id, {{{{ var('version', 1) }}}} as version, {SLOW} as slept from range(0, 800, 1, 4)"
FILES = {
    "models/a_table.sql": "{{ config(materialized='table') }} " + ROWS,
    "models/an_incremental.sql": (
        "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }} " + ROWS
    ),
    "models/an_append.sql": "{{ config(materialized='incremental', incremental_strategy='append') }} " + ROWS,
    "models/a_python.py": """
import time


def model(dbt, session):
    dbt.config(materialized="table")
    version, slow = dbt.config.get("version"), dbt.config.get("slow")
    pause = "java_method('java.lang.Thread', 'sleep', 20L)" if slow else "cast(null as string)"
    return session.range(0, 800, 1, 4).selectExpr("id", f"{version} as version", f"{pause} as slept")
""",
    "models/schema.yml": """
models:
  - name: a_python
    config:
      version: "{{ var('version', 1) }}"
      slow: "{{ var('slow', false) }}"
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


def start(project: Project, *arguments: str, folder: str = "other") -> subprocess.Popen[str]:
    """dbt in the background, with a target and a log folder of its own."""
    options = ("--no-use-colors", *arguments, "--target-path", f"target-{folder}", "--log-path", f"logs-{folder}")
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "dbt"), *options],
        cwd=project.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_server_when_busy(project: Project, dbt: subprocess.Popen[str]) -> int:
    """Kill Spark in the middle of a job; the id of the process killed."""
    server = control.current(project.settings)
    assert server and server.spark
    deadline = time.monotonic() + WAIT
    while not spark_ui.jobs(project, "running"):
        assert dbt.poll() is None, dbt.communicate()[0]
        assert time.monotonic() < deadline, "Spark never got to work"
        time.sleep(0.1)
    time.sleep(0.5)
    psutil.Process(server.spark.pid).kill()
    return server.spark.pid


def tables(project: Project) -> set[str]:
    """Every table and view of the project's schema."""
    return {row[1] for kind in ("tables", "views") for row in project.sql(f"show {kind} in small")}
