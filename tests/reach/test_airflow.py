"""The DAG of orchestration/airflow: as Airflow reads it, and run for real on a server of the project's own."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psutil
import pytest

from penstock.spark.server import control
from tests.reach.airflow_home import HERE, ROWS, Airflow, write_months
from tests.support.projects import INTERPRETED, ROOT, make_project

JANUARY, FEBRUARY = "2024-01", "2024-02"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Airflow set up for a project with an empty lake and no server up."""
    folder = tmp_path_factory.mktemp("airflow")
    project = make_project(folder / "project", memory="2g", spark_conf=INTERPRETED)
    write_months(folder / "raw", JANUARY, FEBRUARY)
    made = Airflow(folder / "home", project, folder / "raw")
    try:
        made.setup()
        yield made
    finally:
        control.down(project.settings)


@pytest.fixture(scope="module")
def manifest(airflow: Airflow) -> dict[str, Any]:
    """dbt's graph, as setup wrote it."""
    found: dict[str, Any] = json.loads((airflow.project.root / "target/airflow/manifest.json").read_text())
    return found


@pytest.fixture(scope="module")
def graph(airflow: Airflow) -> dict[str, Any]:
    """The DAG with its defaults."""
    return airflow.graph()


def task(node: dict[str, Any]) -> str:
    """The task of a node of dbt's graph."""
    return f"models.{node['name']}_{node['resource_type']}_build"


