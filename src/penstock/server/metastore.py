"""The Hive metastore in a JVM of its own, on loopback only.

Hive's own main program listens on every address and has no setting for it. So the JVM is started
as a Py4J gateway, and the Thrift server that Hive's main would build is built from here around
Hive's own handler, on a socket bound to 127.0.0.1. The gateway ends with the process that holds it.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

from penstock.errors import PenstockError
from penstock.server.java import Java
from penstock.server.ports import LOOPBACK

HIVE = "org.apache.hadoop.hive"


class Metastore:
    """One running metastore.

    Attributes:
        process: its JVM.
        failed: what ended the Thrift server, None while it serves.
    """

    def __init__(self, java: Java, class_path: str, options: Sequence[str], cwd: Path, log: IO[str]) -> None:
        """Start the JVM; `serve` opens the port."""
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        port, token, self.process = launch_gateway(  # type: ignore[misc]
            jarpath=str(next((Path(pyspark.__file__).parent / "jars").glob("py4j-*.jar"))),
            classpath=class_path,
            javaopts=list(options),
            java_path=str(java.executable),
            die_on_exit=True,
            enable_auth=True,
            redirect_stdout=log,
            redirect_stderr=log,
            return_proc=True,
            create_new_process_group=True,
            cwd=str(cwd),
        )
        self.gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
        self.failed: str | None = None

    @property
    def popen(self) -> subprocess.Popen[bytes]:
        """The JVM's process."""
        process: subprocess.Popen[bytes] = self.process
        return process

    def serve(self, port: int) -> None:
        """Open the database, listen on the loopback port and return; requests run on threads of the JVM.

        Raises:
            PenstockError: someone took the port since it was chosen.
        """
        jvm: Any = self.gateway.jvm
        conf = jvm.org.apache.hadoop.hive.conf.HiveConf()
        # In this JVM the metastore is the server, not its own client.
        conf.unset("hive.metastore.uris")
        base = jvm.org.apache.hadoop.hive.metastore.HiveMetaStore.HMSHandler("penstock", conf, False)
        handler = jvm.org.apache.hadoop.hive.metastore.HiveMetaStore.newRetryingHMSHandler(base, conf)
        processor = jvm.org.apache.hadoop.hive.metastore.TSetIpAddressProcessor(handler)
        try:
            socket = jvm.org.apache.thrift.transport.TServerSocket(jvm.java.net.InetSocketAddress(LOOPBACK, port))
        except Py4JJavaError:
            raise PenstockError(
                f"port {port} for the metastore", "Address already in use", "set server.ports.metastore"
            ) from None
        arguments = jvm.org.apache.thrift.server.TThreadPoolServer.Args(socket)
        arguments.processor(processor)
        arguments.minWorkerThreads(4)
        arguments.maxWorkerThreads(500)
        server = jvm.org.apache.thrift.server.TThreadPoolServer(arguments)

        def run() -> None:
            try:
                server.serve()
            except Exception as error:  # the JVM ended; the supervisor sees that too
                self.failed = str(error)

        threading.Thread(target=run, name="metastore", daemon=True).start()
