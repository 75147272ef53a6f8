"""The lease on a warehouse in S3: one server writes, and the lease of a killed server expires."""

from __future__ import annotations

import json
import shutil
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from penstock.config.sections import StoreSettings
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark.server import warehouse_lease


def settings(root: Path, bucket: str, endpoint: str, **conf: str) -> Settings:
    """Return settings with a warehouse in a bucket."""
    root.mkdir(exist_ok=True)
    store = StoreSettings(endpoint=endpoint, region="eu-central-1")
    server = {"spark_conf": conf}
    return Settings.model_validate({"root": root, "warehouse": f"s3a://{bucket}/w", "store": store, "server": server})


@pytest.fixture
def two(endpoint: str, tmp_path: Path, credentials: None) -> list[Settings]:
    """Return the settings of two projects with one warehouse."""
    bucket = f"b-{uuid.uuid4().hex}"
    made = [settings(tmp_path / name, bucket, endpoint) for name in ("one", "two")]
    warehouse = made[0].warehouse_dir
    assert isinstance(warehouse, UPath)
    warehouse.fs.mkdir(bucket)
    return made


def test_a_second_server_is_refused_until_the_first_releases_the_lease(two: list[Settings]) -> None:
    held = warehouse_lease.acquire(two[0])
    assert held
    with pytest.raises(PenstockError, match=r"the only server that writes to s3a://.* holds the lease"):
        warehouse_lease.acquire(two[1])
    held.release()
    assert warehouse_lease.acquire(two[1])


def test_a_project_takes_the_lease_of_its_killed_server(two: list[Settings]) -> None:
    assert warehouse_lease.acquire(two[0])
    assert warehouse_lease.acquire(two[0])


def test_the_lease_of_a_killed_server_expires(two: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse_lease, "SETTLE_SECONDS", 0.05)
    held = warehouse_lease.acquire(two[0])
    assert held
    old = {"owner": held.owner, "who": "somebody", "renewed": 0}
    with held.path.open("wb") as file:
        file.write(json.dumps(old).encode())
    other = warehouse_lease.acquire(two[1])
    assert other and warehouse_lease.read(other.path)["owner"] == other.owner
    held.release()
    assert warehouse_lease.read(other.path)["owner"] == other.owner, "it releases its own lease only"


def test_a_holder_notices_that_it_lost_the_lease(two: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse_lease, "RENEW_SECONDS", 0.05)
    held = warehouse_lease.acquire(two[0])
    assert held
    reasons: list[str] = []
    with held.path.open("wb") as file:
        file.write(json.dumps({"owner": "other", "who": "another one", "renewed": 0}).encode())
    held.keep_renewed(reasons.append)
    for _ in range(100):
        if reasons:
            break
        held._released.wait(0.05)
    assert "another one holds the lease" in reasons[0]


def test_a_copied_project_is_another_owner(two: list[Settings]) -> None:
    """Even with a copied state folder."""
    assert warehouse_lease.acquire(two[0])
    shutil.copytree(two[0].state_dir, two[1].state_dir)
    with pytest.raises(PenstockError, match="the only server that writes"):
        warehouse_lease.acquire(two[1])


def test_a_holder_that_cannot_renew_the_lease_stops_before_it_expires(
    two: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed renewal is repeated; after too many the server has to stop."""
    monkeypatch.setattr(warehouse_lease, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(warehouse_lease, "EXPIRY_SECONDS", 1.5)
    held = warehouse_lease.acquire(two[0])
    assert held
    begin, broken, lost = time.monotonic(), threading.Event(), threading.Event()
    works = warehouse_lease.read

    def sometimes(path: Any) -> dict[str, Any]:
        if broken.is_set():
            raise OSError("the network is away")
        return works(path)

    monkeypatch.setattr(warehouse_lease, "read", sometimes)
    reasons: list[str] = []

    def stop(reason: str) -> None:
        reasons.append(reason)
        lost.set()

    held.keep_renewed(stop)
    for _ in range(2):  # the store is unavailable for a while
        broken.set()
        time.sleep(0.4)
        broken.clear()
        time.sleep(0.6)
    assert not lost.is_set() and time.monotonic() - begin > 1.5
    broken.set()
    assert lost.wait(30)
    assert len(reasons) == 1 and "could not be renewed" in reasons[0]
    held.release()


@pytest.mark.parametrize("warehouse", ["warehouse", "gs://bucket/w", "hdfs://node:9000/w"])
def test_other_stores_need_no_lease(tmp_path: Path, warehouse: str) -> None:
    """They have conditional writes, which order Delta's commits."""
    assert warehouse_lease.acquire(Settings(root=tmp_path, warehouse=warehouse)) is None


def test_a_coordinating_log_store_needs_no_lease(tmp_path: Path) -> None:
    conf = {"spark.delta.logStore.s3a.impl": "io.delta.storage.S3DynamoDBLogStore"}
    assert warehouse_lease.acquire(settings(tmp_path / "p", "bucket", "http://127.0.0.1:9", **conf)) is None
