"""Start Spark's JVM, which runs the Thrift server, Spark Connect and the UI."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import IO

from penstock.config.sections import Ports
from penstock.config.settings import Settings
from penstock.spark.java import Java

CLASS = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"


def start(
    settings: Settings, java: Java, ports: Ports, options: Sequence[str], class_path: str, log: IO[str], umask: int
) -> subprocess.Popen[bytes]:
    """Start the JVM with the configuration files in the state folder, and return its process.

    Args:
        settings: the project's settings.
        java: the Java that runs the JVM.
        ports: the server's ports.
        options: the JVM's options.
        class_path: the JVM's system class path.
        log: the file for the JVM's output.
        umask: the umask for the files that the JVM writes, including tables.
    """
    run = settings.state_dir / "run"
    arguments = [*options, *settings.server.java_options, "-cp", class_path]
    # The class path has 300 jars. On the command line it could exceed the system's limit, so use an argument file.
    quoted = "\n".join('"' + a.replace("\\", "\\\\").replace('"', '\\"') + '"' for a in arguments)
    (run / "spark.args").write_text(quoted + "\n")
    properties = settings.state_dir / "conf" / "spark-defaults.conf"
    command = [str(java.executable), f"@{run / 'spark.args'}"]
    command += ["org.apache.spark.deploy.SparkSubmit", "--properties-file", str(properties), "--class", CLASS]
    command += ["spark-internal", "--hiveconf", f"hive.server2.thrift.port={ports.thrift}"]
    command += ["--hiveconf", f"hive.server2.thrift.bind.host={settings.server.bind}"]
    return subprocess.Popen(
        command,
        cwd=run,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=umask,
    )
