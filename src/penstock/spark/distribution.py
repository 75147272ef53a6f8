"""The Spark that the pyspark package ships: its folder and version, without the second that importing it takes."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path


def home() -> Path:
    """The package's folder, as SPARK_HOME means it.

    Raises:
        ModuleNotFoundError: pyspark is not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'pyspark'", name="pyspark")
    return Path(next(iter(spec.submodule_search_locations)))


def version() -> str:
    """The version, as in 4.1.4."""
    return importlib.metadata.version("pyspark")
