"""Jars of table formats and object stores: downloaded once with Spark's Ivy, then added to the system class path.

The jars are not passed as `--packages`. With that option the class loader of the first Thrift session owns Delta's
classes, and the classes are unloaded when that session ends. Jars that Spark ships are excluded.
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

# Gradle's syntax, with an optional classifier. `@jar` means the jar without its dependencies.
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


def spark_jars() -> list[Path]:
    """Return the jars that Spark ships. Their order is fixed, because a class archive depends on the order."""
    return sorted((distribution.spark_home() / "jars").glob("*.jar"))


def class_path(jars: Sequence[Path]) -> str:
    """Return the system class path: Spark's jars, then the jars of table formats and object stores.

    The class path lacks the configuration folder, because class archives do not support folders. Both JVMs get the
    folder through options and environment variables.
    """
    return os.pathsep.join(map(str, [*spark_jars(), *jars]))


def artifact(jar: str) -> str:
    """Return the artifact name in a jar's file name: `delta-storage` for `delta-storage-4.3.0.jar`."""
    return re.sub(r"-\d[\w.\-]*\.jar$", "", jar)


def resolve(packages: Sequence[str], shared_dir: Path, java: Java) -> list[Path]:
    """Return the jars of Maven coordinates and of their dependencies, without the jars that Spark ships.

    Args:
        packages: coordinates `group:artifact:version[:classifier][@jar]`.
        shared_dir: folder that all targets share. The jars are in `jars/`, in one folder per coordinate.
        java: the Java that runs Ivy.

    Returns:
        The jars in the order of the coordinates, so that class paths with the same beginning share a class archive.

    Raises:
        PenstockError: a coordinate is invalid, or Ivy could not resolve a coordinate.
    """
    for package in packages:
        if not COORDINATE.match(package):
            needed = "server.packages as group:artifact:version[:classifier][@jar]"
            raise PenstockError(needed, repr(package), "correct penstock.yml")
    by_name: dict[str, Path] = {}
    for package in packages:
        for jar in _resolve_one(package, shared_dir / "jars", java):
            by_name.setdefault(jar.name, jar)
    return list(by_name.values())


def server_jars(settings: Settings, java: Java) -> list[Path]:
    """Return the jars that a server adds to Spark's jars: penstock's access classes, table formats and object stores.

    Raises:
        PenstockError: a package is invalid, or Ivy could not resolve it.
    """
    return [
        java_classes.access_jar(settings.shared_dir, java),
        *resolve(settings.server.packages, settings.shared_dir, java),
    ]


def _resolve_one(package: str, folder: Path, java: Java) -> list[Path]:
    """Return the jars of one coordinate; download them if they are missing."""
    own = folder / hashlib.sha256(f"{distribution.spark_version()}\n{package}".encode()).hexdigest()[:12]
    if not own.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Allow one download at a time, because servers that start together share the folder and Ivy's cache.
        with FileLock(folder / ".lock"):
            if not own.exists():
                _download(package, own, java)
    return sorted(own.resolve().glob("*.jar"))


def ivy_module(package: str) -> str:
    """Return Ivy's module file for one coordinate and its dependencies, without the jars that Spark ships.

    Delta's dependencies have 94 MB, of which Spark ships 80 MB. Excluding the jars that Spark ships also saves most
    requests.
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
    """Download the jars to a temporary folder, then rename the folder, so that a kill leaves no incomplete folder."""
    temporary = folder.with_name(folder.name + ".part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    ivy = temporary / "ivy.xml"
    ivy.write_text(ivy_module(package))
    command = [str(java.executable), "-cp", str(next((distribution.spark_home() / "jars").glob("ivy-*.jar")))]
    command += ["org.apache.ivy.Main", "-ivy", str(ivy), "-confs", "default"]
    command += ["-retrieve", f"{temporary}/[artifact]-[revision](-[classifier]).[ext]"]
    done = subprocess.run(command, capture_output=True, text=True)
    ivy.unlink()
    _, name, version, classifier, _ = COORDINATE.match(package).groups()  # type: ignore[union-attr]
    jar_name = f"{name}-{version}-{classifier}.jar" if classifier else f"{name}-{version}.jar"
    if done.returncode or not (temporary / jar_name).exists():
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        reason = next((line for line in lines if "not found" in line or "error" in line.lower()), "no answer")
        raise PenstockError(
            f"the jars of {package}",
            f"Ivy: {reason}",
            "check the coordinate and that the Maven repository answers",
            entry="the-jars-cant-be-downloaded",
        )
    temporary.rename(folder)
