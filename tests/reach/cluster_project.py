"""A small project on a cluster of this machine: its files, its processes and its expected rows."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from penstock.spark.access import secret
from penstock.spark.access.secret import ui_key
from penstock.spark.cluster import control as cluster
from penstock.spark.cluster import record
from penstock.spark.cluster.record import Cluster
from penstock.spark.server import control
from tests.reach.processes import is_executor, own_ports
from tests.support.projects import BRIEF, INTERPRETED, QUICK, Project, small_project

ROWS = 200
# The model that `slow` names takes some time for each row, so that a kill interrupts a task.
SLOW = (
    "{{ \"java_method('java.lang.Thread', 'sleep', 30L)\" if var('slow', '') == 'a_table' "
    "else 'cast(null as string)' }}"
)
MODELS = {
    "models/a_table.sql": (
        "{{ config(materialized='table') }} select id, {{ var('version', 1) }} as version, "
        + SLOW
        + f" as slept from range(0, {ROWS}, 1, 4)"
    ),
    "models/an_incremental.sql": (
        "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}"
        " select id, version * 10 as v from {{ ref('a_table') }}"
    ),
    "models/a_udf.py": """
def model(dbt, session):
    dbt.config(materialized="table")
    pause = 0.03 if dbt.config.get("slow") else 0

    def halves(frames):
        import os
        import time

        for frame in frames:
            time.sleep(pause * len(frame))
            frame["half"] = frame["version"] / 2
            frame["folder"] = os.getcwd()
            yield frame[["id", "half", "folder"]]

    rows = dbt.ref("a_table").repartition(4).select("id", "version")
    return rows.mapInPandas(halves, "id long, half double, folder string")
""",
    "models/a_driver.py": """
def model(dbt, session):
    dbt.config(materialized="table", submission_method="spark_submit")
    pause = 0.03 if dbt.config.get("slow") else 0

    def more(row):
        import time

        time.sleep(pause)
        return row["id"], row["v"] + 1

    rows = dbt.ref("an_incremental").repartition(4).rdd.map(more)
    return session.createDataFrame(rows, "id long, more long")
""",
    "models/schema.yml": """
models:
  - name: a_udf
    config: {slow: "{{ var('slow', '') == 'a_udf' }}"}
  - name: a_driver
    config: {slow: "{{ var('slow', '') == 'a_driver' }}"}
""",
}
FILES = {
    **MODELS,
    "profiles.yml": yaml.safe_dump(
        {
            "small": {
                "target": "cluster",
                "outputs": {
                    name: {"type": "penstock", "schema": "small", "threads": 2, "keep_plans": False, **more}
                    for name, more in {"cluster": {}, "far": {"host": "127.0.0.1", "port": 1}}.items()
                },
            }
        }
    ),
}
WORKERS = ("--workers", "2", "--cores", "2", "--memory", "1400m")


@dataclass(frozen=True)
class Clustered:
    """The project and its processes."""

    project: Project

    @property
    def cluster(self) -> Cluster:
        """The running cluster."""
        found = record.read(self.project.settings)
        assert found
        return found

    def master(self) -> dict[str, Any]:
        """Return the state of the cluster from the master's page."""
        assert self.cluster.master
        key = ui_key(secret.read(record.folder(self.project.settings)))
        asked = urllib.request.Request(f"{self.cluster.master.ui}/json/", headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(asked) as answer:
            state: dict[str, Any] = json.load(answer)
        return state

    def executors(self, worker: int | None = None) -> list[psutil.Process]:
        """Return the server's live executor processes: all of them, or those of one worker."""
        running = control.current(self.project.settings)
        assert running and running.spark
        nodes = [node for number, node in self.cluster.workers.items() if worker in (None, number)]
        parents = [handle for node in nodes if (handle := node.process.handle())]
        found = []
        for child in (child for parent in parents for child in parent.children()):
            with suppress(psutil.NoSuchProcess):  # it ended in between
                if is_executor(child.cmdline(), running.spark.pid):
                    found.append(child)
        return found

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the distinct values of each table, with the number of their rows."""
        columns = {"a_table": "version", "an_incremental": "v", "a_udf": "half", "a_driver": "more"}
        return {
            name: self.project.sql(f"select {column}, count(*) from small.{name} group by 1 order by 1")
            for name, column in columns.items()
        }


def expected(version: int) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of an undisturbed run of a version."""
    values = {"a_table": version, "an_incremental": 10 * version, "a_udf": version / 2, "a_driver": 10 * version + 1}
    return {name: [(value, ROWS)] for name, value in values.items()}


def settings_file(root: Path, master: str, executors: dict[str, Any]) -> None:
    """Write the project's penstock.yml, with more keys of `server.executors`."""
    options = {**INTERPRETED, "spark.executor.extraJavaOptions": BRIEF, "spark.driver.extraJavaOptions": BRIEF}
    server = {"memory": "1g", "java_options": [QUICK], "idle_minutes": 0, "ports": own_ports()}
    asked = {"count": 2, "cores": 1, "memory": "600m", **executors}
    own = {"warehouse": "warehouse-cluster", "server": {"master": master, "executors": asked}}
    settings = {"version": 1, "server": {**server, "spark_conf": options}, "targets": {"cluster": own}}
    (root / "penstock.yml").write_text(yaml.safe_dump(settings))


def make(root: Path, executors: dict[str, Any] | None = None) -> Clustered:
    """Make the project and start its cluster on free ports, with these keys of `server.executors`."""
    made = Clustered(small_project(root, FILES))
    settings_file(root, "spark://127.0.0.1:7077", executors or {})
    try:
        done = made.project.penstock("cluster", "up", *WORKERS)
        assert done.returncode == 0, done.stdout
        assert made.cluster.address in done.stdout
        settings_file(root, made.cluster.address, executors or {})
    except BaseException:  # also for Ctrl-C: nothing else would stop the cluster
        end(made)
        raise
    return made


@contextmanager
def built(made: Clustered) -> Iterator[None]:
    """Build its tables, and stop all of its processes after the block."""
    try:
        done = made.project.dbt("build")
        assert done.returncode == 0, done.stdout[-6000:]
        yield
    finally:
        end(made)


def end(made: Clustered) -> None:
    """Stop the server first, so that its application ends in order."""
    settings = made.project.settings
    control.down(settings)
    cluster.down(settings)
