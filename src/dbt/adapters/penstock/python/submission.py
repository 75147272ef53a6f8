"""What a spark_submit driver is started with: Spark's settings, a folder of files, the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import psutil
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.connections import managed_server
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.python.config import PythonConfig
from penstock.pymodel.job import Job
from penstock.server import configuration, jars, java
from penstock.settings import Ports, Settings, find_root, load

URIS = "spark.hadoop.hive.metastore.uris"
CLASS_PATH = "spark.driver.extraClassPath"
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


def settings_of(credentials: PenstockCredentials) -> Settings:
    """The project's penstock.yml."""
    return load(find_root(Path(credentials.project_root)))


def own_settings(server: Mapping[str, str], node: str, conf: Mapping[str, str], master: str | None) -> dict[str, str]:
    """Settings of a driver beside the server: the same catalog and tables, none of its ports.

    Args:
        server: the server's settings.
        node: dbt's unique id, the application's name.
        conf: the model's `spark_conf`, put over the server's.
        master: the model's `master`; None keeps the server's.
    """
    kept = {key: value for key, value in server.items() if not key.startswith("spark.connect.")}
    plugins = [item for item in kept.pop("spark.plugins", "").split(",") if item.strip() not in ("", CONNECT_PLUGIN)]
    return {
        **kept,
        **({"spark.plugins": ",".join(plugins)} if plugins else {}),
        "spark.app.name": node,
        "spark.ui.port": "0",
        # Both kinds of session turn a pandas frame into the same columns.
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        **({"spark.master": master} if master else {}),
        **conf,
    }


def spark_settings(
    credentials: PenstockCredentials, settings: Settings, table_jars: list[Path], job: Job, config: PythonConfig
) -> dict[str, str]:
    """All of a driver's settings but those of its folder.

    Raises:
        DbtRuntimeError: a remote server whose metastore isn't named.
    """
    ports = managed_server(credentials).ports if credentials.managed else Ports()
    server = configuration.spark_defaults(settings, ports, "", table_jars)
    if not credentials.managed and URIS not in {**settings.server.spark_conf, **config.spark_conf}:
        raise DbtRuntimeError(
            f"needed: the metastore of {credentials.host} for {job.name} (submission_method: spark_submit). "
            f"found: none in penstock.yml. do: set {URIS} under server.spark_conf"
        )
    return own_settings(server, job.node, config.spark_conf, config.master)


def prepare(folder: Path, job: Job, conf: Mapping[str, str], table_jars: list[Path], keep_plan: bool) -> Path:
    """Fill a driver's folder, readable by its owner only, and return its settings file.

    Settings go through a file: on the command line any user of the machine could read them.
    """
    me = psutil.Process()
    parent = [me.pid, me.create_time()]
    told = {"job": json.loads(job.dumps()), "parent": parent, "plan": keep_plan}
    (folder / "job.json").write_text(json.dumps(told))
    own_conf = folder / "conf"
    own_conf.mkdir()
    (own_conf / "log4j2.properties").write_text(LOG4J)
    inside = (
        f'"-Djava.io.tmpdir={folder}" "-Dderby.system.home={folder}" '
        f'"-Dderby.stream.error.file={folder / "derby.log"}" -XX:-UsePerfData'
    )
    class_path = os.pathsep.join([*map(str, table_jars), *filter(None, [conf.get(CLASS_PATH)])])
    whole = {
        **conf,
        "spark.local.dir": str(folder),
        "spark.hadoop.hive.exec.scratchdir": str(folder / "hive"),
        CLASS_PATH: class_path,
        OPTIONS: f"{inside} {conf.get(OPTIONS, '')}".strip(),
    }
    lines = [f"{key} {value.replace(chr(92), chr(92) * 2)}" for key, value in sorted(whole.items()) if value]
    file = folder / "spark.properties"
    file.write_text("\n".join(lines) + "\n")
    return file


def environment(settings: Settings, found: java.Java, folder: Path) -> dict[str, str]:
    """The driver's environment: of this project's Spark, with the Hadoop cluster that dbt's own names."""
    made = configuration.environment(settings, found, folder / "conf")
    if cluster := os.environ.get("HADOOP_CONF_DIR"):
        made["HADOOP_CONF_DIR"] = cluster
    return {**made, "PYTHONUNBUFFERED": "1"}


def resolve(settings: Settings) -> tuple[java.Java, list[Path]]:
    """The project's Java and table-format jars."""
    found = java.find(settings.server.java_home)
    return found, jars.resolve(settings.server.packages, settings.state_dir, found)
