"""A real Iceberg REST catalog for tests: the classes with which Iceberg tests its own client, on a SQLite database.

Iceberg's program for this, `RESTCatalogServer`, listens on every network interface. So this module starts a JVM as a
Py4J gateway and creates the servlet there, with a connector that is bound to loopback. Later releases than 1.10 don't
publish these classes; the protocol is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

from penstock.spark import distribution, jars, java
from tests.support.projects import ROOT

PACKAGES = (
    "org.apache.iceberg:iceberg-core:1.10.1",
    "org.apache.iceberg:iceberg-core:1.10.1:tests@jar",
    "org.eclipse.jetty:jetty-servlet:11.0.26",
    "org.xerial:sqlite-jdbc:3.54.1.0@jar",
)
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class RestCatalog:
    """A running REST catalog.

    Attributes:
        uri: its address.
        process: the process of its JVM.
    """

    uri: str
    process: Popen[bytes]


@contextmanager
def rest_catalog(folder: Path, port: int = 0) -> Iterator[RestCatalog]:
    """Run a REST catalog inside a `with` block. A later one with the same folder has the same tables.

    Args:
        folder: folder of the catalog's database `catalog.db`, of its log, and of its tables (`warehouse`).
        port: the loopback port; 0 for a free one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = java.find(None)
    # Py4J copies the JVM's output to the log, so the log stays open: the JVM would stop at a full pipe.
    with (folder / "log").open("a") as log:
        gateway_port, token, process = launch_gateway(  # type: ignore[misc]
            jarpath=str(next((distribution.spark_home() / "jars").glob("py4j-*.jar"))),
            classpath=jars.class_path(jars.resolve(PACKAGES, ROOT / ".penstock", found)),
            javaopts=["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"],
            java_path=str(found.executable),
            die_on_exit=True,
            enable_auth=True,
            redirect_stdout=log,
            redirect_stderr=log,
            return_proc=True,
        )
        gateway = JavaGateway(gateway_parameters=GatewayParameters(port=gateway_port, auth_token=token))
        try:
            yield RestCatalog(f"http://{LOOPBACK}:{_serve(gateway.jvm, folder, port)}", process)
        finally:
            gateway.close()
            process.terminate()
            process.wait(30)


def _serve(jvm: Any, folder: Path, port: int) -> int:
    """Serve the catalog, and return its port."""
    iceberg = jvm.org.apache.iceberg
    properties = jvm.java.util.HashMap()
    for key, value in {
        "type": "jdbc",
        "uri": f"jdbc:sqlite:{folder / 'catalog.db'}",
        "warehouse": (folder / "warehouse").as_uri(),
        "jdbc.schema-version": "V1",  # with views
        "jdbc.strict-mode": "true",  # a table needs a schema that exists, as in other catalogs
        "clients": "1",  # SQLite has one writer
    }.items():
        properties.put(key, value)
    catalog = iceberg.CatalogUtil.buildIcebergCatalog("backend", properties, jvm.org.apache.hadoop.conf.Configuration())
    jetty = jvm.org.eclipse.jetty
    handler = jetty.servlet.ServletContextHandler()
    servlet = iceberg.rest.RESTCatalogServlet(iceberg.rest.RESTCatalogAdapter(catalog))
    handler.addServlet(jetty.servlet.ServletHolder(servlet), "/*")
    server = jetty.server.Server()
    connector = jetty.server.ServerConnector(server)
    connector.setHost(LOOPBACK)
    connector.setPort(port)
    server.addConnector(connector)
    server.setHandler(handler)
    server.start()
    return int(connector.getLocalPort())
