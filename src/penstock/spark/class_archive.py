"""Class-data-sharing archives: files of loaded classes, with which a JVM starts in half the time.

An archive belongs to one build of Java and one class path. Its name is a hash of this build and class path. A JVM with
a longer class path can use the archive too, if its class path begins with the archive's class path. Targets with the
jars of an object store have such a class path. Drivers and executors on this machine have such a class path too. If
there is no archive, the JVM writes one to a temporary file when it exits. The file is renamed only if the JVM exited
normally.
https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.spark.jars import class_path
from penstock.spark.java import Java
from penstock.storage import atomic

# How many archives to keep. The targets of one machine may alternate between several class paths, for example with and
# without the jars of an object store.
KEPT_PER_ROLE = 4
QUIET = ["-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Xlog:class+path=off", "-Xlog:disable"]
# Options that need no quotes in `extraJavaOptions`, which Spark splits like a shell.
UNQUOTED = re.compile(r"[\w./:=+,-]+", re.ASCII)


@dataclass(frozen=True)
class Archive:
    """The archive of a JVM's role, `spark` or `metastore`.

    Attributes:
        file: the path of the archive. The file may not exist yet.
    """

    file: Path

    @classmethod
    def find(cls, shared_dir: Path, role: str, java: Java, class_path: str) -> Archive:
        """Return the archive for a Java installation and a class path.

        Returns:
            The existing archive that covers the longest beginning of the class path or, if no archive exists, the
            archive that the JVM will write.
        """
        name, files = hashlib.sha256(f"{java.home}\n{java.build}".encode()), []
        for entry in class_path.split(os.pathsep):
            # Reinstalling a package may replace a jar by another one of the same name, whose size or time differs.
            stat = Path(entry).stat() if Path(entry).is_file() else None
            name.update(f"\n{entry} {stat and (stat.st_size, int(stat.st_mtime))}".encode())
            files.append(shared_dir / "cds" / f"{role}-{name.hexdigest()[:16]}.jsa")
        return cls(next((file for file in reversed(files) if file.exists()), files[-1]))

    @property
    def temporary(self) -> Path:
        """Return the path to which this supervisor's JVM writes. Each supervisor uses a different path."""
        return atomic.temporary_path(self.file)

    def options(self) -> list[str]:
        """Return the JVM options that use the archive or, if the archive does not exist, the options that create it."""
        if self.file.exists():
            with suppress(OSError):
                os.utime(self.file)  # `finish` removes the least recently used archives
            return [*QUIET, f"-XX:SharedArchiveFile={self.file}"]
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            atomic.remove_leftovers(self.file)
        except OSError:
            return []  # the folder is read-only, so start without an archive
        return [*QUIET, f"-XX:ArchiveClassesAtExit={self.temporary}"]

    def finish(self, exited_normally: bool) -> None:
        """Save the archive after the JVM has exited, and remove the least recently used archives of the role.

        Errors are ignored: an archive only saves time, and another supervisor may change the same files.
        """
        with suppress(OSError):
            if self.temporary.exists() and exited_normally and not self.file.exists():
                self.temporary.rename(self.file)
                role = self.file.name.split("-")[0]
                by_use = sorted(self.file.parent.glob(f"{role}-*.jsa"), key=lambda file: file.stat().st_mtime)
                for old in by_use[:-KEPT_PER_ROLE]:
                    old.unlink(missing_ok=True)
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)


def driver_conf(conf: Mapping[str, str], settings: Settings, java: Java, jars: list[Path]) -> dict[str, str]:
    """Return a driver's Spark settings, with the table formats on its class path and with the server's archive.

    If the user's settings add to the class path, no archive is used: Spark puts the user's entries before its own jars,
    so the class path no longer begins with the archive's class path.
    """
    users = conf.get("spark.driver.extraClassPath", "")
    path = os.pathsep.join([*map(str, jars), *filter(None, [users])])
    changed = {**conf, "spark.driver.extraClassPath": path}
    return changed if users else _with_archive(changed, "driver", settings, java, jars)


def executor_conf(conf: Mapping[str, str], settings: Settings, java: Java, jars: list[Path]) -> dict[str, str]:
    """Return an application's Spark settings. Executors on this machine get the archive."""
    hosts = [host for host, _ in addresses.standalone_masters(conf["spark.master"])]
    on_this_machine = bool(hosts) and all(map(addresses.is_loopback, hosts))
    unchanged = conf.get("spark.executor.extraClassPath") == os.pathsep.join(map(str, jars))
    fits = on_this_machine and unchanged
    return _with_archive(conf, "executor", settings, java, jars) if fits else dict(conf)


def _with_archive(
    conf: Mapping[str, str], role: str, settings: Settings, java: Java, jars: list[Path]
) -> dict[str, str]:
    path = class_path(jars)
    archive = Archive.find(settings.shared_dir, "spark", java, path)
    if not settings.server.class_data_sharing or not archive.file.exists():
        return dict(conf)
    options = [option if UNQUOTED.fullmatch(option) else json.dumps(option) for option in archive.options()]
    name = f"spark.{role}.extraJavaOptions"
    return {
        **conf,
        f"spark.{role}.extraClassPath": path,
        name: " ".join(filter(None, [*options, conf.get(name, "")])),
    }
