"""Find a Java that Spark 4.1 runs on: 17 or 21, wherever it lies.

Spark 4.1 dies at start on Java 24 and later (`getSubject is not supported`), so a newer default is
passed over for an older one elsewhere on the machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
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
INSTALL = "Debian: apt-get install openjdk-17-jre-headless · macOS: brew install openjdk@17; or set JAVA_HOME"


@dataclass(frozen=True)
class Java:
    """One Java installation.

    Attributes:
        home: its folder, as JAVA_HOME names it.
        version: its feature release, as in 17.
        build: the full version text, which tells two builds of one release apart.
    """

    home: Path
    version: int
    build: str

    @property
    def executable(self) -> Path:
        """The `java` program."""
        return self.home / "bin" / "java"


@lru_cache(maxsize=64)
def inspect(home: Path) -> Java | None:
    """What Java lies in a folder; None when none answers there.

    The `release` file is read first: starting a JVM only to ask costs a tenth of a second each.
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
            asked = subprocess.run([str(executable), "-version"], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            return None
        match = re.search(r'version "([^"]+)"', asked.stderr)
    if match is None:
        return None
    build = match.group(1)
    numbers = [int(part) for part in re.findall(r"\d+", build)]
    return Java(home, numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0], build)


def candidates() -> Iterator[Path]:
    """Folders in the order they are preferred: JAVA_HOME, PATH, the usual folders."""
    if value := os.environ.get("JAVA_HOME"):
        yield Path(value)
    if found := shutil.which("java"):
        yield Path(found).resolve().parent.parent
    for pattern in USUAL_FOLDERS:
        path = Path(pattern).expanduser()
        anchor = Path(path.anchor)
        yield from sorted(anchor.glob(str(path.relative_to(anchor))))


def find(configured: str | None = None) -> Java:
    """The first Java 17 or 21.

    Args:
        configured: `server.java_home` of the settings; when given, no other is looked at.

    Raises:
        PenstockError: there is none; what was found instead is named, with the install command.
    """
    if configured:
        java = inspect(Path(configured).expanduser())
        if java and java.version in SUPPORTED:
            return java
        found = f"Java {java.build}" if java else "no Java there"
        raise PenstockError(f"Java 17 or 21 in {configured} (server.java_home)", found, INSTALL)
    seen: dict[Path, Java] = {}
    for home in candidates():
        java = inspect(home)
        if java is None:
            continue
        if java.version in SUPPORTED:
            return java
        seen[home] = java
    found = ", ".join(f"Java {java.build} in {home}" for home, java in seen.items()) or "no Java at all"
    raise PenstockError("Java 17 or 21 (Spark 4.1 fails on 24 and later)", found, INSTALL)
