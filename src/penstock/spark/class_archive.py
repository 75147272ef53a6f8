"""Class-data-sharing archives: loaded classes saved to a file, so that the next JVM starts in half the time.

An archive fits one build of Java and one class path; a hash of both is its name. It also fits longer class paths that
begin with its own: those of targets with the jars of a store, and of drivers and executors on this machine, which
read the same files. The first JVM writes the archive when it exits, to a temporary file that is renamed only if the
JVM exited normally. https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
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

# Enough for the class paths that one machine alternates between: targets with a store's jars, or another metastore.
KEPT_PER_ROLE = 4
QUIET = ["-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Xlog:class+path=off", "-Xlog:disable"]
# Options that need no quotes in `extraJavaOptions`, which Spark splits as a shell does.
UNQUOTED = re.compile(r"[\w./:=+,-]+", re.ASCII)


@dataclass(frozen=True)
class Archive:
    """The archive of a JVM's role, which is `spark` or `metastore`.

    Attributes:
        file: its path; the file may not exist yet.
    """

    file: Path

    @classmethod
    def find(cls, shared_dir: Path, role: str, java: Java, class_path: str) -> Archive:
        """Return the archive for a Java and a class path.

        Returns:
            The existing archive that covers most of the class path from its beginning; if there is none, the one
            that the JVM will write.
        """
        name, files = hashlib.sha256(f"{java.home}\n{java.build}".encode()), []
        for entry in class_path.split(os.pathsep):
            # A jar that a reinstalled package replaced has the same name but another size or time.
            stat = Path(entry).stat() if Path(entry).is_file() else None
            name.update(f"\n{entry} {stat and (stat.st_size, int(stat.st_mtime))}".encode())
            files.append(shared_dir / "cds" / f"{role}-{name.hexdigest()[:16]}.jsa")
        return cls(next((file for file in reversed(files) if file.exists()), files[-1]))

    @property
    def temporary(self) -> Path:
        """Return the file that this supervisor's JVM writes; another supervisor has its own."""
        return atomic.temporary_path(self.file)

    def options(self) -> list[str]:
        """Return the JVM options that use the archive or, when it does not exist yet, write it."""
        if self.file.exists():
            with suppress(OSError):
                os.utime(self.file)  # `finish` keeps the archives that were used last
            return [*QUIET, f"-XX:SharedArchiveFile={self.file}"]
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            atomic.remove_leftovers(self.file)
        except OSError:
            return []  # the folder is read-only: start without an archive
        return [*QUIET, f"-XX:ArchiveClassesAtExit={self.temporary}"]

    def finish(self, exited_normally: bool) -> None:
        """Save the archive after the JVM's exit and remove the role's oldest ones.

        An archive only saves time, so errors are ignored; another supervisor may do the same at this moment.
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
    """Return Spark's settings of a driver that has the table formats on its class path and reads the server's archive.

    A class path in the user's settings comes before Spark's jars, so that no archive fits.
    """
    users = conf.get("spark.driver.extraClassPath", "")
    path = os.pathsep.join([*map(str, jars), *filter(None, [users])])
    changed = {**conf, "spark.driver.extraClassPath": path}
    return changed if users else _with_archive(changed, "driver", settings, java, jars)


def executor_conf(conf: Mapping[str, str], settings: Settings, java: Java, jars: list[Path]) -> dict[str, str]:
    """Return Spark's settings of an application whose executors read the archive if they are on this machine."""
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
