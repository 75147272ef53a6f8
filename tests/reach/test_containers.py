"""What the containers of the Kubernetes image do, by the image's own entry point, without a cluster."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
import yaml

from penstock.config.settings import load
from penstock.spark import jars, java
from penstock.spark.distribution import spark_home
from penstock.spark.java_modules import module_options
from penstock.spark.metastore import location
from penstock.spark.server import control
from tests.reach import postgres
from tests.reach.external_tools import missing
from tests.reach.manifests import CONFIG, FOLDER
from tests.reach.processes import free_port, own_ports, running
from tests.support.polling import wait_until
from tests.support.projects import Project, small_project

ENTRY = str(FOLDER / "entrypoint.sh")
SECONDS = 180
# What a k8s:// driver tells its executors of itself goes into numbered variables: options, here with a space.
SECRET = "of-this-driver"
TABLES = "select table_name from information_schema.tables where table_schema = 'public'"
DRIVER = """
import sys
from pyspark import SparkConf, SparkContext
master, port = sys.argv[1:]
conf = SparkConf().setMaster(master).set("spark.driver.host", "127.0.0.1").set("spark.driver.port", port)
conf.set("spark.driver.bindAddress", "127.0.0.1").set("spark.ui.enabled", "false").set("spark.cores.max", "1")
conf.set("spark.authenticate", "true").set("spark.authenticate.secret", "of-this-driver")
conf.set("spark.network.crypto.enabled", "true")
context = SparkContext(conf=conf)
print("application", context.applicationId, flush=True)
print("sum", context.parallelize(range(1000), 4).map(lambda number: number * 2).sum(), flush=True)
context.stop()
"""


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _running(log: Path, *command: str, **environment: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A process with the container's environment; its JVM may take a minute to end."""
    return running(command, log, 60, env=_environment(**environment))


def _environment(**more: str) -> dict[str, str]:
    """As the image sets it, for this environment's folders."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_", "SPARK_"))}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "JAVA_HOME": str(java.find(None).home),
        "SPARK_HOME": str(spark_home()),
        "PYSPARK_PYTHON": sys.executable,
        "PENSTOCK_CONFIG": str(CONFIG),
        **more,
    }


def _until(what: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something is so, as long as the process lives."""

    def is_so() -> bool:
        assert process.poll() is None, log.read_text()[-4000:]
        return bool(what())

    wait_until(is_so, f"see {log}")


def test_metastore_keeps_tables_in_postgresql_for_a_server(tmp_path: Path) -> None:
    """The metastore's container beside PostgreSQL, and a server whose settings name it, as in the pods."""
    programs = postgres.programs()
    if programs is None:
        missing("needed: PostgreSQL. found: none. do: Debian: apt-get install postgresql")
    found_java = java.find(None)
    shared = tmp_path / "state"
    jars.resolve((location.DRIVER,), shared, found_java)
    log, port = tmp_path / "metastore.log", free_port()
    with postgres.running(programs) as database:
        settings = {
            "METASTORE_URL": f"jdbc:postgresql://127.0.0.1:{database.port}/metastore",
            "METASTORE_USER": postgres.USER,
            "METASTORE_PASSWORD": postgres.PASSWORD,
            "METASTORE_PORT": str(port),
            "METASTORE_HEAP": "512m",
            "PENSTOCK_JARS": str(shared / "jars"),
        }
        with _running(log, ENTRY, "metastore", **settings) as process:
            _until(lambda: _answers(port), process, log)
            # All are there before the first request: made within one, some would wait for it for ever.
            assert {"TBLS", "TABLE_PARAMS", "TBL_PRIVS", "PARTITIONS"} <= set(database.sql(TABLES).split())
            project = small_project(tmp_path / "project", {"models/kept.sql": "select 7 as number"})
            path = project.root / "penstock.yml"
            path.write_text(
                yaml.safe_dump({**yaml.safe_load(path.read_text()), "metastore": f"thrift://127.0.0.1:{port}"})
            )
            try:
                done = project.dbt("run")
                assert done.returncode == 0, done.stdout
                running = control.current(project.settings)
                assert running and running.metastore is None
                assert project.sql("select number from small.kept") == [(7,)]
                assert database.sql("""select "TBL_NAME" from "TBLS" """) == "kept"
            finally:
                control.down(project.settings)
        assert postgres.PASSWORD not in log.read_text()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A model that works, and one that doesn't; on ports of its own: alone in its pod, `server` tries no others."""
    made = small_project(
        tmp_path_factory.mktemp("run"),
        {"models/good.sql": "select 1 as number", "models/wrong.sql": "select nothing_like_it as number"},
        ports=own_ports(),
    )
    try:
        yield made
    finally:
        control.down(made.settings)


