"""Where fitted models lie: `registry/NAME/VERSION` at the root of the warehouse, never written twice."""

from __future__ import annotations

from typing import Any

from pyspark.ml import PipelineModel

FOLDER = "registry"


def folder(session: Any, name: str, version: int) -> str:
    """Of a version, as Spark names it."""
    root = str(session.conf.get("spark.sql.warehouse.dir")).rstrip("/")
    return f"{root}/{FOLDER}/{name}/{version}"


def _is_there(session: Any, path: str) -> bool:
    try:
        return bool(session.read.text(f"{path}/metadata").limit(1).collect())
    except Exception as error:
        if "PATH_NOT_FOUND" in str(error):
            return False
        raise


def next_version(session: Any, name: str, newest: int) -> int:
    """The number after the newest one that has a row, and after those that others or a killed run took."""
    version = newest + 1
    while _is_there(session, folder(session, name, version)):
        version += 1
    return version


def save(session: Any, model: Any, name: str, newest: int) -> tuple[int, str]:
    """Save a fitted pipeline under the next number; that number and its folder.

    A folder that another run takes at the same moment, or that a killed one left, is passed over.
    """
    version = next_version(session, name, newest)
    while True:
        path = folder(session, name, version)
        try:
            model.write().save(path)
        except Exception as error:
            if "already exists" not in str(error):
                raise
            version += 1
        else:
            return version, path


def load(path: str) -> Any:
    """The fitted pipeline of a folder, in the session that is active."""
    return PipelineModel.load(path)
