"""Configuration files, JVM options and environment of the two JVMs of a server.

Settings that SQL and Python must share (time zone, ANSI mode, Delta's catalog) are defaults of the server, so that
Thrift sessions and Connect sessions behave the same.
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
from penstock.spark import class_archive, distribution, object_stores
from penstock.spark.access import authentication, secret
from penstock.spark.distribution import spark_home
from penstock.spark.executors import launch
from penstock.spark.java import Java
from penstock.spark.metastore import location
from penstock.spark.ports import LOOPBACK
from penstock.sql import data_types
from penstock.storage import private_files

# Options that Spark's launcher passes to Java 17 or later (org.apache.spark.launcher.JavaModuleOptions).
OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util"),
    *("java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs"),
    *("sun.security.action", "sun.util.calendar"),
)
MODULE_OPTIONS = [
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
]


def heap(settings: Settings) -> str:
    """Return the driver's heap: the configured one, or 40 % of the machine's memory, from 1 to 16 GiB."""
    if settings.server.memory != "auto":
        return settings.server.memory
    mebibytes = int(psutil.virtual_memory().total * 0.4 / 2**20)
    return f"{max(1024, min(16384, mebibytes))}m"


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spark_defaults(settings: Settings, ports: Ports, token: str, jars: list[Path]) -> dict[str, str]:
    """Return Spark's settings: penstock's defaults, overridden by the user's `server.spark_conf`.

    Args:
        settings: the project's settings.
        ports: the server's ports.
        token: the server's secret.
        jars: the jars that the server adds to Spark's.
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
        # One catalog, shared through the metastore.
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": settings.warehouse_uri,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # Settings that SQL and Python must share.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.legacy.createHiveTableByDefault": "false",
        # `${name}` in a literal, a comment or a column's description is text and not a variable.
        "spark.sql.variable.substitute": "false",
        # With little data and few cores, the default of 200 shuffle partitions only costs time, and so do the 50 tasks
        # with which Delta reads a table's log for each scan. One task reads a log of 100,000 files in seconds.
        "spark.sql.shuffle.partitions": str(max(4, 2 * cores())),
        "spark.databricks.delta.snapshotPartitions": "1",
        # `select max(day)` from Delta's statistics fails in a Thrift session, which expects another Java class:
        # java.time.LocalDate cannot be cast to java.sql.Date (Delta 4.3).
        "spark.databricks.delta.optimizeMetadataQuery.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "128",
        # A server runs the same models and tests many times: keep their compiled classes. The default is 100 classes.
        "spark.sql.codegen.cache.maxEntries": "3000",
        # A task that writes a few partitions keeps a file open for each, instead of sorting its rows first.
        "spark.sql.maxConcurrentOutputFileWriters": "16",
        **data_types.UNTRUNCATED_TYPES,
        # A server lives for many runs: limit the history of its UI.
        "spark.ui.retainedJobs": "500",
        "spark.ui.retainedStages": "500",
        "spark.sql.ui.retainedExecutions": "300",
        "spark.ui.dagGraph.retainedRootRDDs": "200",
        # The default is ten updates a second.
        "spark.ui.liveUpdate.period": "1s",
    }
    hive = {
        f"spark.hadoop.{key}": value for key, value in hive_site(settings, ports).items() if key.startswith("hive.")
    }
    cluster = launch.spark_defaults(settings, jars)
    return {**own, **cluster, **object_stores.spark_settings(settings), **hive, **settings.server.spark_conf}


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
        # Spark's client waits for a metastore that is still starting.
        "hive.metastore.connect.retries": "120",
        "hive.metastore.client.connect.retry.delay": "1s",
        "hive.metastore.failure.retries": "5",
        "hive.async.log.enabled": "false",
        # Hive's other folders, some of them one per session, are below java.io.tmpdir by default.
        "hive.exec.scratchdir": str(state / "tmp" / "hive"),
        # A closing session lists this folder, and logs an error when it is missing.
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
    """Write the configuration folder, which only its owner can read, and return its path."""
    folder = private_files.make_folder(settings.state_dir / "conf")
    defaults = class_archive.executor_conf(spark_defaults(settings, ports, token, jars), settings, java, jars)
    # A value may contain anything but a line break. Java properties use the backslash for escapes.
    lines = [f"{key} {value.replace(chr(92), chr(92) * 2)}" for key, value in sorted(defaults.items())]
    (folder / "spark-defaults.conf").write_text("\n".join(lines) + "\n")
    properties = "".join(
        f"<property><name>{escape(k)}</name><value>{escape(v)}</value></property>\n"
        for k, v in hive_site(settings, ports).items()
    )
    (folder / "hive-site.xml").write_text(f"<configuration>\n{properties}</configuration>\n")
    (folder / "log4j2.properties").write_text(LOG4J)
    return folder


