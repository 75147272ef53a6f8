"""Airflow in its own environment, with a home in the test's folder and a project to schedule."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil

from penstock.lake.sample import SampleMonth, write_raw
from penstock.spark.server import control
from tests.reach.external_tools import missing
from tests.support.projects import ROOT, Project

HERE = ROOT / "orchestration" / "airflow"
DAGS = HERE / "dags"
ROWS = {"green": 900, "yellow": 1500, "fhvhv": 600}
GRAPH = """
import json, pathlib, sys
from airflow.dag_processing.dagbag import BundleDagBag
folder = pathlib.Path(sys.argv[1])
bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
dags = {name: {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks} for name, dag in bag.dags.items()}
settings = {name: [dag.max_active_runs, dag.catchup] for name, dag in bag.dags.items()}
pools = {task.task_id: task.pool for dag in bag.dags.values() for task in dag.tasks}
print(json.dumps({"errors": bag.import_errors, "dags": dags, "settings": settings, "pools": pools}))
"""
React = Callable[[str], None]


@dataclass(frozen=True)
class Airflow:
    """Airflow for one project.

    Attributes:
        home: its AIRFLOW_HOME, with a SQLite database.
        project: the dbt project that its DAG builds.
        raw: the folder of monthly files that the DAG lands from.
    """

    home: Path
    project: Project
    raw: Path

    @property
    def venv(self) -> Path:
        """Airflow's Python environment, kept in the checkout."""
        return ROOT / ".penstock" / "airflow" / "venv"

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment variables of its programs; retries wait two seconds."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_", "AIRFLOW"))}
        own = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "PENSTOCK_AIRFLOW_VENV": str(self.venv),
            "PENSTOCK_PROJECT": str(self.project.root),
            "PENSTOCK_BIN": str(ROOT / ".venv" / "bin"),
            "PENSTOCK_AIRFLOW_FROM": str(self.raw),
            "PENSTOCK_AIRFLOW_RETRY_SECONDS": "2",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            # Cosmos puts the files of a task there.
            "TMPDIR": str(self.home.parent),
        }
        return {**kept, **own, **more}

    def setup(self) -> None:
        """Make the environment, the database and dbt's graph, as a user does."""
        done = subprocess.run(
            [HERE / "setup"],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode and "the packages of requirements.lock" in done.stderr:
            missing(f"Airflow can't be had: {done.stderr.strip()[-400:]}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ready: " in done.stdout

    def graph(self, **environment: str) -> dict[str, Any]:
        """The DAGs as Airflow reads them: errors, and by DAG each task with those before it."""
        done = subprocess.run(
            [self.venv / "bin" / "python", "-c", GRAPH, DAGS],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def test_run(self, day: str, log: Path, react: React = lambda line: None, **environment: str) -> tuple[int, str]:
        """`airflow dags test` of the interval that ends on a day, to a log; exit code and what was logged.

        Args:
            react: called with each line as it is logged.
        """
        process = subprocess.Popen(
            [HERE / "airflow", "dags", "test", "penstock_monthly", day],
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            with log.open("w") as kept:
                assert process.stdout
                for line in process.stdout:
                    kept.write(line)
                    kept.flush()
                    react(line)
            return process.wait(), log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def tries(self, month: str) -> dict[str, tuple[int, str]]:
        """Return the number of tries and the final state of each task of the run that builds a month."""
        with closing(sqlite3.connect(self.home / "airflow.db", timeout=60)) as database:
            rows = database.execute(
                "select task_id, try_number, i.state "
                "from task_instance i join dag_run r using (dag_id, run_id) where r.data_interval_start like ?",
                (f"{month}-01%",),
            ).fetchall()
        return {task: (tried, state) for task, tried, state in rows}

    def slots(self) -> int:
        """Return the number of slots of the server's pool."""
        with closing(sqlite3.connect(self.home / "airflow.db", timeout=60)) as database:
            ((slots,),) = database.execute("select slots from slot_pool where pool = 'penstock_server'").fetchall()
        return int(slots)

    @contextmanager
    def serving(self, log: Path, **environment: str) -> Iterator[psutil.Process]:
        """Run scheduler, DAG processor and web server inside the block; end all of their processes afterwards."""
        with log.open("w") as kept:
            process = subprocess.Popen(
                [HERE / "serve"],
                env=self.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=kept,
                stderr=subprocess.STDOUT,
            )
            family = psutil.Process(process.pid)
            try:
                yield family
            finally:
                parts = family.children(recursive=True)
                process.terminate()
                _, left = psutil.wait_procs([part for part in parts if not self._of_the_server(part)], timeout=60)
                for part in left:
                    part.kill()
                process.wait(timeout=60)
        assert not left, [part.pid for part in left]

    @staticmethod
    def idle_worker(family: psutil.Process) -> psutil.Process:
        """Return a worker of the scheduler that has no task."""
        for part in family.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "LocalExecutor: <idle>" in " ".join(part.cmdline()):
                    return part
        raise AssertionError("no idle worker")

    def _of_the_server(self, process: psutil.Process) -> bool:
        """Return whether a process belongs to the project's server, which outlives tasks."""
        running = control.current(self.project.settings)
        return running is not None and process.pid in {of.pid for of in running.processes}

    def left_running(self) -> list[str]:
        """Return the Airflow commands that still run with this home."""
        found = []
        for process in psutil.process_iter():
            try:
                command = " ".join(process.cmdline())
                if str(self.venv) in command and process.environ().get("AIRFLOW_HOME") == str(self.home):
                    found.append(command)
            except psutil.Error:
                continue
        return found

    @staticmethod
    def servers() -> list[str]:
        """Return the commands of the supervisors that run on this machine."""
        found = []
        for process in psutil.process_iter():
            try:
                command = process.cmdline()
            except psutil.Error:
                continue
            if "penstock.spark.server.supervisor" in command:
                found.append(" ".join(command))
        return found


def write_months(folder: Path, *months: str) -> None:
    """Write raw files of every dataset under their published names."""
    folder.mkdir(parents=True, exist_ok=True)
    for month in months:
        for dataset, rows in ROWS.items():
            first = date.fromisoformat(f"{month}-01")
            write_raw(SampleMonth(dataset, first, rows, 5), folder / f"{dataset}_tripdata_{month}.parquet")
