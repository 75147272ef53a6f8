"""The Hive metastore in a JVM of its own, on loopback only.

Hive's own main program listens on every address and has no setting for it. So the JVM is started
as a Py4J gateway, and the Thrift server that Hive's main would build is built from here around
Hive's own handler, on a socket bound to 127.0.0.1. The gateway ends with the process that holds it.
"""

from __future__ import annotations

import logging
import re
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

from penstock.errors import PenstockError
from penstock.spark import distribution
from penstock.spark.java import Java
from penstock.spark.metastore.location import Login
from penstock.spark.ports import LOOPBACK

# Of PostgreSQL's advisory locks: any number, the same for all servers.
LOCK = 7077_9083


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
            jarpath=str(next((distribution.home() / "jars").glob("py4j-*.jar"))),
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

    def serve(self, port: int, login: Login | None = None) -> None:
        """Open the database, listen on the loopback port and return; requests run on threads of the JVM.

        Args:
            port: on loopback.
            login: of the database, when it has one.

        Raises:
            PenstockError: someone took the port since it was chosen, or the database lets nobody in.
        """
        jvm: Any = self.gateway.jvm
        conf = jvm.org.apache.hadoop.hive.conf.HiveConf()
        # In this JVM the metastore is the server, not its own client.
        conf.unset("hive.metastore.uris")
        store = jvm.org.apache.hadoop.hive.metastore.HiveMetaStore
        with self._turn(conf, login) if login else nullcontext():
            handler = store.newRetryingHMSHandler(store.HMSHandler("penstock", conf, False), conf)
        processor = jvm.org.apache.hadoop.hive.metastore.TSetIpAddressProcessor(handler)
        try:
            socket = self._socket(port)
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

    def _socket(self, port: int) -> Any:
        """Listen on loopback, for processes of this user where the system tells whose they are."""
        jvm: Any = self.gateway.jvm
        address = jvm.java.net.InetSocketAddress(LOOPBACK, port)
        if Path("/proc/net/tcp").exists():
            return jvm.penstock.access.SameUserServerSocket(address)
        return jvm.org.apache.thrift.transport.TServerSocket(address)

    @contextmanager
    def _turn(self, conf: Any, login: Login) -> Iterator[None]:
        """Log in to the database, and make or look at its tables while no other server does.

        Raises:
            PenstockError: it lets nobody in; its own words, without the user's name.
        """
        jvm: Any = self.gateway.jvm
        address = conf.get("javax.jdo.option.ConnectionURL")
        conf.set("javax.jdo.option.ConnectionUserName", login.user)
        conf.set("javax.jdo.option.ConnectionPassword", login.password)
        properties = jvm.java.util.Properties()
        properties.setProperty("user", login.user)
        properties.setProperty("password", login.password)
        try:
            connection = jvm.java.sql.DriverManager.getConnection(address, properties)
        except Py4JJavaError as error:
            words = str(error.java_exception.getMessage()).replace(login.user, "***").replace(login.password, "***")
            do = "correct PENSTOCK_METASTORE_USER and PENSTOCK_METASTORE_PASSWORD, or `metastore` in penstock.yml"
            raise PenstockError(f"the metastore's database, {address}", " ".join(words.split()), do) from None
        try:
            # Two servers that start on an empty database would both make its tables. Ends with the connection.
            connection.createStatement().execute(f"select pg_advisory_lock({LOCK})")
            self._make_tables(conf)
            yield
        finally:
            connection.close()

    def _make_tables(self, conf: Any) -> None:
        """Make all tables at once. Hive would make some within the transaction that first needs them, over a
        second connection, which in PostgreSQL waits for the first one's locks and has it wait for ever.
        """
        jvm: Any = self.gateway.jvm
        with zipfile.ZipFile(next((distribution.home() / "jars").glob("hive-metastore-*.jar"))) as jar:
            declared = re.findall(r'<class name="(\w+)"', jar.read("package.jdo").decode())
        classes = jvm.java.util.HashSet()
        for name in declared:
            classes.add(f"org.apache.hadoop.hive.metastore.model.{name}")
        store = jvm.org.apache.hadoop.hive.metastore.ObjectStore()
        store.setConf(conf)
        manager = store.getPersistenceManager()
        try:
            context = manager.getPersistenceManagerFactory().getNucleusContext()
            context.getStoreManager().createSchemaForClasses(classes, jvm.java.util.Properties())
        finally:
            manager.close()
