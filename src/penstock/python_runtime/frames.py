"""Convert the frame that a Python model returns to a Spark DataFrame of the model's session."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from penstock.python_runtime import contract, local_frames
from penstock.python_runtime.model_errors import RefusedModelError
from penstock.python_runtime.schema_changes import column_types, repeated_names

ACCEPTED = "a Spark, pandas, pandas-on-Spark DataFrame or a pyarrow Table"


def frame_kind(value: Any) -> str:
    """Return the kind of a frame (`spark`, `pandas-on-spark`, `pandas`, `pyarrow`); empty for other values.

    The function compares class names, so that it doesn't need to import pandas, pyarrow or pyspark.
    """
    for base in type(value).__mro__:
        module, name = base.__module__, base.__name__
        if name == "DataFrame" and module.startswith("pyspark.sql."):
            return "spark"
        if name == "DataFrame" and module.startswith("pyspark.pandas."):
            return "pandas-on-spark"
        if name == "DataFrame" and module.partition(".")[0] == "pandas":
            return "pandas"
        if name == "Table" and module.partition(".")[0] == "pyarrow":
            return "pyarrow"
    return ""


def to_spark(session: Any, value: Any, model: str) -> Any:
    """Return a model's result as a Spark DataFrame.

    Args:
        session: the model's session.
        value: the value that `model()` returned.
        model: the model's name, for error messages.

    Raises:
        RefusedModelError: the value is not a frame, has no columns, repeats a column name, or has values
            without a Spark type.
    """
    kind = frame_kind(value)
    if kind == "pandas-on-spark":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PySpark warns that the index is lost; a model's rows have no index.
            value, kind = value.to_spark(), "spark"
    if kind == "spark":
        frame = value
    elif kind:
        if not len(value.columns):
            raise RefusedModelError(
                f"columns in the result of {model}", f"a {kind} frame without any", "name its columns"
            )
        frame = local_frames.to_spark(session, value, model)
    else:
        returned = "None" if value is None else f"{type(value).__module__}.{type(value).__name__}"
        raise RefusedModelError(
            f"{ACCEPTED} from {model}", returned.removeprefix("builtins."), "return one from model()"
        )
    if repeated := repeated_names(frame.columns):
        found = f"{', '.join(repeated)}: column names ignore case"
        raise RefusedModelError(f"each column name once in the result of {model}", found, "rename the columns")
    return frame


def storable(frame: Any, declared: Mapping[str, str]) -> Any:
    """Return a frame that a table can hold: VOID columns are cast to their declared type, or else to string."""
    select_list = contract.storable_select(column_types(frame.schema), declared)
    return frame.selectExpr(*select_list) if select_list else frame
