"""What a model may return, as a Spark data frame of its session."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from penstock.python_runtime import contract, local_frames
from penstock.python_runtime.model_errors import ModelError
from penstock.python_runtime.schema_changes import repeated, types

ACCEPTED = "a Spark, pandas, pandas-on-Spark DataFrame or a pyarrow Table"


def kind(value: Any) -> str:
    """Which of the accepted kinds a value is, by its class; empty for any other."""
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


def to_spark(session: Any, value: Any, name: str) -> Any:
    """The Spark data frame of a model's result.

    Args:
        session: the model's session.
        value: what `model()` returned.
        name: the model's name, for the error.

    Raises:
        ModelError: anything else was returned, a frame without columns or with a name twice, or values that
            Spark has no type for.
    """
    found = kind(value)
    if found == "pandas-on-spark":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the index is not a column: a model's rows have none
            value, found = value.to_spark(), "spark"
    if found == "spark":
        frame = value
    elif found:
        if not len(value.columns):
            raise ModelError.of(f"columns in the result of {name}", f"a {found} frame without any", "name its columns")
        frame = local_frames.to_spark(session, value, name)
    else:
        what = "None" if value is None else f"{type(value).__module__}.{type(value).__name__}"
        raise ModelError.of(f"{ACCEPTED} from {name}", what.removeprefix("builtins."), "return one from model()")
    if twice := repeated(frame.columns):
        words = f"{', '.join(twice)}: a name's letter case doesn't count"
        raise ModelError.of(f"each column name once in the result of {name}", words, "rename the columns")
    return frame


def storable(frame: Any, declared: Mapping[str, str]) -> Any:
    """A Spark data frame that a table can hold: a VOID column becomes the declared type, or a string."""
    listed = contract.storable(types(frame.schema), declared)
    return frame.selectExpr(*listed) if listed else frame
