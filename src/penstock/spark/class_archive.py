"""Class-data-sharing archives: loaded classes kept on disk, so that the next JVM starts in half the time.

An archive belongs to one build of Java and one class path; its name is a hash of both. It serves longer
class paths that begin with its own too: those of targets with a store's jars, and of drivers and executors.
The first run writes it when it ends, into a file aside that is renamed only after the JVM ended in order.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from penstock.spark.java import Java
from penstock.storage import atomic

# As many class paths a role as one machine uses in turn: targets with a store's jars, with another metastore.
KEPT = 4
QUIET = ["-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off", "-Xlog:class+path=off", "-Xlog:disable"]


@dataclass(frozen=True)
class Archive:
    """The archive of one role (`spark`, `metastore`)."""

    file: Path

    @classmethod
    def of(cls, shared_dir: Path, role: str, java: Java, class_path: str) -> Archive:
        """The archive for a Java and a class path: one that is there, whose own is the longest beginning of it.

        Where none is, the class path's own, which is still to be made.
        """
        name, files = hashlib.sha256(f"{java.home}\n{java.build}".encode()), []
        for entry in class_path.split(os.pathsep):
            # A jar replaced under the same name (a reinstalled package) has another size or time.
            stat = Path(entry).stat() if Path(entry).is_file() else None
            name.update(f"\n{entry} {stat and (stat.st_size, int(stat.st_mtime))}".encode())
            files.append(shared_dir / "cds" / f"{role}-{name.hexdigest()[:16]}.jsa")
        return cls(next((file for file in reversed(files) if file.exists()), files[-1]))

    @property
    def aside(self) -> Path:
        """Where the JVM of this supervisor writes before the archive counts: two at once keep apart."""
        return atomic.temporary_path(self.file)

    def options(self) -> list[str]:
        """JVM options that use the archive or, when there is none yet, make it."""
        if self.file.exists():
            with suppress(OSError):
                os.utime(self.file)  # the last that are used are kept
            return [*QUIET, f"-XX:SharedArchiveFile={self.file}"]
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            atomic.remove_leftovers(self.file)
        except OSError:
            return []  # a folder that can't be written to: a start without an archive
        return [*QUIET, f"-XX:ArchiveClassesAtExit={self.aside}"]

    def keep(self, ended_in_order: bool) -> None:
        """After the JVM's end: take the file aside as the archive; of a role's, the last used few are kept.

        Another supervisor may do the same at this moment. An archive only saves time: what goes wrong is let be.
        """
        with suppress(OSError):
            if self.aside.exists() and ended_in_order and not self.file.exists():
                self.aside.rename(self.file)
                role = self.file.name.split("-")[0]
                of_role = sorted(self.file.parent.glob(f"{role}-*.jsa"), key=lambda file: file.stat().st_mtime)
                for old in of_role[:-KEPT]:
                    old.unlink(missing_ok=True)
        with suppress(OSError):
            self.aside.unlink(missing_ok=True)