# By default, Java's second compiler (C2) takes half of a small build's CPU time, for planning code that runs a few
# thousand times. With 40 times the default thresholds, a loop over rows reaches them within a second, and the code of a
# few statements never does. The JVM looks for unused code each time 5 % of the code cache has filled, instead of half a
# percent. Measurements: docs/speed.md.
SECOND_COMPILER = (
    "-XX:Tier4InvocationThreshold=200000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=600000",
    "-XX:Tier4BackEdgeThreshold=1600000",
)
# The metastore answers short calls, for which the first compiler (C1) and one collector thread are enough. Spark's
# classes take more than 100 MB: without an initial size, the space for them grows in steps with a full collection each.
TUNING = {
    "spark": (
        *("-XX:+UseParallelGC", "-XX:ReservedCodeCacheSize=512m", "-XX:SweeperThreshold=5", "-XX:MetaspaceSize=256m"),
        *SECOND_COMPILER,
    ),
    "metastore": ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dderby.storage.pageCacheSize=4000"),
}


def jvm_options(settings: Settings, role: str, memory: str) -> list[str]:
    """Return the options of a JVM, which writes no file outside the state folder.

    Args:
        settings: the project's settings.
        role: `spark` or `metastore`.
        memory: the heap, as in `512m`.
    """
    tmp = settings.state_dir / "tmp"
    return [
        f"-Xmx{memory}",
        "-Xss4m",
        *TUNING[role],
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        *MODULE_OPTIONS,
        f"-Djava.io.tmpdir={tmp}",
        f"-Dderby.system.home={settings.state_dir}",
        f"-Dderby.stream.error.file={settings.state_dir / 'logs' / 'derby.log'}",
        f"-Dlog4j2.configurationFile={(settings.state_dir / 'conf' / 'log4j2.properties').as_uri()}",
        f"-D{authentication.SECRET_FILE}={settings.state_dir / secret.FILE}",
        f"-Dpenstock.role={role}",
    ]


def environment(settings: Settings, java: Java, conf: Path) -> dict[str, str]:
    """Return the JVMs' environment, without variables of another Spark or Hive on this machine."""
    dropped = (
        *("SPARK_", "HADOOP_", "HIVE_", "PYSPARK_", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"),
        *(location.USER, location.PASSWORD),
    )
    # The user of HDFS and its settings do not belong to another Spark.
    hdfs = ("HADOOP_USER_NAME", "HADOOP_CONF_DIR") if "hdfs" in settings.schemes else ()
    kept = {key: value for key, value in os.environ.items() if key in hdfs or not key.startswith(dropped)}
    # With this variable, Spark's UI listens on that address only, and the driver gives it to executors. Without it, the
    # UI listens on every address, and the driver finds the machine's address.
    local = {"SPARK_LOCAL_IP": LOOPBACK} if settings.server.bind == LOOPBACK else {}
    return {
        **kept,
        "JAVA_HOME": str(java.home),
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(conf),
        "HIVE_CONF_DIR": str(conf),
        **local,
        "PYSPARK_PYTHON": launch.python_executable(settings),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def fingerprint(settings: Settings, java: Java) -> str:
    """Return a hash of all settings and versions that a server is started with."""
    text = f"{settings.model_dump_json()} {java.build} {distribution.spark_version()} {authentication.GENERATION}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
