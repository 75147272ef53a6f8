"""The columns that pandas frames and Arrow tables get in Spark, without Spark: by their values, or by an error."""

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
from penstock.python_runtime.schema_changes import types


def session() -> Any:
    """Stand in for a session: it takes the schema that it is given."""
    return SimpleNamespace(
        createDataFrame=lambda data, schema: SimpleNamespace(columns=schema.names, schema=schema, data=data)
    )


def of(value: Any) -> dict[str, str]:
    """Names and types of a frame's columns in Spark."""
    return types(frames.to_spark(session(), value, "m").schema)


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
    assert list(of(frame.iloc[:rows]).values()) == expected


def test_values_tell_the_type_of_objects() -> None:
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
    assert of(frame) == {
        "none": "void",
        "dec": "decimal(4,2)",
        "day": "date",
        "far": "timestamp",
        "list": "array<bigint>",
        "empty": "array<void>",
        "dict": "struct<a:array<struct<`b c`:bigint>>>",
        "kind": "string",
    }


def test_an_arrow_table_likewise() -> None:
    table = pa.table(
        {
            "u": pa.array([[1]], pa.list_(pa.uint8())),
            "m": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
            "d": pa.array(["x"]).dictionary_encode(),
        }
    )
    expected = {"u": "array<bigint>", "m": "map<string,int>", "d": "string"}
    assert of(table) == expected
    assert of(table.slice(0, 0)) == expected


def test_names_become_text() -> None:
    assert of(pd.DataFrame([[1, 2]], columns=[0, True])) == {"0": "bigint", "True": "bigint"}


@pytest.mark.parametrize(
    ("frame", "words"),
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
def test_what_spark_cannot_hold_is_named(frame: Any, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        of(frame)
    assert words in str(caught.value)
