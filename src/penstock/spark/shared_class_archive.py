"""The server's archive of classes for the JVMs beside it that run the same code: executors, drivers of their own.

An archive fits a class path that begins with the server's own, and the very files of it: so executors have it on
a cluster of this machine alone. https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.spark.class_archive import Archive
from penstock.spark.jars import class_path
from penstock.spark.java import Java

PLAIN = re.compile(r"[\w./:=+,-]+", re.ASCII)


def with_driver(conf: Mapping[str, str], settings: Settings, java: Java, jars: list[Path]) -> dict[str, str]:
    """Spark's settings of a driver, with the jars of the table formats on its class path.

    A class path of the user's own goes before Spark's jars, and then no archive fits.
    """
    own = conf.get("spark.driver.extraClassPath", "")
    path = os.pathsep.join([*map(str, jars), *filter(None, [own])])
    plain = {**conf, "spark.driver.extraClassPath": path}
    return plain if own else _with_archive(plain, "driver", settings, java, jars)


def with_executors(conf: Mapping[str, str], settings: Settings, java: Java, jars: list[Path]) -> dict[str, str]:
    """Spark's settings of an application whose executors, where they can, read the archive."""
    hosts = [host for host, _ in addresses.standalone_masters(conf["spark.master"])]
    here = bool(hosts) and all(map(addresses.is_loopback, hosts))
    as_given = conf.get("spark.executor.extraClassPath") == os.pathsep.join(map(str, jars))
    return _with_archive(conf, "executor", settings, java, jars) if here and as_given else dict(conf)


def _with_archive(
    conf: Mapping[str, str], role: str, settings: Settings, java: Java, jars: list[Path]
) -> dict[str, str]:
    path = class_path(jars)
    archive = Archive.of(settings.shared_dir, "spark", java, path)
    if not settings.server.class_data_sharing or not archive.file.exists():
        return dict(conf)
    # Spark takes them apart as a shell does.
    options = [option if PLAIN.fullmatch(option) else json.dumps(option) for option in archive.options()]
    name = f"spark.{role}.extraJavaOptions"
    return {
        **conf,
        f"spark.{role}.extraClassPath": path,
        name: " ".join(filter(None, [*options, conf.get(name, "")])),
    }
