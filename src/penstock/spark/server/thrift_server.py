"""Start Spark's JVM, with the Thrift server, Spark Connect and the UI."""

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
        java: the Java that runs it.
        ports: the server's ports.
        options: options of the JVM.
        class_path: its system class path.
        log: the file for its output.
        umask: the umask of the files that it writes, including tables.
    """
    run = settings.state_dir / "run"
    arguments = [*options, *settings.server.java_options, "-cp", class_path]
    # An argument file keeps the 300 jars out of the process list and below the system's limit.
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
