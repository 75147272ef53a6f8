"""Every month: land its files, then build that interval of every model, with its tests.

Cosmos makes one task a model from dbt's manifest; the last task runs the tests that read several models. Optional
environment variables, read when Airflow parses this file:

    PENSTOCK_PROJECT                folder of the dbt project
    PENSTOCK_BIN                    folder of its dbt and penstock
    PENSTOCK_TARGET                 target of profiles.yml
    PENSTOCK_AIRFLOW_START          first month, as 2024-01
    PENSTOCK_AIRFLOW_LAND           datasets to land first, separated by blanks; empty: land nothing
    PENSTOCK_AIRFLOW_FROM           folder or URL to land from; default: the published address
    PENSTOCK_AIRFLOW_SELECT         dbt selectors of the models to build; empty: all
    PENSTOCK_AIRFLOW_EXCLUDE        dbt selectors of models to exclude; default: tag:ml
    PENSTOCK_AIRFLOW_RETRY_SECONDS  pause before a task is tried again
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
# `setup` parses the project once, so that Airflow doesn't start dbt whenever it parses this file.
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


def retry_delay(default: timedelta) -> timedelta:
    """Return the time before a task is tried again: from the environment, or the default."""
    return timedelta(seconds=float(RETRY)) if RETRY else default


def landing_task(dataset: str) -> BashOperator:
    """Return the task that lands the interval's month of a dataset, and tries daily until it is published."""
    program, source = quote(str(BIN / "penstock")), f" --from {quote(FROM)}" if FROM else ""
    return BashOperator(
        task_id=dataset,
        bash_command=f"{program} land {dataset} {{{{ data_interval_start.strftime('%Y-%m') }}}}{source}",
        cwd=str(PROJECT),
        env={"PENSTOCK_TARGET": TARGET, "NO_COLOR": "1"},
        append_env=True,
        retries=90,
        retry_delay=retry_delay(timedelta(days=1)),
    )


PROFILE = ProfileConfig("penstock", TARGET, profiles_yml_filepath=PROJECT / "profiles.yml")
# Options of every dbt process, for models and tests.
DBT = {
    "dbt_executable_path": str(HERE / "dbt-in-place"),
    "append_env": True,
    "env": {
        "PENSTOCK_PROJECT": str(PROJECT),
        "PENSTOCK_BIN": str(BIN),
        "PENSTOCK_TARGET": TARGET,
        # Like --event-time-start and --event-time-end; `dbt test` doesn't have these options.
        "DBT_EVENT_TIME_START": "{{ data_interval_start | ds }}",
        "DBT_EVENT_TIME_END": "{{ data_interval_end | ds }}",
        # A folder for each task: concurrent tasks write different files, and a retry finds the previous files.
        "DBT_TARGET_PATH": str(PARSED / "{{ task.task_id }}"),
        "DBT_LOG_PATH": str(PARSED / "{{ task.task_id }}"),
        "DBT_PARTIAL_PARSE_FILE_PATH": str(PARSED / "partial_parse.msgpack"),
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
    },
    "should_store_compiled_sql": False,
    "pool": "penstock_server",
    "retries": 2,
    "retry_delay": retry_delay(timedelta(minutes=5)),
}

with DAG(
    dag_id="penstock_monthly",
    description="Land a month of trip files and build the tested warehouse",
    # An interval is a calendar month; its run begins when the month has ended.
    schedule=CronDataIntervalTimetable("0 0 1 * *", timezone="UTC"),
    start_date=datetime.strptime(START, "%Y-%m").replace(tzinfo=timezone.utc),
    # Months that ended while no scheduler ran get their runs too, from `start_date`, one after another.
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
            # A model's tests run with it in one dbt process: if they fail, downstream models wait.
            test_behavior=TestBehavior.BUILD,
            emit_datasets=False,
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.LOCAL,
            invocation_mode=InvocationMode.SUBPROCESS,
            # Excludes tests that read models that are built later.
            test_indirect_selection=TestIndirectSelection.BUILDABLE,
            dbt_executable_path=DBT["dbt_executable_path"],
        ),
        operator_args={name: value for name, value in DBT.items() if name != "dbt_executable_path"},
    )
    if LAND:
        with TaskGroup("land") as land:
            for name in LAND:
                landing_task(name)
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
