"""Start the JVMs of a standalone cluster, every address of theirs on loopback.

Options: https://spark.apache.org/docs/latest/spark-standalone.html. The master keeps workers and
applications in a database of its own (`spark.deploy.recoveryMode=ROCKSDB`): killed and started again at
the same port, it calls them back. Not in plain files (FILESYSTEM): a kill in the middle of one leaves half
of it, and no master that starts from it ever takes a worker again.
"""

from __future__ import annotations

import os
import re
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
from penstock.spark.jars import spark_home
from penstock.spark.java import Java
from penstock.spark.ports import LOOPBACK
from penstock.spark.server.configuration import LOG4J, MODULE_OPTIONS, environment
from penstock.storage import private_files

MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
# Heap of the daemons themselves; executors have their own. As SPARK_DAEMON_MEMORY, whose default is 1g.
HEAP = "384m"
PATIENCE = 60.0
STARTED = re.compile(r"Successfully started service '(spark)?(?:Master|Worker)(UI)?' on port (\d+)")


def free_port(first: int, taken: set[int]) -> int:
    """The first free loopback port from `first` on that isn't taken; it is then.

    Raises:
        PenstockError: none of 200 is free.
    """
    for port in range(first, first + ports.STEPS):
        if port not in taken and ports.is_free(port):
            taken.add(port)
            return port
    raise PenstockError("a free port for the cluster", f"{first} to {first + ports.STEPS - 1} are taken", "free one")


def clear(settings: Settings) -> None:
    """Forget what a master that ended in order, or long ago, knew; applications of then are gone."""
    import shutil

    for name in ("recovery", "work", "tmp"):
        shutil.rmtree(record.folder(settings) / name, ignore_errors=True)


class Starter:
    """Starts nodes.

    Args:
        settings: the project's.
        java: a Java that Spark runs on.
    """

    def __init__(self, settings: Settings, java: Java) -> None:
        self._settings, self._java = settings, java
        self._folder = record.folder(settings)
        for name in ("", "recovery", "work", "tmp", "logs", "conf"):
            private_files.folder(self._folder / name)
        self.conf = self._folder / "conf"
        self._jar = java_classes.jar(settings.shared_dir, java)
        # Nodes that an earlier version started know no secret, and would not take one that does.
        if shared := secret.read(self._folder):
            lines = {**authentication.nodes(shared), **authentication.ui(self._folder)}
            text = "".join(f"{key} {value}\n" for key, value in lines.items())
            private_files.write(self.conf / "spark-defaults.conf", text)
        (self.conf / "log4j2.properties").write_text(
            LOG4J.replace("rootLogger.level = warn", "rootLogger.level = info")
        )

    def master(self, port: int, ui_port: int) -> Node:
        """Start the master and wait until it answers.

        Raises:
            PenstockError: it ended, or did not answer in time.
        """
        options = [
            "-Dspark.deploy.recoveryMode=ROCKSDB",
            f"-Dspark.deploy.recoveryDirectory={self._folder / 'recovery'}",
            # A page's button, and a second port for requests, are more than a cluster to try needs.
            "-Dspark.master.rest.enabled=false",
        ]
        words = ["--host", LOOPBACK, "--port", str(port), "--webui-port", str(ui_port)]
        return self._start("master", MASTER, options, words, port, ui_port)

    def worker(self, number: int, master: str, cores: int, memory: str, port: int, ui_port: int) -> Node:
        """Start a worker and wait until it answers; it finds the master by itself.

        Raises:
            PenstockError: it ended, or did not answer in time.
        """
        work = self._folder / "work" / f"worker-{number}"
        work.mkdir(parents=True, exist_ok=True)
        options = [f"-Dspark.local.dir={self._folder / 'tmp'}", "-Dspark.worker.cleanup.enabled=true"]
        words = ["-c", str(cores), "-m", memory, "-d", str(work), "--host", LOOPBACK, "--port", str(port)]
        return self._start(
            f"worker-{number}", WORKER, options, [*words, "--webui-port", str(ui_port), master], port, ui_port
        )

    def _start(self, name: str, program: str, options: list[str], words: list[str], port: int, ui_port: int) -> Node:
        own = [f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", *MODULE_OPTIONS]
        own += [f"-Djava.io.tmpdir={self._folder / 'tmp'}", f"-Dpenstock.role={name}"]
        own += [f"-Dlog4j2.configurationFile={(self.conf / 'log4j2.properties').as_uri()}"]
        command = [
            str(self._java.executable),
            *own,
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
                [*command, program, *words],
                cwd=self._folder / "work",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self._environment(),
            )
        try:
            self._wait(name, process, log)
            return Node(Process.of(process.pid), *taken(log))
        except BaseException:  # Ctrl-C among them: no record has it yet
            process.kill()
            process.wait()
            raise

    def _environment(self) -> dict[str, str]:
        core = next((spark_home() / "jars").glob("spark-core_*.jar"))
        return {
            **environment(self._settings, self._java, self.conf),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_PUBLIC_DNS": LOOPBACK,
            # The database's native library, unpacked at each start: into one file, whatever becomes of the JVM.
            "ROCKSDB_SHAREDLIB_DIR": str(self._folder / "tmp"),
            # Spark's launcher builds an executor's command by it; otherwise it looks for a source tree.
            "SPARK_SCALA_VERSION": core.name.removeprefix("spark-core_").split("-")[0],
        }

    def _wait(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        end = time.monotonic() + PATIENCE
        while not (set(taken(log)) <= ports.served_by(process.pid) and len(taken(log)) == 2 and serves(name, log)):
            if process.poll() is not None:
                raise PenstockError(f"a running {name}", last_words(log, process.returncode), f"read {log}")
            if time.monotonic() > end:
                found = f"none after {PATIENCE:g} s: {last_words(log, None)}"
                raise PenstockError(f"a {name} that works", found, f"read {log}; `penstock cluster down` begins anew")
            time.sleep(0.05)


def taken(log: Path) -> list[int]:
    """The ports of a node and of its pages, by its log: it steps on by itself from one that was taken meanwhile."""
    text = log.read_text(errors="replace") if log.exists() else ""
    found = {pages: int(port) for _, pages, port in STARTED.findall(text)}
    return [found[pages] for pages in ("", "UI") if pages in found]


def serves(name: str, log: Path) -> bool:
    """Whether a node does its work: a master that listens may have failed to read what the one before it knew."""
    return name != "master" or "I have been elected leader" in log.read_text(errors="replace")


def last_words(log: Path, code: int | None) -> str:
    """Why a node ended or doesn't work, by its log; `code` when it has ended."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    wrong = [line.strip() for line in lines if "Exception" in line or "ERROR" in line or "Error" in line]
    return wrong[-1] if wrong else "no word" if code is None else f"it ended with {code}"


def registered(log: Path) -> bool:
    """Whether a worker's log says that a master has taken it."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "Successfully registered with master" in text or "Master has changed" in text


def wait_for(said: Callable[[], bool], seconds: float) -> bool:
    """Whether something came true in time."""
    end = time.monotonic() + seconds
    while not said():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
