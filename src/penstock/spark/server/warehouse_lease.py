"""Delta on S3 takes one writing driver: the server that holds the warehouse's lease.

Delta's log store for S3 orders commits inside one JVM alone; two drivers that write one table would
lose commits (https://docs.delta.io/latest/delta-storage.html#amazon-s3). A server therefore takes a
lease on its warehouse before it starts, one object that only one can create, and keeps it fresh. One
that was killed leaves a lease that ends by itself. With a log store that coordinates
(S3DynamoDBLogStore) there is none.
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
# Seconds: how often the holder writes it anew; after how long without that it counts as left; how long a new
# holder waits before it believes that it is the only one that took a left lease.
RENEW, LEFT, SETTLE = 20.0, 90.0, 2.0


@dataclass
class Lease:
    """A held lease.

    Args:
        path: of its object.
        owner: names this holder and no other.
    """

    path: Location
    owner: str

    def __post_init__(self) -> None:
        self._over, self._threads = threading.Event(), []  # type: threading.Event, list[threading.Thread]
        self._renewed = time.monotonic()

    def _body(self) -> bytes:
        who = f"{getpass.getuser()} on {socket.gethostname()}"
        return json.dumps({"owner": self.owner, "who": who, "renewed": time.time()}).encode()

    def keep(self, lost: Callable[[str], None]) -> None:
        """Renew it until `release`; `lost` is told when another holds it, or soon may: it could not be renewed.

        The second is watched apart, since a store that doesn't answer can keep the asker for minutes.
        """
        where = self.path.parent.parent

        def renew() -> None:
            while not self._over.wait(RENEW):
                begun = time.monotonic()
                # Whatever the store's library raises: this thread is what keeps the lease.
                with suppress(Exception):
                    found = read(self.path)
                    if found.get("owner") != self.owner:
                        return lost(f"{found.get('who', 'somebody')} holds the lease on {where}")
                    with self.path.open("wb") as file:
                        file.write(self._body())
                    self._renewed = begun

        def watch() -> None:
            while not self._over.wait(RENEW / 10):
                if (silent := time.monotonic() - self._renewed) > LEFT - RENEW:
                    return lost(f"the lease on {where} could not be renewed for {silent:.0f} s, and may be taken")

        self._threads = [threading.Thread(target=each, daemon=True, name="lease") for each in (renew, watch)]
        for thread in self._threads:
            thread.start()

    def release(self) -> None:
        """Let others have it at once."""
        self._over.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(RENEW)  # a renewal under way would write it again
        with suppress(Exception):  # it ends by itself, too
            if read(self.path).get("owner") == self.owner:
                filesystems.file_system(self.path).remove(self.path)


def read(path: Location) -> dict[str, Any]:
    """What a lease says; empty when there is none or it is half written."""
    try:
        found = json.loads(filesystems.file_system(path).read([path])[0])
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def take(settings: Settings) -> Lease | None:
    """The lease on a warehouse, for a server that is about to start; None where none is needed.

    Raises:
        PenstockError: another server holds it.
    """
    if not object_stores.needs_lease(settings):
        return None
    lease = Lease(settings.warehouse_dir / NAME, _owner(settings))
    store = filesystems.file_system(lease.path)
    if store.create(lease.path, lease._body()):
        return lease
    held = read(lease.path)
    age = time.time() - float(held.get("renewed", 0))
    # This state folder's own server was ended before another one of it starts: what it left is taken over.
    if held.get("owner") != lease.owner and age < LEFT:
        raise _refused(
            settings,
            f"{held.get('who')} does, and said so {max(0, age):.0f} s ago",
            f"stop that one (`penstock down`), or wait {LEFT:.0f} s if it was killed; for several writers set "
            f"{object_stores.LOG_STORE}: {object_stores.DYNAMODB} in server.spark_conf",
        )
    store.remove(lease.path)
    taken = store.create(lease.path, lease._body())
    if taken and held.get("owner") != lease.owner:
        # Who found the old lease too may have removed this one: the last to create it is the holder.
        time.sleep(SETTLE)
        taken = read(lease.path).get("owner") == lease.owner
    if not taken:
        raise _refused(settings, "another one took over at this moment", "use that one, or try again")
    return lease


def _owner(settings: Settings) -> str:
    """A name of this state folder, the same for each server that it has, one after another; a copy has another."""
    file = settings.state_dir / "writer-id"
    place = {"state": str(settings.state_dir), "machine": socket.gethostname()}
    try:
        found = json.loads(file.read_text())
        if found == {**place, "owner": found["owner"]}:
            return str(found["owner"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        pass
    file.parent.mkdir(parents=True, exist_ok=True)
    made = {**place, "owner": uuid.uuid4().hex}
    file.write_text(json.dumps(made))
    return str(made["owner"])


def _refused(settings: Settings, found: str, do: str) -> PenstockError:
    return PenstockError(f"to be the only server that writes to {settings.warehouse} (Delta's rule on S3)", found, do)
