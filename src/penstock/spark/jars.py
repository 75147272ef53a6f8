"""The table-format jars: resolved once with Spark's own Ivy into a folder, then on the class path.

They go on the system class path, not into `--packages`: there Delta's classes would belong to a
loader of the first Thrift session and vanish with it. Jars that Spark ships itself are left out.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark import distribution
from penstock.spark.access import java_classes
from penstock.spark.java import Java

# As Gradle writes it: with a classifier, and with `@jar` for the jar alone, without what it needs.
COORDINATE = re.compile(r"^([\w.\-]+):([\w.\-]+):([\w.\-]+)(?::([\w.\-]+))?(@jar)?$")
IVY = """\
<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven">
  <info organisation="penstock" module="jars"/>
  <dependencies>
    <dependency org="{group}" name="{name}" rev="{version}" conf="default->default" transitive="{transitive}">{artifact}
    </dependency>
    {excludes}
  </dependencies>
</ivy-module>
"""
CLASSIFIED = '<artifact name="{name}" type="jar" ext="jar" m:classifier="{classifier}"/>'


def spark_home() -> Path:
    """The folder of the Spark that the pyspark package ships."""
    return distribution.home()


def spark_jars() -> list[Path]:
    """Spark's own jars, in a fixed order: a class-data archive is bound to it."""
    return sorted((spark_home() / "jars").glob("*.jar"))


def class_path(jars: Sequence[Path]) -> str:
    """The system class path: Spark's jars, then those of the table formats and stores.

    The configuration folder is not on it: a class-data archive refuses folders, and its files
    change with every start. Both JVMs are told where it is instead.
    """
    return os.pathsep.join(map(str, [*spark_jars(), *jars]))


def artifact(jar: str) -> str:
    """A jar's artifact name without its version: `delta-storage-4.3.0.jar` → `delta-storage`."""
    return re.sub(r"-\d[\w.\-]*\.jar$", "", jar)


def resolve(packages: Sequence[str], shared_dir: Path, java: Java) -> list[Path]:
    """The jars of some Maven coordinates with all they need, Spark's own left out.

    Args:
        packages: coordinates `group:artifact:version[:classifier][@jar]`.
        shared_dir: folder of what all targets share; the jars go below `jars/`, one folder a coordinate.
        java: the Java that runs Ivy.

    Returns:
        The jars in the order of the coordinates, so that class paths which begin alike share an archive of classes.

    Raises:
        PenstockError: a coordinate is not one, or could not be resolved.
    """
    for package in packages:
        if not COORDINATE.match(package):
            needed = "server.packages as group:artifact:version[:classifier][@jar]"
            raise PenstockError(needed, repr(package), "correct penstock.yml")
    found: dict[str, Path] = {}
    for package in packages:
        for jar in _resolve_one(package, shared_dir / "jars", java):
            found.setdefault(jar.name, jar)
    return list(found.values())


def of_server(settings: Settings, java: Java) -> list[Path]:
    """The jars of a server beside Spark's: penstock's own classes, table formats, stores.

    Raises:
        PenstockError: as `resolve`.
    """
    return [
        java_classes.jar(settings.shared_dir, java),
        *resolve(settings.server.packages, settings.shared_dir, java),
    ]


def _resolve_one(package: str, folder: Path, java: Java) -> list[Path]:
    """The jars of one coordinate, fetched when they aren't there."""
    own = folder / hashlib.sha256(f"{distribution.version()}\n{package}".encode()).hexdigest()[:12]
    if not own.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # One at a time for all: several servers that start at once share the folder, and Ivy's cache.
        with FileLock(folder / ".lock"):
            if not own.exists():
                _download(package, own, java)
    return sorted(own.resolve().glob("*.jar"))


def ivy_module(package: str) -> str:
    """What Ivy reads: one coordinate, with all it needs but what Spark ships.

    Of the 94 MB that Delta asks for Spark ships 80; leaving them out also saves most look-ups.
    """
    group, name, version, classifier, alone = COORDINATE.match(package).groups()  # type: ignore[union-attr]
    return IVY.format(
        group=group,
        name=name,
        version=version,
        artifact=CLASSIFIED.format(name=name, classifier=classifier) if classifier else "",
        transitive=str(not alone).lower(),
        excludes="".join(
            f'<exclude module="{module}"/>' for module in sorted({artifact(jar.name) for jar in spark_jars()} - {name})
        ),
    )


def _download(package: str, folder: Path, java: Java) -> None:
    """Fetch into a folder aside, then rename: a kill leaves no half-filled one."""
    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    ivy = aside / "ivy.xml"
    ivy.write_text(ivy_module(package))
    command = [str(java.executable), "-cp", str(next((spark_home() / "jars").glob("ivy-*.jar")))]
    command += ["org.apache.ivy.Main", "-ivy", str(ivy), "-confs", "default"]
    command += ["-retrieve", f"{aside}/[artifact]-[revision](-[classifier]).[ext]"]
    done = subprocess.run(command, capture_output=True, text=True)
    ivy.unlink()
    _, name, version, classifier, _ = COORDINATE.match(package).groups()  # type: ignore[union-attr]
    jar_name = f"{name}-{version}-{classifier}.jar" if classifier else f"{name}-{version}.jar"
    if done.returncode or not (aside / jar_name).exists():
        words = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        reason = next((w for w in words if "not found" in w or "error" in w.lower()), "no answer")
        raise PenstockError(
            f"the jars of {package}", f"Ivy: {reason}", "check the coordinate and that the Maven repository answers"
        )
    aside.rename(folder)
