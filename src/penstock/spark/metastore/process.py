"""The Hive metastore in a separate JVM that listens on loopback only.

Hive's main program listens on every network interface, and no setting changes that. So this module starts the JVM as
a Py4J gateway and creates Hive's Thrift server in the JVM, with Hive's handler and a socket bound to 127.0.0.1. The
gateway exits with the Python process that started it.
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

# The id of the PostgreSQL advisory lock. Any number works, if all servers use the same number.
ADVISORY_LOCK = 7077_9083


class Metastore:
    """A running metastore.

    Attributes:
        process: the process of the metastore's JVM.
        failed: the error that ended the Thrift server; None while the Thrift server runs.
    """

    def __init__(self, java: Java, class_path: str, options: Sequence[str], cwd: Path, log: IO[str]) -> None:
        """Start the JVM. `serve` then opens the port."""
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        port, token, self.process = launch_gateway(  # type: ignore[misc]
            jarpath=str(next((distribution.spark_home() / "jars").glob("py4j-*.jar"))),
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
        """Return the JVM's process."""
        process: subprocess.Popen[bytes] = self.process
        return process

    def serve(self, port: int, login: Login | None = None) -> None:
        """Open the database, listen on a port, and return. Threads of the JVM handle the requests.

        Args:
            port: the loopback port.
            login: the database's user and password; None for Derby.

        Raises:
            PenstockError: another process has taken the port, or the database refused the login.
        """
        jvm: Any = self.gateway.jvm
        conf = jvm.org.apache.hadoop.hive.conf.HiveConf()
        # With this setting, the JVM would connect to a running metastore instead of opening the database.
        conf.unset("hive.metastore.uris")
        store = jvm.org.apache.hadoop.hive.metastore.HiveMetaStore
        with self._database_lock(conf, login) if login else nullcontext():
            handler = store.newRetryingHMSHandler(store.HMSHandler("penstock", conf, False), conf)
        processor = jvm.org.apache.hadoop.hive.metastore.TSetIpAddressProcessor(handler)
        try:
            socket = self._socket(port)
        except Py4JJavaError:
            raise PenstockError(
                f"port {port} for the metastore",
                "Address already in use",
                "set server.ports.metastore",
                entry="no-free-port",
            ) from None
        arguments = jvm.org.apache.thrift.server.TThreadPoolServer.Args(socket)
        arguments.processor(processor)
        arguments.minWorkerThreads(4)
        arguments.maxWorkerThreads(500)
        server = jvm.org.apache.thrift.server.TThreadPoolServer(arguments)

        def run() -> None:
            try:
                server.serve()
            except Exception as error:  # the JVM exited; the supervisor notices that too
                self.failed = str(error)

        threading.Thread(target=run, name="metastore", daemon=True).start()

    def _socket(self, port: int) -> Any:
        """Return a loopback socket. On Linux the socket only accepts connections from this user's processes."""
        jvm: Any = self.gateway.jvm
        address = jvm.java.net.InetSocketAddress(LOOPBACK, port)
        if Path("/proc/net/tcp").exists():
            return jvm.penstock.access.SameUserServerSocket(address)
        return jvm.org.apache.thrift.transport.TServerSocket(address)

    @contextmanager
    def _database_lock(self, conf: Any, login: Login) -> Iterator[None]:
        """Log in to the database, create the metastore's tables, and hold a lock against other servers.

        Raises:
            PenstockError: the database refused the login. The message contains neither user name nor password.
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
            message = str(error.java_exception.getMessage())
            message = message.replace(login.user, "***").replace(login.password, "***")
            do = "correct PENSTOCK_METASTORE_USER and PENSTOCK_METASTORE_PASSWORD, or `metastore` in penstock.yml"
            raise PenstockError(f"the metastore's database, {address}", " ".join(message.split()), do) from None
        try:
            # Without the lock, two servers that start with an empty database would both create its tables. Closing the
            # connection releases the lock.
            connection.createStatement().execute(f"select pg_advisory_lock({ADVISORY_LOCK})")
            self._create_tables(conf)
            yield
        finally:
            connection.close()

    def _create_tables(self, conf: Any) -> None:
        """Create all tables of the metastore at once.

        Otherwise Hive creates some tables only when a transaction first needs them, over a second connection. In
        PostgreSQL the second connection waits for locks of the transaction, which waits for the second connection.
        """
        jvm: Any = self.gateway.jvm
        with zipfile.ZipFile(next((distribution.spark_home() / "jars").glob("hive-metastore-*.jar"))) as jar:
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
