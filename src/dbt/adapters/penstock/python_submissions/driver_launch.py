"""Prepare a spark-submit driver: its Spark settings, its folder of files, and its environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from dbt.adapters.penstock.connections import managed_server
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.errors import AdapterError
from dbt.adapters.penstock.python_submissions.config import PythonConfig
from penstock.config import addresses
from penstock.config.sections import Ports
from penstock.config.settings import Settings
from penstock.python_runtime.job import Job
from penstock.spark import jars, java, masters
from penstock.spark.access import authentication, secret
from penstock.spark.executors import launch
from penstock.spark.metastore import location
from penstock.spark.server import configuration, control

URIS = "spark.hadoop.hive.metastore.uris"
OPTIONS = "spark.driver.extraJavaOptions"
CONNECT_PLUGIN = "org.apache.spark.sql.connect.SparkConnectPlugin"
LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1}: %m%n%ex
"""


def own_settings(server: Mapping[str, str], node: str, conf: Mapping[str, str], master: str | None) -> dict[str, str]:
    """Return the settings of a driver that runs in addition to the server.

    The driver uses the server's catalog and tables, but not the server's ports.

    Args:
        server: the server's settings.
        node: dbt's unique id of the node, which becomes the application's name.
        conf: the model's `spark_conf`, which overrides the server's settings.
        master: the model's `master`, or None to keep the server's master.
    """
    kept = {key: value for key, value in server.items() if not key.startswith("spark.connect.")}
    plugins = [item for item in kept.pop("spark.plugins", "").split(",") if item.strip() not in ("", CONNECT_PLUGIN)]
    return {
        **kept,
        **({"spark.plugins": ",".join(plugins)} if plugins else {}),
        "spark.app.name": node,
        "spark.ui.port": "0",
        # With this setting, both submission methods convert a pandas DataFrame to the same columns.
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        **({"spark.master": master} if master else {}),
        **conf,
    }


def spark_settings(
    credentials: PenstockCredentials, settings: Settings, table_jars: list[Path], job: Job, config: PythonConfig
) -> dict[str, str]:
    """Return a driver's settings, except those that depend on the driver's folder.

    Raises:
        DbtRuntimeError: the server is remote, and the settings do not name its metastore.
    """
    ports = managed_server(credentials).ports if credentials.managed else Ports()
    if not credentials.managed:
        control.make_state_folders(settings)
        secret.ensure(settings.state_dir)  # the secret of the driver's own UI
    server = configuration.spark_defaults(settings, ports, "", table_jars)
    named = not location.runs_own_metastore(settings) or URIS in {**settings.server.spark_conf, **config.spark_conf}
    if not credentials.managed and not named:
        raise AdapterError(
            f"the metastore of {credentials.host} for {job.name} (submission_method: spark_submit)",
            "none in penstock.yml",
            "set `metastore: thrift://host:9083` there",
        )
    server = authentication.driver_settings(server, settings, config.master) if config.master else server
    return own_settings(server, job.node, config.spark_conf, config.master)


def check_master(settings: Settings, config: PythonConfig, name: str) -> None:
    """Check that a driver can start. Without this check, spark-submit would try for a minute before it fails.

    Raises:
        PenstockError: the master does not answer, or the deploy mode is not supported.
    """
    master = config.master or settings.server.master
    if config.deploy_mode == "cluster":
        why = "penstock follows what a model prints, and its errors, in a driver on this machine"
        if master.startswith("spark://"):
            why = "a standalone master takes no Python driver in cluster mode"
        elif addresses.is_local(master):
            why = "there is no cluster"
        raise AdapterError(
            f"a driver beside dbt for the Python model {name}",
            f"deploy_mode: cluster with {master}: {why}",
            "drop deploy_mode: the model's tasks run on the executors all the same",
        )
    masters.require_reachable(settings, master)


def executor_wait(settings: Settings, conf: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the seconds that a driver's jobs wait for an executor, and the error for the case that no executor starts.

    If the master is local, return None, since a local master needs no executors.
    """
    master = conf["spark.master"]
    if addresses.is_local(master):
        return None
    executors = settings.server.executors
    cores = conf.get("spark.executor.cores", executors.cores)
    memory = conf.get("spark.executor.memory", executors.memory)
    error = launch.no_executor_error(master, executors.count, int(cores), memory, executors.wait_seconds)
    return {"seconds": executors.wait_seconds, "error": str(error)}


def prepare(
    folder: Path,
    job: Job,
    conf: Mapping[str, str],
    keep_plan: bool,
    wait: dict[str, Any] | None = None,
) -> Path:
    """Write the files of a driver to its folder, and return the path of the settings file.

    Only the folder's owner can read these files. The settings are not passed on the command line, since every user of
    the machine can read command lines.
    """
    process = psutil.Process()
    parent = [process.pid, process.create_time()]
    data = {"job": json.loads(job.dumps()), "parent": parent, "plan": keep_plan, "wait": wait}
    (folder / "job.json").write_text(json.dumps(data))
    own_conf = folder / "conf"
    own_conf.mkdir()
    (own_conf / "log4j2.properties").write_text(LOG4J)
    temporary_folders = (
        f'"-Djava.io.tmpdir={folder}" "-Dderby.system.home={folder}" '
        f'"-Dderby.stream.error.file={folder / "derby.log"}" -XX:-UsePerfData'
    )
    properties = {
        **conf,
        "spark.local.dir": str(folder),
        "spark.hadoop.hive.exec.scratchdir": str(folder / "hive"),
        OPTIONS: f"{temporary_folders} {conf.get(OPTIONS, '')}".strip(),
    }
    lines = [f"{key} {value.replace(chr(92), chr(92) * 2)}" for key, value in sorted(properties.items()) if value]
    file = folder / "spark.properties"
    file.write_text("\n".join(lines) + "\n")
    return file


def environment(settings: Settings, jvm: java.Java, folder: Path, master: str) -> dict[str, str]:
    """Return the driver's environment variables.

    The variables select the project's Spark. `HADOOP_CONF_DIR` comes from dbt's own environment.
    """
    variables = configuration.environment(settings, jvm, folder / "conf")
    if cluster := os.environ.get("HADOOP_CONF_DIR"):
        variables["HADOOP_CONF_DIR"] = cluster
    if addresses.is_local(master):
        # A local master runs tasks with this Python, even if the server's executors use a different Python.
        variables["PYSPARK_PYTHON"] = sys.executable
    return {**variables, "PYTHONUNBUFFERED": "1"}


def resolve(settings: Settings) -> tuple[java.Java, list[Path]]:
    """Return the project's Java and the jars of table formats. Also pack the Python packages for the executors."""
    launch.pack_packages(settings)
    jvm = java.find(settings.server.java_home)
    return jvm, jars.server_jars(settings, jvm)
