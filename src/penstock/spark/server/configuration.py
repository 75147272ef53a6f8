"""Configuration files, JVM options and environment of a server's two JVMs, Spark and the metastore.

Settings that SQL and Python must share (time zone, ANSI mode, Delta's catalog) are defaults of the server. So Thrift
sessions and Connect sessions behave the same.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import psutil

from penstock.config.sections import Ports
from penstock.config.settings import Settings
from penstock.spark import class_archive, distribution, iceberg_catalogs, object_stores
from penstock.spark.access import authentication, secret
from penstock.spark.distribution import spark_home
from penstock.spark.executors import launch
from penstock.spark.java import Java
from penstock.spark.java_modules import launcher_home, module_options
from penstock.spark.metastore import location
from penstock.spark.ports import LOOPBACK
from penstock.sql import data_types
from penstock.storage import private_files

DELTA_EXTENSIONS = "io.delta.sql.DeltaSparkSessionExtension"


def heap(settings: Settings) -> str:
    """Return the driver's heap size as configured. `auto` means 40 % of the memory, limited to 1 to 16 GiB."""
    if settings.server.memory != "auto":
        return settings.server.memory
    mebibytes = int(psutil.virtual_memory().total * 0.4 / 2**20)
    return f"{max(1024, min(16384, mebibytes))}m"


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spark_defaults(settings: Settings, ports: Ports, token: str, jars: list[Path]) -> dict[str, str]:
    """Return Spark's settings: penstock's defaults, overridden by the user's `server.spark_conf`.

    Args:
        settings: the project's settings.
        ports: the server's ports.
        token: the server's secret.
        jars: the jars that the server adds to Spark's own jars.
    """
    state = settings.state_dir
    own = {
        "spark.app.name": "penstock",
        "spark.master": settings.server.master,
        "spark.driver.memory": heap(settings),
        **({"spark.driver.host": LOOPBACK} if settings.server.bind == LOOPBACK else {}),
        "spark.driver.bindAddress": settings.server.bind,
        "spark.ui.port": str(ports.ui),
        "spark.ui.showConsoleProgress": "false",
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": settings.server.bind,
        "spark.connect.grpc.binding.port": str(ports.connect),
        "spark.connect.authenticate.token": token,
        **authentication.spark_settings(settings),
        "spark.local.dir": str(state / "tmp"),
        "spark.scheduler.mode": "FAIR",
        # All sessions share one catalog through the metastore.
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": settings.warehouse_uri,
        "spark.sql.extensions": DELTA_EXTENSIONS,
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # Settings that SQL and Python must share.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.legacy.createHiveTableByDefault": "false",
        # Keep `${name}` in a literal, a comment or a column's description as text.
        "spark.sql.variable.substitute": "false",
        # With little data and few cores, Spark's 200 shuffle partitions only cost time. So do the 50 tasks in which
        # Delta reads a table's log for each scan: one task reads a log of 100,000 files in seconds.
        "spark.sql.shuffle.partitions": str(max(4, 2 * cores())),
        "spark.databricks.delta.snapshotPartitions": "1",
        # With this optimization `select max(day)` fails in a Thrift session (Delta 4.3):
        # java.time.LocalDate cannot be cast to java.sql.Date.
        "spark.databricks.delta.optimizeMetadataQuery.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "128",
        # A server runs the same models and tests many times, so keep their compiled classes. The default is 100.
        "spark.sql.codegen.cache.maxEntries": "3000",
        # A task that writes up to 16 partitions keeps a file open for each, instead of sorting its rows first.
        "spark.sql.maxConcurrentOutputFileWriters": "16",
        **data_types.UNTRUNCATED_TYPES,
        # A server serves many runs, so limit the history of its UI.
        "spark.ui.retainedJobs": "500",
        "spark.ui.retainedStages": "500",
        "spark.sql.ui.retainedExecutions": "300",
        "spark.ui.dagGraph.retainedRootRDDs": "200",
        # By default, the UI is updated ten times a second.
        "spark.ui.liveUpdate.period": "1s",
    }
    hive = {
        f"spark.hadoop.{key}": value for key, value in hive_site(settings, ports).items() if key.startswith("hive.")
    }
    cluster = launch.spark_defaults(settings, jars)
    catalogs = iceberg_catalogs.spark_settings(settings, DELTA_EXTENSIONS)
    stores = object_stores.spark_settings(settings)
    return {**own, **cluster, **stores, **hive, **catalogs, **settings.server.spark_conf}


def hive_site(settings: Settings, ports: Ports) -> dict[str, str]:
    """Return Hive's settings, for the metastore and for Spark's Hive client."""
    state = settings.state_dir
    return {
        **location.hive_site(settings, ports),
        **object_stores.hadoop_settings(settings),
        "datanucleus.schema.autoCreateAll": "true",
        "datanucleus.connectionPoolingType": "HikariCP",  # Spark does not ship Hive's default, BoneCP
        "hive.metastore.schema.verification": "false",
        "hive.metastore.warehouse.dir": settings.warehouse_uri,
        # Let Spark's client wait for a metastore that is still starting.
        "hive.metastore.connect.retries": "120",
        "hive.metastore.client.connect.retry.delay": "1s",
        "hive.metastore.failure.retries": "5",
        "hive.async.log.enabled": "false",
        # By default Hive creates its other folders in java.io.tmpdir, some of them for each session.
        "hive.exec.scratchdir": str(state / "tmp" / "hive"),
        # A session that closes lists this folder, and logs an error if the folder is missing.
        "hive.exec.local.scratchdir": str(state / "tmp"),
        "hive.server2.logging.operation.enabled": "false",
        **authentication.HIVE,
    }


LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.stdout.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_OUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss} %p %c{1}: %m%n%ex
logger.conf.name = org.apache.hadoop.hive.conf.HiveConf
logger.conf.level = error
logger.thrift.name = org.apache.thrift
logger.thrift.level = error
logger.scheduler.name = org.apache.spark.scheduler.DAGScheduler
logger.scheduler.level = error
logger.catalog.name = org.apache.spark.sql.hive.HiveExternalCatalog
logger.catalog.level = error
logger.store.name = org.apache.hadoop.hive.metastore.ObjectStore
logger.store.level = error
logger.sink.name = org.apache.spark.sql.execution.streaming.sinks.FileStreamSink
logger.sink.level = error
"""


def write_files(settings: Settings, ports: Ports, token: str, java: Java, jars: list[Path]) -> Path:
    """Write the configuration files to a folder that only its owner can read, and return the folder."""
    folder = private_files.make_folder(settings.state_dir / "conf")
    defaults = class_archive.executor_conf(spark_defaults(settings, ports, token, jars), settings, java, jars)
    # A value may contain any character except a line break. Java properties use the backslash for escapes.
    lines = [f"{key} {value.replace(chr(92), chr(92) * 2)}" for key, value in sorted(defaults.items())]
    (folder / "spark-defaults.conf").write_text("\n".join(lines) + "\n")
    properties = "".join(
        f"<property><name>{escape(k)}</name><value>{escape(v)}</value></property>\n"
        for k, v in hive_site(settings, ports).items()
    )
    (folder / "hive-site.xml").write_text(f"<configuration>\n{properties}</configuration>\n")
    (folder / "log4j2.properties").write_text(LOG4J)
    return folder


# By default, Java's second compiler (C2) takes half of the CPU time of a small build, mostly to compile planning code
# that runs only a few thousand times. These thresholds are 40 times the defaults. A loop over rows reaches them within
# a second, but the planning code of a few statements never does. Measurements: docs/explanation/speed.md.
SECOND_COMPILER = (
    "-XX:Tier4InvocationThreshold=200000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=600000",
    "-XX:Tier4BackEdgeThreshold=1600000",
)
# The metastore's calls are short, so the first compiler (C1) and one garbage-collector thread are enough. Spark's
# classes take more than 100 MB: without an initial MetaspaceSize, each step in which this memory grows causes a full
# collection. SweeperThreshold=5 looks for unused code each time 5 % of the code cache has filled, instead of 0.5 %.
TUNING = {
    "spark": (
        *("-XX:+UseParallelGC", "-XX:ReservedCodeCacheSize=512m", "-XX:SweeperThreshold=5", "-XX:MetaspaceSize=256m"),
        *SECOND_COMPILER,
    ),
    "metastore": ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dderby.storage.pageCacheSize=4000"),
}


def jvm_options(settings: Settings, java: Java, role: str, memory: str) -> list[str]:
    """Return the options of a JVM. With them, the JVM writes its own files to the state folder only.

    Args:
        settings: the project's settings.
        java: the Java that runs the JVM.
        role: `spark` or `metastore`.
        memory: the size of the heap, for example `512m`.
    """
    tmp = settings.state_dir / "tmp"
    return [
        f"-Xmx{memory}",
        "-Xss4m",
        *TUNING[role],
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        *module_options(java),
        f"-Djava.io.tmpdir={tmp}",
        f"-Dderby.system.home={settings.state_dir}",
        f"-Dderby.stream.error.file={settings.state_dir / 'logs' / 'derby.log'}",
        f"-Dlog4j2.configurationFile={(settings.state_dir / 'conf' / 'log4j2.properties').as_uri()}",
        f"-D{authentication.SECRET_FILE}={settings.state_dir / secret.FILE}",
        f"-Dpenstock.role={role}",
    ]


def environment(settings: Settings, java: Java, conf: Path) -> dict[str, str]:
    """Return the environment of both JVMs, without variables that configure another Spark or Hive on this machine."""
    dropped = (
        *("SPARK_", "HADOOP_", "HIVE_", "PYSPARK_", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"),
        *(location.USER, location.PASSWORD),
    )
    # These two variables configure the access to HDFS and not another Spark, so keep them.
    hdfs = ("HADOOP_USER_NAME", "HADOOP_CONF_DIR") if "hdfs" in settings.schemes else ()
    kept = {key: value for key, value in os.environ.items() if key in hdfs or not key.startswith(dropped)}
    # With SPARK_LOCAL_IP, Spark's UI listens on that address only, and executors get it as the driver's address.
    # Without it, the UI listens on every address, and executors get the machine's address.
    local = {"SPARK_LOCAL_IP": LOOPBACK} if settings.server.bind == LOOPBACK else {}
    return {
        **kept,
        "JAVA_HOME": str(launcher_home(java, settings.shared_dir)),
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(conf),
        "HIVE_CONF_DIR": str(conf),
        **local,
        "PYSPARK_PYTHON": launch.python_executable(settings),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def fingerprint(settings: Settings, java: Java) -> str:
    """Return a hash of a server's settings and versions, without the target, because targets may share a server."""
    values = settings.model_dump_json(exclude={"target"})
    text = f"{values} {java.build} {distribution.spark_version()} {authentication.GENERATION}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
