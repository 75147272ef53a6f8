"""Turn the settings into what the two JVMs read: a folder of configuration files and arguments.

Everything that SQL and Python must agree on (time zone, ANSI mode, Delta's catalog) stands here
once, as the server's own defaults, so that a Thrift and a Connect session answer alike.
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
from penstock.spark import distribution, object_stores, shared_class_archive
from penstock.spark.access import authentication, secret
from penstock.spark.executors import launch
from penstock.spark.jars import spark_home
from penstock.spark.java import Java
from penstock.spark.metastore import location
from penstock.spark.ports import LOOPBACK
from penstock.sql import data_types
from penstock.storage import private_files

# What Spark's launcher passes to a JVM of 17 or later (org.apache.spark.launcher.JavaModuleOptions).
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
    """The driver's heap: as set, or 40 % of the machine's memory, from 1 to 16 GiB."""
    if settings.server.memory != "auto":
        return settings.server.memory
    mebibytes = int(psutil.virtual_memory().total * 0.4 / 2**20)
    return f"{max(1024, min(16384, mebibytes))}m"


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spark_defaults(settings: Settings, ports: Ports, token: str, jars: list[Path]) -> dict[str, str]:
    """Spark's settings: penstock's own, with the user's `server.spark_conf` put over them."""
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
        **authentication.spark(settings),
        "spark.local.dir": str(state / "tmp"),
        "spark.scheduler.mode": "FAIR",
        # One catalog, shared through the metastore.
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": settings.warehouse_uri,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # What SQL and Python must agree on.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.legacy.createHiveTableByDefault": "false",
        # `${word}` in a literal, a comment or a column's description is text, never a variable.
        "spark.sql.variable.substitute": "false",
        # Small work on few cores: 200 shuffle partitions only cost time, and so do the 50 tasks by which Delta reads
        # a table's log for each scan of it. One task reads a log of 100,000 files in seconds.
        "spark.sql.shuffle.partitions": str(max(4, 2 * cores())),
        "spark.databricks.delta.snapshotPartitions": "1",
        # Answering `select max(day)` from Delta's statistics fails in a Thrift session, whose dates are of
        # another Java class: java.time.LocalDate cannot be cast to java.sql.Date (Delta 4.3).
        "spark.databricks.delta.optimizeMetadataQuery.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "128",
        # The same models and tests run again and again on one server: keep their generated classes,
        # compiled and warm, instead of the hundred last ones.
        "spark.sql.codegen.cache.maxEntries": "3000",
        # A task that writes a few partitions keeps a file open for each, instead of sorting its rows first.
        "spark.sql.maxConcurrentOutputFileWriters": "16",
        **data_types.UNTRUNCATED_TYPES,
        # A server lives for many runs: bound what its UI keeps.
        "spark.ui.retainedJobs": "500",
        "spark.ui.retainedStages": "500",
        "spark.sql.ui.retainedExecutions": "300",
        "spark.ui.dagGraph.retainedRootRDDs": "200",
        # Nobody looks at a page ten times a second.
        "spark.ui.liveUpdate.period": "1s",
    }
    hive = {
        f"spark.hadoop.{key}": value for key, value in hive_site(settings, ports).items() if key.startswith("hive.")
    }
    reach = {**launch.spark_defaults(settings, jars), **object_stores.spark(settings)}
    return {**own, **reach, **hive, **settings.server.spark_conf}


def hive_site(settings: Settings, ports: Ports) -> dict[str, str]:
    """Hive's settings, read by the metastore and by Spark's Hive client."""
    state = settings.state_dir
    return {
        **location.hive_site(settings, ports),
        **object_stores.hadoop(settings),
        "datanucleus.schema.autoCreateAll": "true",
        "datanucleus.connectionPoolingType": "HikariCP",  # Hive's default, BoneCP, is not among the jars of Spark
        "hive.metastore.schema.verification": "false",
        "hive.metastore.warehouse.dir": settings.warehouse_uri,
        # Spark's client meets a metastore that is still starting: it waits instead of failing.
        "hive.metastore.connect.retries": "120",
        "hive.metastore.client.connect.retry.delay": "1s",
        "hive.metastore.failure.retries": "5",
        "hive.async.log.enabled": "false",
        # Hive's other folders are below java.io.tmpdir by default, some of them one a session.
        "hive.exec.scratchdir": str(state / "tmp" / "hive"),
        # A session that closes lists it, and logs an error when it doesn't exist.
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
    """Write the configuration folder, readable by its owner only, and return it."""
    folder = private_files.folder(settings.state_dir / "conf")
    defaults = shared_class_archive.with_executors(spark_defaults(settings, ports, token, jars), settings, java, jars)
    # A value may hold anything but a line break; backslash escapes are Java properties' own.
    lines = [f"{key} {value.replace(chr(92), chr(92) * 2)}" for key, value in sorted(defaults.items())]
    (folder / "spark-defaults.conf").write_text("\n".join(lines) + "\n")
    properties = "".join(
        f"<property><name>{escape(k)}</name><value>{escape(v)}</value></property>\n"
        for k, v in hive_site(settings, ports).items()
    )
    (folder / "hive-site.xml").write_text(f"<configuration>\n{properties}</configuration>\n")
    (folder / "log4j2.properties").write_text(LOG4J)
    return folder


# Java's second compiler took half of a small build's CPU time, for planning code that ran a few thousand times. It
# begins 40 times later than by default: a loop over rows gets there within a second, the code of a few statements
# never. Code is kept until 5 % of its room is filled, where the default looks through all of it at every half percent.
# Figures: docs/speed.md.
SECOND_COMPILER = (
    "-XX:Tier4InvocationThreshold=200000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=600000",
    "-XX:Tier4BackEdgeThreshold=1600000",
)
# The metastore answers short calls all its life: the quick compiler and one collector thread do.
# Spark's classes come to more than 100 MB: the room for them doesn't grow in steps, each with a full collection.
TUNING = {
    "spark": (
        *("-XX:+UseParallelGC", "-XX:ReservedCodeCacheSize=512m", "-XX:SweeperThreshold=5", "-XX:MetaspaceSize=256m"),
        *SECOND_COMPILER,
    ),
    "metastore": ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dderby.storage.pageCacheSize=4000"),
}


def jvm_options(settings: Settings, role: str, memory: str) -> list[str]:
    """Options of a JVM: heap, compiler and collector, module access, every file inside the state folder.

    Args:
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
    """The JVMs' environment: no setting of another Spark or Hive on this machine leaks in."""
    dropped = (
        *("SPARK_", "HADOOP_", "HIVE_", "PYSPARK_", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"),
        *(location.USER, location.PASSWORD),
    )
    # Who asks HDFS, and where its settings are, belongs to the person and not to another Spark.
    let = ("HADOOP_USER_NAME", "HADOOP_CONF_DIR") if "hdfs" in settings.schemes else ()
    kept = {key: value for key, value in os.environ.items() if key in let or not key.startswith(dropped)}
    # With it Spark's UI listens there alone, and the driver gives executors that address. Without, the
    # UI is on every address, and the driver finds the machine's own.
    local = {"SPARK_LOCAL_IP": LOOPBACK} if settings.server.bind == LOOPBACK else {}
    return {
        **kept,
        "JAVA_HOME": str(java.home),
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(conf),
        "HIVE_CONF_DIR": str(conf),
        **local,
        "PYSPARK_PYTHON": launch.python(settings),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def fingerprint(settings: Settings, java: Java) -> str:
    """A short name of all that a running server was started with."""
    text = f"{settings.model_dump_json()} {java.build} {distribution.version()} {authentication.GENERATION}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
