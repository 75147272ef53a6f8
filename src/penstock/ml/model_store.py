"""Save and load fitted models in `registry/NAME/VERSION` at the root of the warehouse. Nothing is overwritten."""

from __future__ import annotations

from typing import Any

from pyspark.ml import PipelineModel

FOLDER = "registry"


def version_folder(session: Any, name: str, version: int) -> str:
    """Return the folder of a version as a Spark path."""
    root = str(session.conf.get("spark.sql.warehouse.dir")).rstrip("/")
    return f"{root}/{FOLDER}/{name}/{version}"


def _exists(session: Any, path: str) -> bool:
    try:
        return bool(session.read.text(f"{path}/metadata").limit(1).collect())
    except Exception as error:
        if "PATH_NOT_FOUND" in str(error):
            return False
        raise


def next_version(session: Any, name: str, newest: int) -> int:
    """Return the first number after `newest` for which no folder exists.

    A folder without a row in the training model's table belongs to a concurrent or a killed run.
    """
    version = newest + 1
    while _exists(session, version_folder(session, name, version)):
        version += 1
    return version


def save(session: Any, model: Any, name: str, newest: int) -> tuple[int, str]:
    """Save a fitted pipeline under the next free number.

    A number with a folder is skipped: a concurrent run may just have created the folder, or a killed run left it.

    Returns:
        The version's number and folder.
    """
    version = next_version(session, name, newest)
    while True:
        path = version_folder(session, name, version)
        try:
            model.write().save(path)
        except Exception as error:
            if "already exists" not in str(error):
                raise
            version += 1
        else:
            return version, path


def load(path: str) -> Any:
    """Load the fitted pipeline in a folder into the active session."""
    return PipelineModel.load(path)
