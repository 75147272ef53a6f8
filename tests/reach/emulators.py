"""Emulated stores on this machine: moto for S3, fake-gcs-server for GCS, and HDFS's own processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests

from penstock.errors import PenstockError
from penstock.spark import java, object_stores
from penstock.spark.jars import resolve, spark_jars
from penstock.spark.java_modules import module_options
from tests.reach.external_tools import ROOT, from_go, missing
from tests.reach.processes import free_port, running
from tests.support.polling import wait_until

DELTA = "io.delta:delta-spark_4.1_2.13:4.3.0"
BUCKET = "penstock"
REGION = "eu-central-1"
# A secret that tests look for in all written files.
KEY, SECRET = "PLANTEDKEY7Q2X", "planted+secret/8vZt3KpQ1m"
GCS = ("github.com/fsouza/fake-gcs-server", "v1.56.1")
# WebHDFS needs classes that Java removed after version 8.
HDFS = ("org.apache.hadoop:hadoop-client-minicluster:3.4.2@jar", "javax.xml.bind:jaxb-api:2.3.1@jar")
STATE = "Hadoop:service=NameNode,name=FSNamesystemState"
SECONDS = 90


@dataclass(frozen=True)
class Store:
    """A running store.

    Attributes:
        name: as people call it.
        section: keys of a target in penstock.yml that lies there.
        environment: what a process needs to be let in.
    """

    name: str
    section: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)


def wait_for_answer(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until an HTTP server answers, with any status."""

    def answers() -> bool:
        assert process.poll() is None, log.read_text()[-2000:]
        with suppress(requests.RequestException):
            requests.get(address, timeout=30)
            return True
        return False

    wait_until(answers, f"{address} answers; see {log}", SECONDS)


def section(scheme: str, root: str, endpoint: str, **store: Any) -> dict[str, Any]:
    """Return a target's settings for a lake and a warehouse below an address."""
    packages = [DELTA, *object_stores.PACKAGES[scheme]]
    return {
        "lake": f"{root}/lake",
        "warehouse": f"{root}/warehouse",
        "store": {"endpoint": endpoint, **store},
        "server": {"packages": packages},
    }


def require_packages(*packages: str) -> None:
    """Skip the test if the Java packages can't be fetched."""
    try:
        resolve(packages, ROOT / ".penstock", java.find(None))
    except PenstockError as error:
        missing(str(error))


@contextmanager
def s3(folder: Path) -> Iterator[Store]:
    """Run moto's S3 server."""
    require_packages(DELTA, *object_stores.PACKAGES["s3a"])
    log, endpoint = folder / "s3.log", f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", endpoint.rpartition(":")[2]]
    with running(command, log) as process:
        wait_for_answer(process, endpoint, log)
        place = {"Content-Type": "application/xml"}
        body = (
            f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        )
        requests.put(f"{endpoint}/{BUCKET}", data=body, headers=place, timeout=30).raise_for_status()
        let_in = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        yield Store("S3", section("s3a", f"s3a://{BUCKET}", endpoint, region=REGION), let_in)


@contextmanager
def gcs(folder: Path) -> Iterator[Store]:
    """Run fake-gcs-server."""
    require_packages(DELTA, *object_stores.PACKAGES["gs"])
    program = from_go(*GCS) / "fake-gcs-server"
    log, port = folder / "gcs.log", free_port()
    endpoint = f"http://127.0.0.1:{port}"
    (folder / "gcs" / BUCKET).mkdir(parents=True)
    command = [str(program), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-external-url", endpoint]
    with running([*command, "-backend", "memory"], log) as process:
        wait_for_answer(process, f"{endpoint}/storage/v1/b", log)
        requests.post(f"{endpoint}/storage/v1/b", json={"name": BUCKET}, timeout=30).raise_for_status()
        yield Store("GCS", section("gs", f"gs://{BUCKET}", endpoint, anonymous=True))


def _site(path: Path, properties: dict[str, str]) -> None:
    rows = (f"<property><name>{escape(k)}</name><value>{escape(v)}</value></property>" for k, v in properties.items())
    path.write_text(f"<configuration>{''.join(rows)}</configuration>\n")


@contextmanager
def hdfs(folder: Path) -> Iterator[Store]:
    """Run a NameNode and a DataNode, each in its own process."""
    require_packages(*HDFS)
    found = java.find(None)
    conf, disk, rpc, web = folder / "conf", folder / "hdfs", free_port(), free_port()
    conf.mkdir()
    disk.mkdir()
    _site(conf / "core-site.xml", {"fs.defaultFS": f"hdfs://127.0.0.1:{rpc}", "hadoop.tmp.dir": str(disk)})
    names = ("dfs.datanode.address", "dfs.datanode.http.address", "dfs.datanode.ipc.address")
    _site(
        conf / "hdfs-site.xml",
        {
            "dfs.replication": "1",
            "dfs.namenode.http-address": f"127.0.0.1:{web}",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.datanode.hostname": "127.0.0.1",
            "dfs.permissions.enabled": "false",
            **{name: f"127.0.0.1:{free_port()}" for name in names},
        },
    )
    jars = [*resolve(HDFS, ROOT / ".penstock", found), *spark_jars()]
    path = os.pathsep.join([str(conf), *map(str, jars)])
    options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *module_options(found)]
    start = [str(found.executable), *options, "-cp", path]
    name_node = "org.apache.hadoop.hdfs.server.namenode.NameNode"
    formatted = subprocess.run(
        [*start, name_node, "-format", "-force"], capture_output=True, text=True, timeout=SECONDS
    )
    assert formatted.returncode == 0, formatted.stderr[-2000:]
    data_node = "org.apache.hadoop.hdfs.server.datanode.DataNode"
    with (
        running([*start, name_node], folder / "namenode.log") as process,
        running([*start, data_node], folder / "datanode.log"),
    ):
        wait_for_answer(process, f"http://127.0.0.1:{web}", folder / "namenode.log")
        _out_of_safe_mode(f"http://127.0.0.1:{web}")
        yield Store("HDFS", section("hdfs", f"hdfs://127.0.0.1:{rpc}", f"http://127.0.0.1:{web}"))


def _out_of_safe_mode(web: str) -> None:
    """Wait for the DataNode: before it registers, the NameNode takes no write."""

    def is_ready() -> bool:
        beans: list[dict[str, Any]] = []
        with suppress(requests.RequestException):
            beans = requests.get(f"{web}/jmx?qry={STATE}", timeout=30).json()["beans"]
        return bool(beans and beans[0]["NumLiveDataNodes"] and beans[0]["FSState"] == "Operational")

    wait_until(is_ready, "HDFS is ready", SECONDS)
