"""Compile the Java classes that authenticate clients. They are compiled once and then kept in a jar.

Hive's login check and the filter of Spark's web UI are Java classes that penstock provides. A Java runtime has no
compiler, so penstock compiles the classes with Janino, which Spark ships to compile its plans:
https://janino-compiler.github.io/janino/
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
# The order of compilation. A class may use the classes before it.
ORDER = ("Secret", "SecretAuthenticator", "KeyFilter", "SameUserServerSocket")
AUTHENTICATOR = "penstock.access.SecretAuthenticator"
FILTER = "penstock.access.KeyFilter"
NEEDED = ("commons-compiler-*", "janino-*", "jakarta.servlet-api-*", "libthrift-*", "slf4j-api-*")
THRIFT = "spark-hive-thriftserver_*"
# A fixed time for the jar's entries, so that the same classes produce the same jar.
ENTRY_TIME = (2026, 1, 1, 0, 0, 0)


def access_jar(shared_dir: Path, java: Java) -> Path:
    """Return the jar with the classes. If it is missing, compile the classes and create it.

    Args:
        shared_dir: folder that all targets share. The jar is in `jars/`.
        java: the Java that runs the compiler.

    Raises:
        PenstockError: the classes don't compile with the installed Spark.
    """
    sources = {name: (SOURCES / f"{name}.java").read_text() for name in ORDER}
    version = hashlib.sha256("\n".join([distribution.spark_version(), *sources.values()]).encode()).hexdigest()[:12]
    folder = shared_dir / "jars"
    jar = folder / f"penstock-access-{version}.jar"
    if not jar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not jar.exists():
                _write(jar, _compile(sources, java))
    return jar.resolve()


def _write(jar: Path, classes: dict[str, bytes]) -> None:
    with atomic.replacement(jar) as temporary, zipfile.ZipFile(temporary, "w") as out:
        for name, content in sorted(classes.items()):
            out.writestr(zipfile.ZipInfo(f"{name.replace('.', '/')}.class", ENTRY_TIME), content)


def _compile(sources: dict[str, str], java: Java) -> dict[str, bytes]:
    """Compile the classes and return their bytecode by class name."""
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
    from py4j.protocol import Py4JJavaError

    folder = distribution.spark_home() / "jars"
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
    bytecode: dict[str, bytes] = {}
    loader: Any = None
    try:
        for name, text in sources.items():
            compiler = gateway.jvm.org.codehaus.janino.SimpleCompiler()
            if loader:
                compiler.setParentClassLoader(loader)
            compiler.cook(name, text)
            loader = compiler.getClassLoader()
            bytecode.update({key: bytes(content) for key, content in compiler.getBytecodes().items()})
    except Py4JJavaError as error:
        message = " ".join(str(error.java_exception.getMessage()).split())
        raise PenstockError("Spark 4.1, which penstock's Java classes fit", message, "install pyspark 4.1") from None
    finally:
        gateway.shutdown()
    return bytecode
