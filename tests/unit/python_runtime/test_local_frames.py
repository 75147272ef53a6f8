"""The Spark columns of pandas frames and Arrow tables, without Spark."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from penstock.python_runtime import frames
from penstock.python_runtime.model_errors import ModelError
from penstock.python_runtime.schema_changes import column_types


def session() -> Any:
    """Return a stand-in for a session, which keeps the schema it receives."""
    return SimpleNamespace(
        createDataFrame=lambda data, schema: SimpleNamespace(columns=schema.names, schema=schema, data=data)
    )


def spark_columns(value: Any) -> dict[str, str]:
    """Return the names and Spark types of a frame's columns."""
    return column_types(frames.to_spark(session(), value, "m").schema)


@pytest.mark.parametrize("rows", [1, 0])
def test_a_frames_types_do_not_depend_on_its_rows(rows: int) -> None:
    frame = pd.DataFrame(
        {
            "i": np.array([1], dtype="int64"),
            "small": np.array([1], dtype="int8"),
            "u": np.array([1], dtype="uint64"),
            "n": pd.array([1], dtype="Int64"),
            "f": [1.5],
            "b": [True],
            "s": pd.array(["a"], dtype="string"),
            "at": pd.to_datetime(["2024-01-01"]),
            "tz": pd.to_datetime(["2024-01-01"]).tz_localize("Europe/Berlin"),
        }
    )
    expected = ["bigint", "tinyint", "bigint", "bigint", "double", "boolean", "string", "timestamp", "timestamp"]
    assert list(spark_columns(frame.iloc[:rows]).values()) == expected


def test_object_columns_are_typed_by_their_values() -> None:
    frame = pd.DataFrame(
        {
            "none": [None],
            "dec": [Decimal("12.50")],
            "day": [dt.date(2024, 1, 1)],
            "far": [dt.datetime(3019, 1, 1)],
            "list": [[1, 2]],
            "empty": [[]],
            "dict": [{"a": [{"b c": 1}]}],
            "kind": pd.Categorical(["x"]),
        },
        index=pd.Index([7], name="gone"),
    )
    assert spark_columns(frame) == {
        "none": "void",
        "dec": "decimal(4,2)",
        "day": "date",
        "far": "timestamp",
        "list": "array<bigint>",
        "empty": "array<void>",
        "dict": "struct<a:array<struct<`b c`:bigint>>>",
        "kind": "string",
    }


def test_an_arrow_table_keeps_its_types() -> None:
    table = pa.table(
        {
            "u": pa.array([[1]], pa.list_(pa.uint8())),
            "m": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
            "d": pa.array(["x"]).dictionary_encode(),
        }
    )
    expected = {"u": "array<bigint>", "m": "map<string,int>", "d": "string"}
    assert spark_columns(table) == expected
    assert spark_columns(table.slice(0, 0)) == expected


def test_names_become_text() -> None:
    assert spark_columns(pd.DataFrame([[1, 2]], columns=[0, True])) == {"0": "bigint", "True": "bigint"}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"m": [1, "a"]}), "in column m of m. found: dtype object: Could not convert 'a'"),
        (pd.DataFrame({"u": [uuid.UUID(int=5)]}), "in column u of m"),
        (pd.DataFrame({"t": [dt.time(10)]}), "in column t of m. found: time64[us]. do: convert the column"),
        (pd.DataFrame({"p": pd.period_range("2024-01", periods=1, freq="M")}), "in column p of m"),
        (pd.DataFrame({"c": [1 + 2j]}), "in column c of m"),
        (pd.DataFrame({"d": [{}]}), "in column d of m. found: dicts without a key"),
        (pd.DataFrame([[1, 2]], columns=["a", "A"]), "each column name once in the result of m. found: a, A"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "found: names in 2 levels"),
        (pd.DataFrame(index=[1]), "columns in the result of m"),
    ],
)
def test_an_unsupported_column_is_named(frame: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        spark_columns(frame)
    assert message in str(caught.value)
