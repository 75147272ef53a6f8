"""Find the Spark distribution in the pyspark package, without importing pyspark, because the import takes a second."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path


def spark_home() -> Path:
    """Return the folder of the pyspark package, the value of SPARK_HOME.

    Raises:
        ModuleNotFoundError: pyspark is not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'pyspark'", name="pyspark")
    return Path(next(iter(spec.submodule_search_locations)))


def spark_version() -> str:
    """Return Spark's version, for example 4.1.4."""
    return importlib.metadata.version("pyspark")
