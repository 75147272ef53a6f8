"""The Hive metastore in a separate JVM that listens on loopback only.

Hive's main program listens on every address and has no setting to change it. So the JVM starts as a Py4J gateway, and
this module creates the Thrift server in it that Hive's main program would create, with Hive's handler and a socket
bound to 127.0.0.1. The gateway ends with the Python process that started it.
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

# The id of a PostgreSQL advisory lock: any number that all servers share.
ADVISORY_LOCK = 7077_9083


class Metastore:
    """A running metastore.

    Attributes:
        process: its JVM.
        failed: the error that ended the Thrift server; None while it runs.
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
        """Open the database and listen on a port, then return; threads of the JVM handle requests.

        Args:
            port: the port, on loopback.
            login: the database's user and password, if it needs them.

        Raises:
            PenstockError: another process took the port after it was chosen, or the database refused the login.
        """
        jvm: Any = self.gateway.jvm
        conf = jvm.org.apache.hadoop.hive.conf.HiveConf()
        # With this setting the JVM would be a client of the metastore.
        conf.unset("hive.metastore.uris")
        store = jvm.org.apache.hadoop.hive.metastore.HiveMetaStore
        with self._database_lock(conf, login) if login else nullcontext():
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
            except Exception as error:  # the JVM ended, which the supervisor notices too
                self.failed = str(error)

        threading.Thread(target=run, name="metastore", daemon=True).start()

    def _socket(self, port: int) -> Any:
        """Return a socket on loopback; on Linux it accepts connections of this user only."""
        jvm: Any = self.gateway.jvm
        address = jvm.java.net.InetSocketAddress(LOOPBACK, port)
        if Path("/proc/net/tcp").exists():
            return jvm.penstock.access.SameUserServerSocket(address)
        return jvm.org.apache.thrift.transport.TServerSocket(address)

    @contextmanager
    def _database_lock(self, conf: Any, login: Login) -> Iterator[None]:
        """Log in to the database and create its tables, with a lock that keeps other servers out inside the block.

        Raises:
            PenstockError: the database refused the login; its message has no user name and no password.
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
            # Two servers that start on an empty database would both create its tables. The lock ends with the
            # connection.
            connection.createStatement().execute(f"select pg_advisory_lock({ADVISORY_LOCK})")
            self._create_tables(conf)
            yield
        finally:
            connection.close()

    def _create_tables(self, conf: Any) -> None:
        """Create all tables at once.

        Hive would create some of them inside the transaction that first needs them, over a second connection. In
        PostgreSQL that connection waits for the locks of the first one, and both wait forever.
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
