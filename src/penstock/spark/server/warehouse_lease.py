"""The lease on a warehouse in S3. Only the server that holds the lease may write to the warehouse.

Delta's log store for S3 orders the commits of one JVM only. If two drivers write to one table, commits are lost
(https://docs.delta.io/latest/delta-storage.html#amazon-s3). So a server acquires a lease on its warehouse before it
starts. The lease is an object that only one server can create and that this server renews. The lease of a killed server
expires. The log store S3DynamoDBLogStore coordinates several drivers, so a server with this log store needs no lease.
"""

from __future__ import annotations

import getpass
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark import object_stores
from penstock.storage import filesystems
from penstock.storage.locations import Location

NAME = "_penstock/writer.json"
RENEW_SECONDS, EXPIRY_SECONDS = 20.0, 90.0
# After a server has replaced an expired lease, it waits this long. It then checks that no other server replaced it too.
SETTLE_SECONDS = 2.0


@dataclass
class Lease:
    """A lease that this server holds.

    Args:
        path: the path of the lease's object.
        owner: the unique name of the holder.
    """

    path: Location
    owner: str

    def __post_init__(self) -> None:
        self._released, self._threads = threading.Event(), []  # type: threading.Event, list[threading.Thread]
        self._renewed = time.monotonic()

    def _body(self) -> bytes:
        who = f"{getpass.getuser()} on {socket.gethostname()}"
        return json.dumps({"owner": self.owner, "who": who, "renewed": time.time()}).encode()

    def keep_renewed(self, on_lost: Callable[[str], None]) -> None:
        """Renew the lease in the background until `release`.

        Args:
            on_lost: called with the reason if another server holds the lease, or if renewals fail until the lease is
                about to expire.
        """
        # A store that does not answer can block a renewal for minutes, so another thread watches the lease's age.
        targets = (self._renew, self._watch)
        self._threads = [threading.Thread(target=each, args=(on_lost,), daemon=True, name="lease") for each in targets]
        for thread in self._threads:
            thread.start()

    def _renew(self, on_lost: Callable[[str], None]) -> None:
        while not self._released.wait(RENEW_SECONDS):
            begin = time.monotonic()
            # After any error of the store's library, this thread must try to renew the lease again.
            with suppress(Exception):
                found = read(self.path)
                if found.get("owner") != self.owner:
                    return on_lost(f"{found.get('who', 'somebody')} holds the lease on {self.path.parent.parent}")
                with self.path.open("wb") as file:
                    file.write(self._body())
                self._renewed = begin

    def _watch(self, on_lost: Callable[[str], None]) -> None:
        while not self._released.wait(RENEW_SECONDS / 10):
            if (age := time.monotonic() - self._renewed) > EXPIRY_SECONDS - RENEW_SECONDS:
                where = self.path.parent.parent
                return on_lost(f"the lease on {where} could not be renewed for {age:.0f} s and will expire")

    def release(self) -> None:
        """Remove the lease, so that another server can acquire it immediately."""
        self._released.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(RENEW_SECONDS)  # a running renewal would write the lease again
        with suppress(Exception):  # if removing fails, the lease expires
            if read(self.path).get("owner") == self.owner:
                filesystems.file_system(self.path).remove(self.path)


def read(path: Location) -> dict[str, Any]:
    """Return the content of a lease; empty if the lease is missing or incomplete."""
    try:
        found = json.loads(filesystems.file_system(path).read([path])[0])
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def acquire(settings: Settings) -> Lease | None:
    """Acquire the lease on the warehouse; return None if the warehouse needs no lease.

    Raises:
        PenstockError: another server holds the lease.
    """
    if not object_stores.needs_lease(settings):
        return None
    lease = Lease(settings.warehouse_dir / NAME, _owner(settings))
    store = filesystems.file_system(lease.path)
    if store.create(lease.path, lease._body()):
        return lease
    held = read(lease.path)
    age = time.time() - float(held.get("renewed", 0))
    # A lease with the same owner belongs to an earlier server of this state folder, which no longer runs.
    if held.get("owner") != lease.owner and age < EXPIRY_SECONDS:
        raise _refusal(
            settings,
            f"{held.get('who')} holds the lease, renewed {max(0, age):.0f} s ago",
            f"stop that server (`penstock down`), or wait {EXPIRY_SECONDS:.0f} s if it was killed; for several writers "
            f"set {object_stores.LOG_STORE}: {object_stores.DYNAMODB} in server.spark_conf",
        )
    store.remove(lease.path)
    acquired = store.create(lease.path, lease._body())
    if acquired and held.get("owner") != lease.owner:
        # Another server that found the same expired lease may have replaced this new lease. The last lease counts.
        time.sleep(SETTLE_SECONDS)
        acquired = read(lease.path).get("owner") == lease.owner
    if not acquired:
        raise _refusal(settings, "another server acquired the lease at this moment", "use that one, or try again")
    return lease


def _owner(settings: Settings) -> str:
    """Return the unique name with which this state folder owns leases. A copy of the folder gets another name."""
    file = settings.state_dir / "writer-id"
    place = {"state": str(settings.state_dir), "machine": socket.gethostname()}
    try:
        found = json.loads(file.read_text())
        if found == {**place, "owner": found["owner"]}:
            return str(found["owner"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        pass
    file.parent.mkdir(parents=True, exist_ok=True)
    owner = uuid.uuid4().hex
    file.write_text(json.dumps({**place, "owner": owner}))
    return owner


def _refusal(settings: Settings, found: str, do: str) -> PenstockError:
    needed = f"to be the only server that writes to {settings.warehouse} (Delta's rule on S3)"
    return PenstockError(needed, found, do, entry="another-server-writes-to-the-warehouse-on-s3")
