"""Start the JVMs of a standalone cluster, which listen on loopback only.

The master saves the list of its workers and applications in RocksDB (`spark.deploy.recoveryMode=ROCKSDB`). If the
master is killed and restarted on the same port, it recovers this list. The mode FILESYSTEM is unsafe: a kill during a
write leaves an incomplete file, and a master that reads this file never accepts a worker again.
Options: https://spark.apache.org/docs/latest/spark-standalone.html
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.process import Process
from penstock.spark import ports
from penstock.spark.access import authentication, java_classes, secret
from penstock.spark.cluster import record
from penstock.spark.cluster.record import Node
from penstock.spark.distribution import spark_home
from penstock.spark.java import Java
from penstock.spark.java_modules import module_options
from penstock.spark.ports import LOOPBACK
from penstock.spark.server.configuration import LOG4J, environment
from penstock.storage import private_files

MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
# The heap of the master and of each worker, not of executors. Spark's default (SPARK_DAEMON_MEMORY) is 1g.
HEAP = "384m"
START_SECONDS = 60.0
STARTED = re.compile(r"Successfully started service '(spark)?(?:Master|Worker)(UI)?' on port (\d+)")


def free_port(first: int, taken: set[int]) -> int:
    """Find the first free loopback port that is not in `taken`, add it to `taken`, and return it.

    Args:
        first: the port at which the search begins.
        taken: the ports of the cluster's other nodes.

    Raises:
        PenstockError: none of 200 ports is free.
    """
    for port in range(first, first + ports.STEPS):
        if port not in taken and ports.is_free(port):
            taken.add(port)
            return port
    raise PenstockError("a free port for the cluster", f"{first} to {first + ports.STEPS - 1} are taken", "free one")


def remove_state(settings: Settings) -> None:
    """Remove the state that an earlier master saved, and the working folders of its applications."""
    for name in ("recovery", "work", "tmp"):
        shutil.rmtree(record.folder(settings) / name, ignore_errors=True)


class Starter:
    """Starts the nodes of a cluster.

    Args:
        settings: the project's settings.
        java: the Java that runs the nodes.
    """

    def __init__(self, settings: Settings, java: Java) -> None:
        self._settings, self._java = settings, java
        self._folder = record.folder(settings)
        for name in ("", "recovery", "work", "tmp", "logs", "conf"):
            private_files.make_folder(self._folder / name)
        self.conf = self._folder / "conf"
        self._jar = java_classes.access_jar(settings.shared_dir, java)
        # A cluster that an earlier version started has no secret, and its nodes would reject a node with a secret.
        if shared := secret.read(self._folder):
            conf = {**authentication.shared_secret_settings(shared), **authentication.ui_settings(self._folder)}
            text = "".join(f"{key} {value}\n" for key, value in conf.items())
            private_files.write(self.conf / "spark-defaults.conf", text)
        (self.conf / "log4j2.properties").write_text(
            LOG4J.replace("rootLogger.level = warn", "rootLogger.level = info")
        )

    def start_master(self, port: int, ui_port: int) -> Node:
        """Start the master and wait until it is ready.

        Raises:
            PenstockError: the master exited or was not ready in time.
        """
        options = [
            "-Dspark.deploy.recoveryMode=ROCKSDB",
            f"-Dspark.deploy.recoveryDirectory={self._folder / 'recovery'}",
            # Close the port for submissions over REST, which a cluster for trials does not need.
            "-Dspark.master.rest.enabled=false",
        ]
        arguments = ["--host", LOOPBACK, "--port", str(port), "--webui-port", str(ui_port)]
        return self._start("master", MASTER, options, arguments)

    def start_worker(self, number: int, master: str, cores: int, memory: str, port: int, ui_port: int) -> Node:
        """Start a worker and wait until it is ready to register with the master.

        Raises:
            PenstockError: the worker exited or was not ready in time.
        """
        work = self._folder / "work" / f"worker-{number}"
        work.mkdir(parents=True, exist_ok=True)
        options = [f"-Dspark.local.dir={self._folder / 'tmp'}", "-Dspark.worker.cleanup.enabled=true"]
        arguments = ["-c", str(cores), "-m", memory, "-d", str(work), "--host", LOOPBACK, "--port", str(port)]
        return self._start(f"worker-{number}", WORKER, options, [*arguments, "--webui-port", str(ui_port), master])

    def _start(self, name: str, program: str, options: list[str], arguments: list[str]) -> Node:
        jvm = [
            f"-Xmx{HEAP}",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            *module_options(self._java),
        ]
        jvm += [f"-Djava.io.tmpdir={self._folder / 'tmp'}", f"-Dpenstock.role={name}"]
        jvm += [f"-Dlog4j2.configurationFile={(self.conf / 'log4j2.properties').as_uri()}"]
        command = [
            str(self._java.executable),
            *jvm,
            *options,
            "-cp",
            f"{spark_home() / 'jars' / '*'}{os.pathsep}{self._jar}",
        ]
        log = self._folder / "logs" / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        log.unlink(missing_ok=True)
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            process = subprocess.Popen(
                [*command, program, *arguments],
                cwd=self._folder / "work",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self._environment(),
            )
        try:
            self._wait(name, process, log)
            return Node(Process.from_pid(process.pid), *bound_ports(log))
        except BaseException:  # also after Ctrl-C, because the record doesn't contain the process yet
            process.kill()
            process.wait()
            raise

    def _environment(self) -> dict[str, str]:
        core = next((spark_home() / "jars").glob("spark-core_*.jar"))
        return {
            **environment(self._settings, self._java, self.conf),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_PUBLIC_DNS": LOOPBACK,
            # RocksDB unpacks its native library at each start, and a kill leaves the file behind. In a fixed folder,
            # each start overwrites the same file.
            "ROCKSDB_SHAREDLIB_DIR": str(self._folder / "tmp"),
            # Spark's launcher needs this variable to start executors. Without it, the launcher searches a source tree.
            "SPARK_SCALA_VERSION": core.name.removeprefix("spark-core_").split("-")[0],
        }

    def _wait(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        end = time.monotonic() + START_SECONDS
        while not is_ready(name, process.pid, log):
            if process.poll() is not None:
                raise PenstockError(f"a running {name}", failure_reason(log, process.returncode), f"read {log}")
            if time.monotonic() > end:
                found = f"none after {START_SECONDS:g} s: {failure_reason(log, None)}"
                do = f"read {log}; `penstock cluster down` removes the state of an earlier master"
                raise PenstockError(f"a {name} that is ready", found, do)
            time.sleep(0.05)


def bound_ports(log: Path) -> list[int]:
    """Return a node's RPC port and UI port from its log. If a chosen port is taken, the node uses the next port."""
    bound = {ui: int(port) for _, ui, port in STARTED.findall(_read(log))}
    return [bound[ui] for ui in ("", "UI") if ui in bound]


def is_ready(name: str, pid: int, log: Path) -> bool:
    """Return whether a node listens on both ports. A master must also have loaded its saved state."""
    bound = bound_ports(log)
    if len(bound) < 2 or not set(bound) <= ports.listening_ports(pid):
        return False
    return name != "master" or "I have been elected leader" in _read(log)


def failure_reason(log: Path, code: int | None) -> str:
    """Return the last error in a node's log; without an error, a message with the exit code.

    Args:
        log: the node's log.
        code: the node's exit code; None if it is running.
    """
    errors = [line.strip() for line in _read(log).splitlines() if re.search("Exception|ERROR|Error", line)]
    return errors[-1] if errors else "no error in its log" if code is None else f"it ended with {code}"


def is_registered(log: Path) -> bool:
    """Return whether a worker's log shows that the master has accepted the worker."""
    text = _read(log)
    return "Successfully registered with master" in text or "Master has changed" in text


def _read(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition is true; return whether it became true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