@pytest.mark.parametrize(("model", "code"), [("good", 0), ("wrong", 1)])
def test_a_run_gives_dbts_exit_code_and_leaves_no_server(project: Project, model: str, code: int) -> None:
    done = subprocess.run(
        [ENTRY, "run", "dbt", "run", "--select", model],
        env=_environment(PENSTOCK_PROJECT=str(project.root)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert f"of 1 {'OK' if code == 0 else 'ERROR'} created" in done.stdout or code, done.stdout
    assert done.stdout.rstrip().endswith("down")
    assert control.current(project.settings) is None


def test_a_run_that_is_told_to_end_ends_its_command_and_its_server(project: Project, tmp_path: Path) -> None:
    """As when a pod is deleted: the signal reaches the command, the server goes, the code isn't 0."""
    log = tmp_path / "log"
    words = ("run", "sh", "-c", "penstock up && exec sleep 600")
    with _running(log, ENTRY, *words, PENSTOCK_PROJECT=str(project.root)) as process:
        _until(lambda: control.current(project.settings), process, log)
        family = psutil.Process(process.pid)
        _until(lambda: any(p.name() == "sleep" for p in family.children(recursive=True)), process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) not in (0, None)
    assert control.current(project.settings) is None


def test_server_stays_in_front_and_takes_its_token_from_the_environment(project: Project, tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {"PENSTOCK_PROJECT": str(project.root), "PENSTOCK_TARGET": "dev"}
    refused = subprocess.run([ENTRY, "server"], env=_environment(**environment), capture_output=True, text=True)
    assert refused.returncode != 0 and "PENSTOCK_CONNECT_TOKEN" in refused.stderr
    token = "of-the-secret"
    with _running(log, ENTRY, "server", **environment, PENSTOCK_CONNECT_TOKEN=token) as process:
        _until(lambda: control.current(load(project.root, "dev")), process, log)
        running = control.current(load(project.root, "dev"))
        assert running and running.token == token and running.supervisor.pid == process.pid
        process.terminate()
        assert process.wait(SECONDS) == 0
    assert control.current(load(project.root, "dev")) is None


def test_executor_takes_what_spark_puts_into_its_environment(tmp_path: Path) -> None:
    """A driver without a worker gets its tasks done by the executor's container, which knows the secret."""
    safe = ["-Dspark.authenticate=true", f"-Dspark.authenticate.secret={SECRET}", "-Dspark.network.crypto.enabled=true"]
    found, jar_path = java.find(None), str(spark_home() / "jars" / "*")
    master, page, port = free_port(), free_port(), free_port()
    words = ["-cp", jar_path, "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1"]
    words += ["--port", str(master), "--webui-port", str(page)]
    logs = {name: tmp_path / f"{name}.log" for name in ("master", "driver", "executor")}
    begin = [str(found.executable), "-Xmx256m", *module_options(found), *safe, *words]
    with _running(logs["master"], *begin, SPARK_LOCAL_IP="127.0.0.1") as one:
        _until(lambda: _answers(master), one, logs["master"])
        program = [sys.executable, "-c", DRIVER, f"spark://127.0.0.1:{master}", str(port)]
        with _running(logs["driver"], *program, SPARK_LOCAL_IP="127.0.0.1") as driver:
            _until(lambda: "application" in logs["driver"].read_text(), driver, logs["driver"])
            application = logs["driver"].read_text().split("application ")[1].split()[0]
            options = [*module_options(found), "-Dspark.authenticate=true", "-Dspark.network.crypto.enabled=true"]
            options += [f"-Dspark.driver.port={port}", "-Dreach.words=two words"]
            given = {
                **{f"SPARK_JAVA_OPT_{number}": option for number, option in enumerate(options)},
                "_SPARK_AUTH_SECRET": SECRET,
                "SPARK_DRIVER_URL": f"spark://CoarseGrainedScheduler@127.0.0.1:{port}",
                "SPARK_EXECUTOR_ID": "7",
                "SPARK_EXECUTOR_CORES": "1",
                "SPARK_EXECUTOR_MEMORY": "512m",
                "SPARK_APPLICATION_ID": application,
                "SPARK_EXECUTOR_POD_IP": "127.0.0.1",
                "SPARK_EXECUTOR_POD_NAME": "penstock-exec-7",
                "SPARK_RESOURCE_PROFILE_ID": "0",
                "SPARK_LOCAL_DIRS": str(tmp_path),
                "SPARK_LOCAL_IP": "127.0.0.1",
            }
            with _running(logs["executor"], ENTRY, "executor", **given) as executor:
                _until(lambda: "sum" in logs["driver"].read_text(), driver, logs["driver"])
                assert driver.wait(60) == 0
                assert executor.wait(60) is not None, logs["executor"].read_text()
    assert "sum 999000" in logs["driver"].read_text()


def test_another_word_is_refused_and_the_known_ones_are_named() -> None:
    done = subprocess.run([ENTRY, "sevrer"], env=_environment(), capture_output=True, text=True)
    assert done.returncode == 64
    assert "metastore, server, executor or run" in done.stderr and "sevrer" in done.stderr
