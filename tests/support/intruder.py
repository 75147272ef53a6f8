"""Act as another user of this machine, who tries to access ports and files.

Root runs this module as a program: `intruder.py PORT… -- FILE…`. The program imports all its modules, becomes the user
nobody, and prints a JSON object. The object has, for each port, the attacks that succeeded and how the port refused the
others, and, for each file, whether it could be read.
"""

from __future__ import annotations

import http.client
import importlib
import json
import multiprocessing
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil

NOBODY = 65534
SECONDS = 5.0
ATTACK_SECONDS = 10.0
LIMIT = 300
AT_ONCE = 8


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` in the block after some seconds, and again each second, since a client may ignore it."""
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # the alarm may have interrupted the line above
            signal.setitimer(signal.ITIMER_REAL, 0)


def talk(port: int, message: bytes) -> bytes:
    """Send bytes to a port and return its answer."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.settimeout(SECONDS)
        answer = b""
        try:
            connection.sendall(message)
            while part := connection.recv(65536):
                answer += part
        except OSError:
            pass
        return answer


def greeting(port: int) -> tuple[str, str]:
    """Detect a port that closes a connection at once, as the metastore's port does."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.settimeout(1.0)
        try:
            return "", "closed at once" if not connection.recv(1) else ""
        except OSError:
            return "", ""


def page(port: int) -> tuple[str, str]:
    """Request pages of the Spark UI, and request that a job be killed."""
    for method, path in (("GET", "/api/v1/applications"), ("GET", "/json/"), ("POST", "/jobs/job/kill/?id=0")):
        for headers in ({}, {"Authorization": "Bearer guess"}, {"Cookie": f"penstock-{port}=guess"}):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
            try:
                connection.request(method, path, headers=headers)
                answer = connection.getresponse()
                text = answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException):
                return "", ""
            finally:
                connection.close()
            if answer.status != 403:
                return f"{method} {path}: {answer.status} {text[:80]}", ""
    return "", "asks for its key" if "asks for its key" in text else ""


def hive_session(login: dict[str, str], port: int) -> tuple[str, str]:
    """Send a statement over Thrift, with a login."""
    from pyhive import hive

    try:
        cursor = hive.connect(host="127.0.0.1", port=port, **login).cursor()
        cursor.execute("select transform (1) using 'id' as said")
        return f"ran a program over Thrift: {cursor.fetchall()}", ""
    except Exception as error:
        return "", "wrong password" if "Error validating the login" in str(error) else ""


def connect_session(port: int) -> tuple[str, str]:
    """Send a request to Spark Connect, without a token and with a wrong token."""
    import grpc
    from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc

    errors = ""
    for metadata in ([], [("authorization", "Bearer guess")]):
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            request = base_pb2.ConfigRequest(session_id="00112233-4455-6677-8899-aabbccddeeff")
            request.operation.get_all.SetInParent()
            try:
                answer = base_pb2_grpc.SparkConnectServiceStub(channel).Config(
                    request, metadata=metadata, timeout=SECONDS
                )
                return f"read the settings over Connect: {str(answer)[:80]}", ""
            except grpc.RpcError as error:
                errors += f"{error.code()} "
    return "", "no token" if "UNAUTHENTICATED" in errors else ""


def metastore_call(port: int) -> tuple[str, str]:
    """Request the list of schemas, as a Hive client does."""
    name = b"get_all_databases"
    answer = talk(port, struct.pack(">II", 0x80010001, len(name)) + name + struct.pack(">IB", 1, 0))
    return (f"asked the metastore: {answer[:80]!r}", "") if name in answer else ("", "")


def spark_message(port: int) -> tuple[str, str]:
    """Send a message to Spark's internal ports, which must not deserialize any message before authentication."""
    body = b"\xac\xed\x00\x05t\x00\x05guess"
    message = struct.pack(">BqI", 3, 7, len(body)) + body
    answer = talk(port, struct.pack(">q", 8 + len(message)) + message)
    if len(answer) < 9 or answer[8] not in (4, 5):
        return "", ""
    if b"SaslMessage" in answer or b"Unexpected message type" in answer:
        return "", "no handshake"
    return f"Spark read a message: {answer[8:200]!r}", ""


def gateway_call(port: int) -> tuple[str, str]:
    """Send a call to a Py4J gateway."""
    answer = talk(port, b"c\nz:java.lang.Runtime\ngetRuntime\ne\n")
    if answer.startswith(b"!y"):
        return f"called Java through Py4J: {answer[:80]!r}", ""
    return "", "no gateway token" if b"Authentication error" in answer else ""


def python_worker(port: int) -> tuple[str, str]:
    """Send work to a Python worker of Spark, with a guessed secret."""
    answer = talk(port, struct.pack(">I", 5) + b"guess")
    if answer.endswith(b"ok"):
        return "a Python worker took work", ""
    return "", "no worker secret" if answer.endswith(b"err") else ""


def accumulators(port: int) -> tuple[str, str]:
    """Send accumulator updates to a Python driver with a guessed token. The driver should close the connection."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.settimeout(SECONDS)
        try:
            connection.sendall(b"guess" * 20 + struct.pack(">i", 0))
            answer = connection.recv(1)
        except ConnectionResetError:
            answer = b""
        except OSError:
            return "", ""
    return ("updated accumulators", "") if answer == b"\x01" else ("", "no driver token" if not answer else "")


LOGINS: tuple[dict[str, str], ...] = (
    {"username": "root"},
    {"username": "penstock", "password": "guess", "auth": "CUSTOM"},
    {"username": "penstock", "password": " ", "auth": "LDAP"},
    {"auth": "NOSASL"},
)
ATTACKS: tuple[Callable[[int], tuple[str, str]], ...] = (
    *(greeting, page, gateway_call, spark_message, metastore_call, python_worker, accumulators, connect_session),
    *(partial(hive_session, login) for login in LOGINS),
)


def attack(port: int) -> dict[str, str]:
    """Try every attack on a port. Return the attacks that succeeded, and the refusals that identify the port."""
    through, refused = [], []
    for one in ATTACKS:
        try:
            with time_limit(ATTACK_SECONDS):
                got, refusal = one(port)
        except OSError as error:
            got, refusal = "", "" if not isinstance(error, ConnectionRefusedError) else "gone"
        through += [got] if got else []
        refused += [refusal] if refusal else []
    return {"through": "; ".join(through), "refused": "; ".join(refused)}


def readable(path: str) -> bool:
    """Return whether the file can be read, or the folder listed."""
    try:
        if Path(path).is_dir():
            next(Path(path).iterdir(), None)
        else:
            Path(path).read_bytes()
        return True
    except OSError:
        return False


def listening(pids: Iterable[int]) -> dict[int, str]:
    """Return the TCP ports on which processes and their children listen, with the program behind each port."""
    found: dict[int, str] = {}
    for pid in pids:
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            try:
                name = " ".join(one.cmdline())[-80:]
                for connection in one.net_connections("inet"):
                    if connection.status == psutil.CONN_LISTEN:
                        found[connection.laddr.port] = name
            except psutil.Error:
                continue
    return found


def intrude(ports: Iterable[int], files: Iterable[Path] = ()) -> dict[str, dict[str, Any]]:
    """Let the user nobody try ports and files of this machine, and return the results by port and by file."""
    command = [sys.executable, __file__, *map(str, ports), "--", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def become_nobody(closed: int) -> None:
    """Import the modules of all attacks by trying each attack on a closed port, and then become the user nobody."""

    def late(number: int, frame: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    attack(closed)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def main(arguments: list[str]) -> None:
    """Try ports and files. Several attacks run at a time, since an attack mostly waits for an answer."""
    split = arguments.index("--")
    ports, files = arguments[:split], arguments[split + 1 :]
    # Imported as root, because the user nobody may be unable to read this Python environment.
    for name in ("encodings.idna", "puresasl.client", "pyhive.hive", "grpc", "pyspark.sql.connect.proto"):
        importlib.import_module(name)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        number = closed.getsockname()[1]
        fork = multiprocessing.get_context("fork")
        # This pool reports a process that dies. `multiprocessing.Pool` would wait for its answer without end.
        with ProcessPoolExecutor(AT_ONCE, fork, become_nobody, (number,)) as pool:
            attacked = list(pool.map(attack, map(int, ports)))
            read = list(pool.map(readable, files))
    answer = {"ports": dict(zip(ports, attacked, strict=True)), "files": dict(zip(files, read, strict=True))}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
