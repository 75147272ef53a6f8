"""Each month: land its files, then build that interval of every model, with its tests.

One task a model, drawn by Cosmos from dbt's manifest; at the end the tests that read several models.
Read from the environment when the file is parsed, all optional:

    PENSTOCK_PROJECT                the dbt project's folder
    PENSTOCK_BIN                    the folder of its dbt and penstock
    PENSTOCK_TARGET                 the target of profiles.yml
    PENSTOCK_AIRFLOW_START          the first month, as 2024-01
    PENSTOCK_AIRFLOW_LAND           datasets to land first, blanks between; empty: something else lands them
    PENSTOCK_AIRFLOW_FROM           a folder or address to land from, instead of the published one
    PENSTOCK_AIRFLOW_SELECT         what of the project, in dbt's words; empty: all of it
    PENSTOCK_AIRFLOW_EXCLUDE        what not; by default what learns
    PENSTOCK_AIRFLOW_RETRY_SECONDS  the pause before a task is tried again
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from shlex import quote

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronDataIntervalTimetable, TaskGroup
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestBehavior, TestIndirectSelection
from cosmos.operators.local import DbtTestLocalOperator
from penstock_tests import between_models

HERE = Path(__file__).resolve().parents[1]
PROJECT = Path(os.environ.get("PENSTOCK_PROJECT") or HERE.parents[1])
BIN = Path(os.environ.get("PENSTOCK_BIN") or PROJECT / ".venv" / "bin")
TARGET = os.environ.get("PENSTOCK_TARGET") or "local"
# Parsed once, by `setup`: no dbt has to start each time that Airflow reads this file.
PARSED = PROJECT / "target" / "airflow"
START = os.environ.get("PENSTOCK_AIRFLOW_START") or "2024-01"
SELECT = os.environ.get("PENSTOCK_AIRFLOW_SELECT", "").split()
EXCLUDE = os.environ.get("PENSTOCK_AIRFLOW_EXCLUDE", "tag:ml").split()
LAND = os.environ.get("PENSTOCK_AIRFLOW_LAND", "green yellow fhvhv").split()
FROM = os.environ.get("PENSTOCK_AIRFLOW_FROM", "")
RETRY = os.environ.get("PENSTOCK_AIRFLOW_RETRY_SECONDS")

if not (PARSED / "manifest.json").exists():
    raise FileNotFoundError(
        f"needed: dbt's graph of {PROJECT}. found: no manifest.json in {PARSED}. do: {HERE / 'setup'}"
    )


def pause(usual: timedelta) -> timedelta:
    """Time before a task is tried again: what the environment says, else what is usual."""
    return timedelta(seconds=float(RETRY)) if RETRY else usual


def landing(dataset: str) -> BashOperator:
    """The task that lands the interval's month of a dataset: again each day until it is published."""
    program, source = quote(str(BIN / "penstock")), f" --from {quote(FROM)}" if FROM else ""
    return BashOperator(
        task_id=dataset,
        bash_command=f"{program} land {dataset} {{{{ data_interval_start.strftime('%Y-%m') }}}}{source}",
        cwd=str(PROJECT),
        env={"PENSTOCK_TARGET": TARGET, "NO_COLOR": "1"},
        append_env=True,
        retries=90,
        retry_delay=pause(timedelta(days=1)),
    )


PROFILE = ProfileConfig("penstock", TARGET, profiles_yml_filepath=PROJECT / "profiles.yml")
# What each dbt process is given, of models and tests alike.
DBT = {
    "dbt_executable_path": str(HERE / "dbt-in-place"),
    "append_env": True,
    "env": {
        "PENSTOCK_PROJECT": str(PROJECT),
        "PENSTOCK_BIN": str(BIN),
        "PENSTOCK_TARGET": TARGET,
        # The options --event-time-start and --event-time-end; `dbt test` has no such options, and needs none.
        "DBT_EVENT_TIME_START": "{{ data_interval_start | ds }}",
        "DBT_EVENT_TIME_END": "{{ data_interval_end | ds }}",
        # Of each task its own, so that two at once don't write one file, and each try finds the last one's.
        "DBT_TARGET_PATH": str(PARSED / "{{ task.task_id }}"),
        "DBT_LOG_PATH": str(PARSED / "{{ task.task_id }}"),
        "DBT_PARTIAL_PARSE_FILE_PATH": str(PARSED / "partial_parse.msgpack"),
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
    },
    "should_store_compiled_sql": False,
    "pool": "penstock_server",
    "retries": 2,
    "retry_delay": pause(timedelta(minutes=5)),
}

with DAG(
    dag_id="penstock_monthly",
    description="Trip files of a month to a tested warehouse",
    # An interval is a calendar month, and its run begins when the month has ended.
    schedule=CronDataIntervalTimetable("0 0 1 * *", timezone="UTC"),
    start_date=datetime.strptime(START, "%Y-%m").replace(tzinfo=timezone.utc),
    # A month that ends while no scheduler runs still gets its run; from `start_date`, one after the other.
    catchup=True,
    max_active_runs=1,
    tags=["penstock"],
):
    models = DbtTaskGroup(
        group_id="models",
        project_config=ProjectConfig(PROJECT, manifest_path=PARSED / "manifest.json", install_dbt_deps=False),
        profile_config=PROFILE,
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=SELECT,
            exclude=EXCLUDE,
            # A model's tests run with it, in one dbt process: when they fail, what reads it waits.
            test_behavior=TestBehavior.BUILD,
            emit_datasets=False,
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.LOCAL,
            invocation_mode=InvocationMode.SUBPROCESS,
            # Not the tests that read what is built later.
            test_indirect_selection=TestIndirectSelection.BUILDABLE,
            dbt_executable_path=DBT["dbt_executable_path"],
        ),
        operator_args={name: value for name, value in DBT.items() if name != "dbt_executable_path"},
    )
    if LAND:
        with TaskGroup("land") as land:
            for name in LAND:
                landing(name)
        land >> models
    if between := between_models(json.loads((PARSED / "manifest.json").read_text()), set(models.tasks_map)):
        models >> DbtTestLocalOperator(
            task_id="tests",
            project_dir=str(PROJECT),
            profile_config=PROFILE,
            invocation_mode=InvocationMode.SUBPROCESS,
            select=" ".join(between),
            exclude=" ".join(EXCLUDE) or None,
            install_deps=False,
            **DBT,
        )
