"""The Java classes that ask who is there, compiled once with the compiler that Spark ships.

Hive and Spark take a login check and a filter of their pages as classes, and a user's machine has a Java without a
compiler. Spark has Janino, by which it compiles its own plans: https://janino-compiler.github.io/janino/
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from penstock.errors import PenstockError
from penstock.spark import distribution
from penstock.spark.java import Java
from penstock.storage import atomic

SOURCES = Path(__file__).parent / "java"
# Each knows the ones before it.
ORDER = ("Secret", "SecretAuthenticator", "KeyFilter", "SameUserServerSocket")
AUTHENTICATOR = "penstock.access.SecretAuthenticator"
FILTER = "penstock.access.KeyFilter"
NEEDED = ("commons-compiler-*", "janino-*", "jakarta.servlet-api-*", "libthrift-*", "slf4j-api-*")
THRIFT = "spark-hive-thriftserver_*"
# The same bytes for the same classes.
LONG_AGO = (2026, 1, 1, 0, 0, 0)


def jar(shared_dir: Path, java: Java) -> Path:
    """The jar with the classes, made when it isn't there.

    Args:
        shared_dir: folder of what all targets share; the jar goes below `jars/`.
        java: the Java that compiles.

    Raises:
        PenstockError: a Spark whose classes are others.
    """
    sources = {name: (SOURCES / f"{name}.java").read_text() for name in ORDER}
    version = hashlib.sha256("\n".join([distribution.version(), *sources.values()]).encode()).hexdigest()[:12]
    folder = shared_dir / "jars"
    made = folder / f"penstock-access-{version}.jar"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not made.exists():
                _write(made, _compile(sources, java))
    return made.resolve()


def _write(made: Path, classes: dict[str, bytes]) -> None:
    with atomic.replacement(made) as temporary, zipfile.ZipFile(temporary, "w") as out:
        for name, content in sorted(classes.items()):
            out.writestr(zipfile.ZipInfo(f"{name.replace('.', '/')}.class", LONG_AGO), content)


def _compile(sources: dict[str, str], java: Java) -> dict[str, bytes]:
    """Class files by class name."""
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
    from py4j.protocol import Py4JJavaError

    folder = distribution.home() / "jars"
    path = [str(jar) for name in (*NEEDED, THRIFT) for jar in sorted(folder.glob(f"{name}.jar"))]
    port, token = launch_gateway(
        jarpath=str(next(folder.glob("py4j-*.jar"))),
        classpath=os.pathsep.join(path),
        java_path=str(java.executable),
        javaopts=["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"],
        die_on_exit=True,
        enable_auth=True,
    )
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
    found: dict[str, bytes] = {}
    loader: Any = None
    try:
        for name, text in sources.items():
            compiler = gateway.jvm.org.codehaus.janino.SimpleCompiler()
            if loader:
                compiler.setParentClassLoader(loader)
            compiler.cook(name, text)
            loader = compiler.getClassLoader()
            found.update({key: bytes(content) for key, content in compiler.getBytecodes().items()})
    except Py4JJavaError as error:
        words = " ".join(str(error.java_exception.getMessage()).split())
        raise PenstockError("Spark 4.1, whose classes penstock's fit", words, "install pyspark 4.1") from None
    finally:
        gateway.shutdown()
    return found
