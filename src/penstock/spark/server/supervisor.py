"""The process that owns the server: starts both JVMs, watches them, ends them.

It runs detached from the command that started it, writes the record when the ports answer, and warms the JVM up.
It stops everything when a JVM dies, on a signal, or when no client was connected for the configured time.
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
from types import FrameType
from typing import IO, NoReturn

from penstock.config import addresses
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

TICK = 0.5
STOP_SECONDS = 60.0
# A secret that comes from elsewhere, as in a pod.
TOKEN = "PENSTOCK_CONNECT_TOKEN"


class Supervisor:
    """Owns one server from its start to its end."""

    def __init__(self, settings: Settings, attempt: int, token: str, umask: int) -> None:
        """Args:
        token: the server's secret.
        umask: that of the user, for the tables that the JVMs write.
        """
        self.settings, self.attempt, self.token, self.umask = settings, attempt, token, umask
        self.state = settings.state_dir
        self.stopping = threading.Event()
        self.metastore: Metastore | None = None
        self.spark: subprocess.Popen[bytes] | None = None
        self.archives: dict[str, Archive] = {}
        self.lease: warehouse_lease.Lease | None = None

    def log(self, text: str) -> None:
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)

    def fail(self, error: PenstockError) -> NoReturn:
        """Write the error that ended the start, and exit."""
        self.log(f"failed: {error}")
        with suppress(OSError):
            start_failure.write(self.settings, error)
        raise SystemExit(3) from None

    def start(self) -> Record:
        """Start both JVMs and return once Thrift and Connect answer."""
        begin = time.time()
        found = java.find(self.settings.server.java_home)
        table_jars = jars.of_server(self.settings, found)
        self.lease = warehouse_lease.take(self.settings)
        if self.lease:
            self.lease.keep(self._lost)
        chosen = ports.choose(self.settings.server.ports, self.attempt)
        temporary_files.clear(self.state / "tmp")
        for name in ("tmp", "logs", "run"):
            private_files.folder(self.state / name)
        conf = configuration.write_files(self.settings, chosen, self.token, found, table_jars)
        self.class_path = jars.class_path(table_jars)
        login = location.login(self.settings)
        driver_jars = location.driver_jars(self.settings, found)
        environment = configuration.environment(self.settings, found, conf)
        os.environ.clear()
        os.environ.update(environment)
        mark = configuration.fingerprint(self.settings, found)
        me = Process.of(os.getpid())
        current = record.write(
            self.settings,
            Record(record.STARTING, me, chosen, self.token, mark, begin, shared=not location.own(self.settings)),
        )

        options = self._options("spark", found, configuration.heap(self.settings), self.class_path)
        with self._log_file("spark") as log:
            self.spark = thrift_server.start(self.settings, found, chosen, options, self.class_path, log, self.umask)
        current = record.write(self.settings, current, spark=Process.of(self.spark.pid))
        if location.own(self.settings):
            class_path = jars.class_path([*table_jars, *driver_jars])
            options = self._options("metastore", found, "512m", class_path)
            log = self._log_file("metastore")
            with private_files.mask(self.umask):
                self.metastore = Metastore(found, class_path, options, self.state / "run", log)
            current = record.write(self.settings, current, metastore=Process.of(self.metastore.popen.pid))
            self.metastore.serve(chosen.metastore, login)
        self._wait(chosen.thrift, chosen.connect, begin)
        seconds = round(time.time() - begin, 1)
        self.log(f"ready after {seconds} s: {chosen}")
        answer = self._ask(chosen)
        seconds, ui = round(time.time() - begin, 1), ports.ui_of(self.spark.pid, chosen)
        more = {"executors": answer.count, "python": answer.python}
        return record.write(self.settings, current, state=record.READY, ready_seconds=seconds, ui_port=ui, **more)

    def _ask(self, chosen: Ports) -> launch.Answer:
        """Whether executors come, and run this Python; with a local master there are none to ask."""
        if addresses.is_local(self.settings.server.master):
            return launch.Answer(0, "")
        answer = launch.ask(self.settings, chosen.connect, self.token)
        self.log(f"{answer.count} executors with Python {answer.python}")
        return answer

    def _options(self, role: str, found: java.Java, memory: str, class_path: str) -> list[str]:
        options = configuration.jvm_options(self.settings, role, memory)
        if not self.settings.server.class_data_sharing:
            return options
        self.archives[role] = Archive.of(self.settings.shared_dir, role, found, class_path)
        return [*options, *self.archives[role].options()]

    def _log_file(self, role: str) -> IO[str]:
        path = self.state / "logs" / f"{role}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        return path.open("w", buffering=1)

    def _wait(self, thrift: int, connect: int, begin: float) -> None:
        assert self.spark
        while not all(ports.answers(port) and ports.is_served_by(port, self.spark.pid) for port in (thrift, connect)):
            if self.stopping.is_set():
                raise PenstockError("a start without a stop", "the start was interrupted", "run `penstock up`")
            if ended := self.ended():
                raise start_failure.JvmEnded(ended)
            if time.time() - begin > self.settings.server.start_seconds:
                limit = f"{self.settings.server.start_seconds:g} s passed"
                raise PenstockError("a server that answers", limit, "raise server.start_seconds or free memory")
            time.sleep(0.1)

    def ended(self) -> str | None:
        """Which JVM has ended, in words; None while both run."""
        if self.spark and self.spark.poll() is not None:
            return f"Spark ended with {self.spark.returncode}"
        if self.metastore and self.metastore.popen.poll() is not None:
            return f"the metastore ended with {self.metastore.popen.returncode}"
        return None

    def clients(self, chosen: Ports) -> int:
        """Established connections to Thrift and Connect, the warm-up's own among them."""
        return ports.count_clients(self.spark.pid, chosen) if self.spark else 0

    def watch(self, current: Record) -> None:
        """Return when it is time to stop."""
        limit = self.settings.server.idle_minutes * 60
        last_used = time.monotonic()
        ticks = 0
        while not self.stopping.wait(TICK):
            if ended := self.ended():
                self.log(f"{ended}; stopping")
                return
            ticks += 1
            if limit and ticks % 10 == 0:
                if self.clients(current.ports):
                    last_used = time.monotonic()
                elif time.monotonic() - last_used > limit:
                    # Nobody new from now on; who came a moment before keeps it.
                    record.write(self.settings, current, state=record.STOPPING)
                    if not self.clients(current.ports):
                        self.log(f"no client for {limit / 60:g} minutes; stopping")
                        return
                    record.write(self.settings, current)
                    last_used = time.monotonic()

    def _lost(self, words: str) -> None:
        self.log(f"{words}; stopping")
        self.stopping.set()

    def stop(self) -> None:
        """End both JVMs, Spark first; keep the archives they wrote; forget the record; let go of the warehouse."""
        if (own := record.read(self.settings)) and own.supervisor.pid == os.getpid():
            with suppress(OSError):
                record.write(self.settings, own, state=record.STOPPING)
        deadline = time.monotonic() + STOP_SECONDS
        running = {"spark": self.spark, "metastore": self.metastore.popen if self.metastore else None}
        for role, process in running.items():
            if process is None:
                continue
            # Only a JVM that ran when it was told to stop writes a whole archive.
            told = process.poll() is None
            if told:
                process.terminate()
            try:
                code = process.wait(max(1.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if role in self.archives:
                self.archives[role].keep(told and code in (0, 143, -signal.SIGTERM))
        temporary_files.clear(self.state / "tmp")
        if self.lease:
            self.lease.release()
        record.remove(self.settings)
        self.log("stopped")


def main() -> None:
    """Run a supervisor until its server ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--target")
    parser.add_argument("--attempt", type=int, default=0)
    arguments = parser.parse_args()
    umask = os.umask(private_files.OTHERS)
    settings = load(arguments.root, arguments.target)
    control.close_state(settings)
    token = secret.take(settings.state_dir, os.environ.pop(TOKEN, ""))
    supervisor = Supervisor(settings, arguments.attempt, token, umask)

    def stop(signum: int, frame: FrameType | None) -> None:
        supervisor.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        current = supervisor.start()
        warming = (current, supervisor.log, lambda: supervisor.clients(current.ports))
        threading.Thread(target=warm_up.up, args=warming, daemon=True).start()
        supervisor.watch(current)
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
