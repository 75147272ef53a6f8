"""Find the cluster that another project of the same user started on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from penstock.config import addresses
from penstock.spark.cluster import record

# The JVM of a cluster's master has this option, so that the process can be recognized.
MASTER_OPTION = "-Dpenstock.role=master"


def find_folder(master: str) -> Path | None:
    """Return the folder of the running cluster with a master URL; None if no project of this user started the cluster.

    The folder contains the cluster's record and secret, and only its owner can read it. The working directory of the
    master's process is the subfolder `work` of the folder, so this function finds the folder from the process.

    Args:
        master: a URL such as `spark://127.0.0.1:7077`.
    """
    ports = {port for host, port in addresses.standalone_masters(master) if addresses.is_loopback(host)}
    if not ports:
        return None
    for process in psutil.process_iter(["uids", "cmdline", "cwd"]):
        uids, command, work = (process.info[key] for key in ("uids", "cmdline", "cwd"))
        if not uids or uids.real != os.getuid() or MASTER_OPTION not in (command or []) or not work:
            continue
        folder = Path(work).parent
        cluster = record.read_folder(folder)
        node = cluster.master if cluster else None
        if node and node.process.pid == process.pid and node.port in ports:
            return folder
    return None
