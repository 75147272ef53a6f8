"""The supervisor process of a server: it starts the JVMs, watches them, and stops them.

The supervisor is detached from the command that started it. When the server's ports answer, the supervisor marks the
server as ready and warms it up. It stops the server after a JVM's exit, a signal, or `idle_minutes` without a client.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

from penstock.config.sections import Ports
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.process import Process
from penstock.spark import jars, java, ports
from penstock.spark.access import secret
from penstock.spark.class_archive import Archive
from penstock.spark.executors import launch
from penstock.spark.metastore import location
from penstock.spark.metastore.process import Metastore
from penstock.spark.server import (
    configuration,
    control,
    record,
    start_failure,
    temporary_files,
    thrift_server,
    warehouse_lease,
    warm_up,
)
from penstock.spark.server.record import Record
from penstock.storage import private_files

TICK_SECONDS, IDLE_CHECK_TICKS = 0.5, 10
STOP_SECONDS = 60.0
METASTORE_HEAP = "512m"
# The environment variable that can provide the secret, for example in a Kubernetes pod.
TOKEN = "PENSTOCK_CONNECT_TOKEN"


class Supervisor:
    """Runs one server from its start to its end.

    Args:
        settings: the project's settings.
        attempt: the number of failed starts before this one.
        token: the server's secret.
        umask: the user's umask, which applies to the tables that the JVMs write.
    """

    def __init__(self, settings: Settings, attempt: int, token: str, umask: int) -> None:
        self.settings, self.attempt, self.token, self.umask = settings, attempt, token, umask
        self.state = settings.state_dir
        self.stopping = threading.Event()
        self.metastore: Metastore | None = None
        self.spark: subprocess.Popen[bytes] | None = None
        self.archives: dict[str, Archive] = {}
        self.lease: warehouse_lease.Lease | None = None

    def log(self, text: str) -> None:
        """Write a line to the supervisor's log, its standard output."""
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)

    def fail(self, error: PenstockError) -> NoReturn:
        """Write the error that ended the start, and exit."""
        self.log(f"failed: {error}")
        with suppress(OSError):
            start_failure.write(self.settings, error)
        raise SystemExit(3) from None

    def start(self) -> Record:
        """Start the JVMs, wait until Thrift and Connect answer, and return the server."""
        begin = time.time()
        java_found = java.find(self.settings.server.java_home)
        server_jars = jars.server_jars(self.settings, java_found)
        self.lease = warehouse_lease.acquire(self.settings)
        if self.lease:
            self.lease.keep_renewed(self._on_lost_lease)
        chosen = ports.choose(self.settings.server.ports, self.attempt)
        temporary_files.remove_leftovers(self.state / "tmp")
        for name in ("tmp", "logs", "run"):
            private_files.make_folder(self.state / name)
        conf = configuration.write_files(self.settings, chosen, self.token, java_found, server_jars)
        login = location.login(self.settings)
        driver_jars = location.database_driver_jars(self.settings, java_found)
        environment = configuration.environment(self.settings, java_found, conf)
        os.environ.clear()
        os.environ.update(environment)
        shared = not location.runs_own_metastore(self.settings)
        hashed = configuration.fingerprint(self.settings, java_found)
        me = Process.from_pid(os.getpid())
        server = Record(record.STARTING, me, chosen, self.token, hashed, begin, shared=shared, java=str(java_found))
        server = record.write(self.settings, server)
        self.spark = self._start_spark(java_found, chosen, server_jars)
        server = record.write(self.settings, server, spark=Process.from_pid(self.spark.pid))
        if not shared:
            self.metastore = self._start_metastore(java_found, [*server_jars, *driver_jars])
            server = record.write(self.settings, server, metastore=Process.from_pid(self.metastore.popen.pid))
            self.metastore.serve(chosen.metastore, login)
        self._wait_until_ready(chosen, begin)
        self.log(f"ready after {time.time() - begin:.1f} s: {chosen}")
        answer = launch.check_executors(self.settings, chosen.connect, self.token)
        if answer.count:
            self.log(f"{answer.count} executors with Python {answer.python}")
        seconds, ui_port = round(time.time() - begin, 1), ports.ui_port(self.spark.pid, chosen)
        changes = {"ready_seconds": seconds, "ui_port": ui_port, "executors": answer.count, "python": answer.python}
        return record.write(self.settings, server, state=record.READY, **changes)

    def _start_spark(self, java_found: java.Java, chosen: Ports, server_jars: list[Path]) -> subprocess.Popen[bytes]:
        class_path = jars.class_path(server_jars)
        options = self._jvm_options("spark", java_found, configuration.heap(self.settings), class_path)
        with self._open_log("spark") as log:
            return thrift_server.start(self.settings, java_found, chosen, options, class_path, log, self.umask)

    def _start_metastore(self, java_found: java.Java, all_jars: list[Path]) -> Metastore:
        class_path = jars.class_path(all_jars)
        options = self._jvm_options("metastore", java_found, METASTORE_HEAP, class_path)
        log = self._open_log("metastore")
        with private_files.umask(self.umask):
            return Metastore(java_found, class_path, options, self.state / "run", log)

    def _jvm_options(self, role: str, java_found: java.Java, heap: str, class_path: str) -> list[str]:
        options = configuration.jvm_options(self.settings, java_found, role, heap)
        if not self.settings.server.class_data_sharing:
            return options
        self.archives[role] = Archive.find(self.settings.shared_dir, role, java_found, class_path)
        return [*options, *self.archives[role].options()]

    def _open_log(self, role: str) -> IO[str]:
        path = self.state / "logs" / f"{role}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        return path.open("w", buffering=1)

    def _wait_until_ready(self, chosen: Ports, begin: float) -> None:
        assert self.spark
        pid, limit = self.spark.pid, self.settings.server.start_seconds
        while not all(ports.answers(p) and ports.is_served_by(p, pid) for p in (chosen.thrift, chosen.connect)):
            if self.stopping.is_set():
                raise PenstockError("a start that is not stopped", "the start was interrupted", "run `penstock up`")
            if ended := self.ended_jvm():
                raise start_failure.JvmEnded(ended)
            if time.time() - begin > limit:
                found, do = f"{limit:g} s passed", "raise server.start_seconds or free memory"
                raise PenstockError("a server that answers", found, do, entry="the-start-takes-too-long")
            time.sleep(0.1)

    def ended_jvm(self) -> str | None:
        """Return a message with the JVM that has exited and its exit code; None while the JVMs run."""
        if self.spark and self.spark.poll() is not None:
            return f"Spark ended with {self.spark.returncode}"
        if self.metastore and self.metastore.popen.poll() is not None:
            return f"the metastore ended with {self.metastore.popen.returncode}"
        return None

    def count_clients(self, chosen: Ports) -> int:
        """Return the number of connections to Thrift and Connect, including the connection of the warm-up."""
        return ports.count_clients(self.spark.pid, chosen) if self.spark else 0

    def watch(self, server: Record) -> None:
        """Wait until the server has to stop."""
        limit = self.settings.server.idle_minutes * 60
        last_used = time.monotonic()
        ticks = 0
        while not self.stopping.wait(TICK_SECONDS):
            if ended := self.ended_jvm():
                self.log(f"{ended}; stopping")
                return
            ticks += 1
            if limit and ticks % IDLE_CHECK_TICKS == 0:
                if self.count_clients(server.ports):
                    last_used = time.monotonic()
                elif time.monotonic() - last_used > limit:
                    # From now on new clients don't use the server. If a client has just connected, the server goes on.
                    record.write(self.settings, server, state=record.STOPPING)
                    if not self.count_clients(server.ports):
                        self.log(f"no client for {limit / 60:g} minutes; stopping")
                        return
                    record.write(self.settings, server)
                    last_used = time.monotonic()

    def _on_lost_lease(self, reason: str) -> None:
        self.log(f"{reason}; stopping")
        self.stopping.set()

    def stop(self) -> None:
        """Stop Spark and the metastore, save their class archives, release the lease, and remove the record."""
        if (server := record.read(self.settings)) and server.supervisor.pid == os.getpid():
            with suppress(OSError):
                record.write(self.settings, server, state=record.STOPPING)
        deadline = time.monotonic() + STOP_SECONDS
        if self.spark:
            self._end_jvm("spark", self.spark, deadline)
        if self.metastore:
            self._end_jvm("metastore", self.metastore.popen, deadline)
        temporary_files.remove_leftovers(self.state / "tmp")
        if self.lease:
            self.lease.release()
        record.remove(self.settings)
        self.log("stopped")

    def _end_jvm(self, role: str, process: subprocess.Popen[bytes], deadline: float) -> None:
        was_running = process.poll() is None
        if was_running:
            process.terminate()
        try:
            code = process.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if role in self.archives:
            # Only a JVM that exited because of SIGTERM has written a complete archive.
            self.archives[role].finish(was_running and code in (0, 143, -signal.SIGTERM))


def main() -> None:
    """Run a supervisor until its server ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--target")
    parser.add_argument("--attempt", type=int, default=0)
    arguments = parser.parse_args()
    umask = os.umask(private_files.GROUP_AND_OTHERS)
    settings = load(arguments.root, arguments.target)
    control.make_state_folders(settings)
    token = secret.ensure(settings.state_dir, os.environ.pop(TOKEN, ""))
    supervisor = Supervisor(settings, arguments.attempt, token, umask)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        server = supervisor.start()
        warm_up_arguments = (server, supervisor.log, lambda: supervisor.count_clients(server.ports))
        threading.Thread(target=warm_up.run, args=warm_up_arguments, daemon=True).start()
        supervisor.watch(server)
    except PenstockError as error:
        supervisor.fail(error)
    except start_failure.JvmEnded as error:
        supervisor.log(f"failed: {error}")
        raise SystemExit(3) from None
    except Exception as error:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        traceback.print_exc()
        supervisor.fail(PenstockError("a server that starts", message, f"read {supervisor.state / 'logs'}"))
    finally:
        supervisor.stop()


if __name__ == "__main__":
    main()