def built(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What dbt builds, but for what learns."""
    kinds = ("model", "seed", "snapshot")
    nodes = manifest["nodes"].items()
    return {name: node for name, node in nodes if node["resource_type"] in kinds and "ml" not in node["tags"]}


def test_the_dag_has_one_task_a_model_and_the_edges_of_dbt(graph: dict[str, Any], manifest: dict[str, Any]) -> None:
    assert graph["errors"] == {}
    tasks = graph["dags"]["penstock_monthly"]
    nodes = built(manifest)
    land = {f"land.{dataset}" for dataset in ROWS}
    assert len(nodes) > 20
    assert set(tasks) == {task(node) for node in nodes.values()} | land | {"tests"}
    for node in nodes.values():
        parents = {task(nodes[name]) for name in node["depends_on"].get("nodes", ()) if name in nodes}
        assert set(tasks[task(node)]) == (parents or land), node["name"]
    # The same by name, so that an empty graph on both sides can't pass.
    above = {name.removeprefix("models."): before for name, before in tasks.items()}
    assert above["hourly_zone_revenue_model_build"] == ["models.dim_zones_model_build", "models.fct_trips_model_build"]
    assert above["int_trips_checked_model_build"] == ["models.int_trips_windowed_model_build"]
    assert above["monthly_zone_revenue_model_build"] == ["models.fct_trips_model_build"]


def test_runs_follow_one_another_and_dbt_waits_for_its_pool(graph: dict[str, Any]) -> None:
    assert graph["settings"] == {"penstock_monthly": [1, True]}
    assert {name for name, pool in graph["pools"].items() if pool != "penstock_server"} == {
        f"land.{dataset}" for dataset in ROWS
    }


def test_the_variables_choose_a_part(airflow: Airflow) -> None:
    part = airflow.graph(PENSTOCK_AIRFLOW_SELECT="+int_trips", PENSTOCK_AIRFLOW_LAND="")["dags"]["penstock_monthly"]
    assert {name.removeprefix("models.") for name in part} == {
        "stg_green_trips_model_build",
        "stg_yellow_trips_model_build",
        "int_trips_windowed_model_build",
        "int_trips_checked_model_build",
        "int_trips_model_build",
    }


def test_without_setup_the_dag_says_what_to_do(airflow: Airflow, tmp_path: Path) -> None:
    errors = airflow.graph(PENSTOCK_PROJECT=str(tmp_path))["errors"]
    assert f"do: {HERE / 'setup'}" in errors["penstock_monthly.py"]


def test_the_commands_of_the_page_are_airflows(airflow: Airflow) -> None:
    """Each is one that this Airflow takes, options and all; those that need a scheduler are run by nobody here."""
    page = (ROOT / "docs/how-to/airflow.md").read_text().replace("\\\n", " ")
    commands = [shlex.split(line, comments=True) for line in re.findall(r"airflow/airflow ([^`\n]+)", page)]
    assert {command[0] for command in commands} == {"dags", "backfill", "tasks"}
    assert ["dags", "test", "penstock_monthly", "2024-02-01"] in commands
    check = "import json, sys; from airflow.cli.cli_parser import get_parser\n"
    check += "for words in json.loads(sys.argv[1]): get_parser().parse_args(words)"
    done = subprocess.run(
        [airflow.venv / "bin/python", "-c", check, json.dumps(commands)],
        env=airflow.environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_two_tasks_at_once_start_one_server(airflow: Airflow) -> None:
    """Nothing is up: both of them want to start it, and each writes a target folder of its own."""
    root = airflow.project.root
    assert control.current(airflow.project.settings) is None
    as_cosmos = ("--project-dir", root.parent, "--profiles-dir", root, "--profile", "penstock", "--target", "local")
    runs = [
        subprocess.Popen(
            [HERE / "dbt-in-place", "build", "--indirect-selection", "buildable", "--select", seed, *as_cosmos],
            env=airflow.environment(
                DBT_TARGET_PATH=f"target/airflow/{seed}",
                DBT_LOG_PATH=f"target/airflow/{seed}",
                DBT_PARTIAL_PARSE_FILE_PATH=str(root / "target/airflow/partial_parse.msgpack"),
            ),
            cwd=airflow.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for seed in ("vendors", "rate_codes")
    ]
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert not any("Unable to do partial parsing" in text for text in outputs)
    started = [line for line in airflow.servers() if str(root) in line]
    assert len(started) == 1, started
    for seed in ("vendors", "rate_codes"):
        results = json.loads((root / f"target/airflow/{seed}/run_results.json").read_text())["results"]
        assert f"seed.penstock.{seed}" in {result["unique_id"] for result in results}


def test_a_month_is_landed_built_and_tested(airflow: Airflow, tmp_path: Path) -> None:
    """Another month is in the lake already; the run builds the interval it was given, and no other."""
    project = airflow.project
    assert project.penstock("land", "yellow", FEBRUARY, "--from", str(airflow.raw)).returncode == 0
    before = control.current(project.settings)
    code, log = airflow.test_run(
        "2024-02-01",
        tmp_path / "january.log",
        PENSTOCK_AIRFLOW_LAND="green yellow",
        PENSTOCK_AIRFLOW_SELECT="+fct_trips +dim_zones",
    )
    assert code == 0, log[-3000:]
    last = log.strip().splitlines()[-1]
    assert "DagRun Finished: dag_id=penstock_monthly" in last and "state=success" in last, last
    assert f"interval: from {JANUARY}-01 to {FEBRUARY}-01, without that day" in log
    assert "OK created sql incremental model warehouse.fct_trips" in log
    tries = airflow.tries(JANUARY)
    assert set(tries.values()) == {(1, "success")}, tries
    assert {"land.green", "models.fct_trips_model_build", "tests"} <= set(tries)
    months = project.sql("select cast(pickup_month as string), count(*) > 2000 from warehouse.fct_trips group by 1")
    assert months == [(f"{JANUARY}-01", True)]
    # The tasks' processes shared the server that was up.
    assert control.current(project.settings) == before
    assert airflow.left_running() == []


def test_a_task_that_failed_is_tried_again_and_succeeds(airflow: Airflow, tmp_path: Path) -> None:
    """A file that isn't published yet, and a landed one that is damaged: each is put right after the first try."""
    project = airflow.project
    assert project.penstock("land", "yellow", FEBRUARY, "--from", str(airflow.raw)).returncode == 0
    late = airflow.raw / f"green_tripdata_{FEBRUARY}.parquet"
    moved = late.rename(tmp_path / late.name)
    (landed,) = (project.root / "lake/yellow").glob(f"file_month={FEBRUARY}-01/*/part-0.parquet")
    done: list[str] = []

    def react(line: str) -> None:
        """Damage the file before the model that reads it next; put right what a try complains of."""
        if "refused" in line and f"green    {FEBRUARY}" in line and "published" not in done:
            moved.rename(late)
            done.append("published")
        elif "end task task_id=models.int_trips_windowed" in line:
            landed.write_bytes(landed.read_bytes()[:100])
            done.append("damaged")
        elif "needed: the landed files of the lake" in line and "repaired" not in done:
            output = project.penstock("land", "yellow", FEBRUARY, "--from", str(airflow.raw)).stdout
            done.append("repaired" if "repaired" in output else output)

    code, log = airflow.test_run(
        "2024-03-01",
        tmp_path / "february.log",
        react,
        PENSTOCK_AIRFLOW_LAND="green",
        PENSTOCK_AIRFLOW_SELECT="+int_trips_checked",
    )
    assert code == 0, log[-3000:]
    assert done == ["published", "damaged", "repaired"]
    last = log.strip().splitlines()[-1]
    assert "DagRun Finished: dag_id=penstock_monthly" in last and "state=success" in last, last
    tries = airflow.tries(FEBRUARY)
    assert tries.pop("land.green") == (2, "success")
    assert tries.pop("models.int_trips_checked_model_build") == (2, "success")
    assert set(tries.values()) == {(1, "success")}, tries
    assert "up_for_retry" in log
    rows = "select count(*) from intermediate.int_trips_checked where file_month = "
    assert project.sql(f"{rows}date'{FEBRUARY}-01'") == [(ROWS["green"] + ROWS["yellow"],)]
    ledger = project.penstock("batches", "int_trips_checked", "--all", "--json")
    attempts = [json.loads(line) for line in ledger.stdout.splitlines()]
    assert attempts and attempts[-1]["outcome"] == "built", ledger.stdout
    assert airflow.left_running() == []


def test_the_scheduler_runs_the_month_that_has_ended(airflow: Airflow, tmp_path: Path) -> None:
    """Its parts listen on this machine alone and end when told; two tasks at a time may run, on one server."""
    month = (datetime.now(timezone.utc).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chosen = {
        "PENSTOCK_AIRFLOW_START": month,
        "PENSTOCK_AIRFLOW_LAND": "",
        "PENSTOCK_AIRFLOW_SELECT": "vendors rate_codes",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
    }
    unpause = [str(HERE / "airflow"), "dags", "unpause", "penstock_monthly", "--yes"]
    environment = airflow.environment(**chosen)
    deadline = time.monotonic() + 900
    with airflow.serving(tmp_path / "serve.log", **chosen) as family:

        def waiting() -> None:
            assert family.is_running() and time.monotonic() < deadline, (tmp_path / "serve.log").read_text()[-3000:]
            time.sleep(1)

        # It ends well, too, when the DAG isn't known yet; then it names none.
        while b"penstock_monthly" not in subprocess.run(unpause, env=environment, capture_output=True).stdout:
            waiting()
        while {state for _, state in airflow.tries(month).values()} != {"success"}:
            waiting()
        # By number, of a list of all connections: a part may end while the parts are asked one by one.
        parts = {part.pid for part in family.children(recursive=True)}
        listening = {
            (at.laddr[0], at.laddr[1])
            for at in psutil.net_connections("inet")
            if at.pid in parts and at.status == psutil.CONN_LISTEN and at.laddr
        }
        # One that misses its word to end doesn't keep the others from ending.
        airflow.idle_worker(family).suspend()
    assert ("127.0.0.1", port) in listening
    assert {host for host, _ in listening} == {"127.0.0.1"}, listening
    assert airflow.tries(month) == dict.fromkeys(
        ("models.vendors_seed_build", "models.rate_codes_seed_build"), (1, "success")
    )
    assert airflow.slots() == 2
    assert len([line for line in airflow.servers() if str(airflow.project.root) in line]) == 1
