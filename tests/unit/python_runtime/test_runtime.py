"""The runtime of Python models without Spark: errors, columns, windows, clauses, conversions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from penstock.python_runtime import frames, inputs, model_errors, runner, schema_changes, table_replacement
from penstock.python_runtime.contract import differences
from penstock.python_runtime.job import Input, Job, Layout, Write
from penstock.python_runtime.model_errors import ModelError, RefusedModelError
from penstock.python_runtime.schema_changes import SchemaChange, compare_columns

DELTA = Layout(
    drop_columns_with={"delta.columnMapping.mode": "name"}, widen_columns_with={"delta.enableTypeWidening": "true"}
)
PARQUET = Layout("parquet", atomic=False, clusters=False)
PATH = "models/m.py"
DBT_OBJ = "class dbtObj:\n    def __init__(self, load): self.load = load\n"


def job(code: str) -> Job:
    """Return a job whose model fails before its rows are written."""
    return Job("model.p.m", "m", PATH, code + DBT_OBJ, Write("replace", "w.m", "m__dbt_tmp"))


def test_an_error_shows_the_models_line() -> None:
    """File, line and message of the innermost frame in the model, without frames of the runner."""
    code = "def inner():\n    raise KeyError('fare')\ndef model(dbt, session):\n    return inner()\n"
    with pytest.raises(ModelError) as caught:
        runner.run(job(code), SimpleNamespace(), print)
    assert str(caught.value) == "models/m.py, line 2: KeyError: 'fare'"
    with pytest.raises(ModelError, match=r"models/m\.py, line 1: SyntaxError: "):
        runner.run(job("def model(:\n"), SimpleNamespace(), print)


def test_an_error_in_a_worker_shows_the_models_line() -> None:
    """Spark's message contains the worker's traceback as text."""
    text = (
        "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
        '  File "/lib/worker.py", line 9, in main\n    process()\n'
        '  File "models/m.py", line 5, in bad\n    return 1 // x\n           ~~^~~~\n'
        "ZeroDivisionError: integer division or modulo by zero\n\n\tat org.apache.X.y(Z.scala:1)"
    )
    assert model_errors.describe_error(RuntimeError(text), PATH) == (
        "models/m.py, line 5: ZeroDivisionError: integer division or modulo by zero"
    )


def test_a_late_error_names_the_file_and_the_cause() -> None:
    """When rows are computed during the write, the stack has no line of the model."""
    text = (
        "[TASK_WRITE_FAILED] Task failed.\n\nJVM stacktrace:\norg.apache.E: Task failed.\n\tat org.A.b(C.scala:1)\n"
        "Caused by: org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero.\n\tat d.E.f(G.java:2)"
    )
    assert model_errors.describe_error(ValueError(text), PATH) == (
        "models/m.py: ValueError: [TASK_WRITE_FAILED] Task failed.\nCaused by: [DIVIDE_BY_ZERO] Division by zero."
    )


def test_prints_reach_the_log_line_by_line() -> None:
    """Values and lines are joined as print joins them."""
    lines: list[str] = []
    code = (
        "def model(dbt, session):\n    print('a', 1, sep='-')\n    print('b\\nc')\n    print()\n    return dbt.batch\n"
    )
    with pytest.raises(ModelError, match=r"found: None\. do: return one"):
        runner.run(job(code), SimpleNamespace(), lines.append)
    assert lines == ["a-1", "b", "c", ""]


@pytest.mark.parametrize("value", [None, [1], pd.Series([1]), {"a": 1}, pd.DataFrame()])
def test_a_result_that_is_not_a_frame_is_refused(value: Any) -> None:
    """The message names the returned class and the accepted ones."""
    with pytest.raises(ModelError, match=r"needed: .* found: .* do: "):
        frames.to_spark(SimpleNamespace(), value, "m")


def test_frames_are_recognized_by_their_class() -> None:
    """No library is imported that the model doesn't use."""
    assert frames.frame_kind(pd.DataFrame({"a": [1]})) == "pandas"
    assert frames.frame_kind(pa.table({"a": [1]})) == "pyarrow"
    assert frames.frame_kind("text") == ""


def test_every_difference_from_the_declared_columns_is_named() -> None:
    """Missing, extra and wrong columns; the case of names and undeclared types don't matter."""
    found = differences(
        {"ID": "bigint", "a": "int", "b": None, "c": "date"}, {"id": "bigint", "a": "string", "b": "x", "d": "int"}
    )
    assert found == ["c is missing", "d (int) is not declared", "a is string, declared int"]


def test_a_type_that_fits_is_no_change() -> None:
    """An int fits into a bigint column, a bigint doesn't fit into an int column."""
    assert not compare_columns({"a": "bigint", "b": "string"}, {"A": "int", "b": "string"})
    assert compare_columns({"a": "int"}, {"a": "bigint"}) == SchemaChange({}, (), {"a": ("int", "bigint")})


CHANGE = SchemaChange({"n": "string"}, ("o",), {"a": ("int", "bigint")})


@pytest.mark.parametrize(
    ("on_schema_change", "change", "expected"),
    [
        ("ignore", SchemaChange({"n": "string"}, (), {}), ([], [])),
        ("append_new_columns", CHANGE, (["alter table w.m add columns (`n` string)"], [])),
        (
            "sync_all_columns",
            CHANGE,
            (
                [
                    "alter table w.m add columns (`n` string)",
                    "alter table w.m set tblproperties ('delta.enableTypeWidening' = 'true')",
                    "alter table w.m alter column `a` type bigint",
                ],
                [
                    "alter table w.m set tblproperties ('delta.columnMapping.mode' = 'name')",
                    "alter table w.m drop columns (`o`)",
                ],
            ),
        ),
        ("fail", SchemaChange({}, (), {}), ([], [])),
    ],
)
def test_schema_changes(on_schema_change: str, change: SchemaChange, expected: tuple[list[str], list[str]]) -> None:
    """The statements of each setting; columns are dropped last."""
    made = schema_changes.alter_statements("w.m", change, on_schema_change, DELTA)
    assert (list(made.before), list(made.after)) == expected


@pytest.mark.parametrize(
    ("on_schema_change", "change", "layout", "message"),
    [
        ("fail", CHANGE, DELTA, "n (string) is new; o is missing; a is bigint, in the table int"),
        ("ignore", CHANGE, DELTA, "found: o is missing"),
        ("sync_all_columns", SchemaChange({}, ("o",), {}), PARQUET, "found: parquet, and o to drop"),
        ("sync_all_columns", SchemaChange({}, (), CHANGE.retyped), PARQUET, "found: parquet, and a is bigint"),
    ],
)
def test_refused_schema_changes(on_schema_change: str, change: SchemaChange, layout: Layout, message: str) -> None:
    """Every difference is named."""
    with pytest.raises(RefusedModelError) as caught:
        schema_changes.alter_statements("w.m", change, on_schema_change, layout)
    assert message in str(caught.value)
    assert caught.value.found in str(caught.value) and "--full-refresh" in caught.value.do


def test_windows_are_compared_in_utc() -> None:
    """A TIMESTAMP is compared with an instant, a TIMESTAMP_NTZ or DATE with UTC time."""
    read = Input("at", "2024-01-01T02:00:00+02:00", "2024-01-02T00:00:00")
    assert inputs.window_condition(read, "timestamp") == (
        "at >= timestamp '2024-01-01 00:00:00.000000+00:00' and at < timestamp '2024-01-02 00:00:00.000000+00:00'"
    )
    assert inputs.window_condition(read, "timestamp_ntz") == (
        "at >= timestamp_ntz '2024-01-01 00:00:00.000000' and at < timestamp_ntz '2024-01-02 00:00:00.000000'"
    )
    assert inputs.window_condition(Input(limit=0), "") == ""


def test_the_layout_becomes_clauses() -> None:
    """Clustering if the format supports it, else buckets; text is escaped."""
    delta = Layout(clustered_by=("a", "b"), properties={"k": "it's"}, location="/x", comment="c")
    assert table_replacement.create_clauses(delta, delta.location) == (
        r"using delta tblproperties ('k' = 'it\'s') cluster by (`a`, `b`) location '/x' comment 'c'"
    )
    parquet = Layout("parquet", False, False, partition_by=("d", "days(t)"), clustered_by=("a",), buckets=2)
    assert table_replacement.create_clauses(parquet, None) == (
        "using parquet partitioned by (`d`, days(t)) clustered by (`a`) into 2 buckets"
    )
    with pytest.raises(ModelError, match="buckets"):
        table_replacement.create_clauses(Layout("parquet", False, False, clustered_by=("a",)), None)
    zordered = Layout(clustered_by=("a",), partition_by=("b",))
    assert table_replacement.create_clauses(zordered, None) == "using delta partitioned by (`b`)", (
        "maintenance applies the Z-order"
    )


def test_rows_are_written_in_the_order_of_the_layout() -> None:
    assert table_replacement.sorted_by_layout("select 1", Layout(partition_by=("m",))) == "select 1"
    sql = table_replacement.sorted_by_layout(
        "select 1", Layout(partition_by=("m",), rebalanced=True, sorted_within=("a",))
    )
    assert sql.startswith("select /*+ rebalance(2000, `m`) */ * from (\nselect 1\n)")
    assert sql.endswith("sort by `m`, `a`")


def test_types_inside_a_struct_are_quoted() -> None:
    """A name with a space in it survives `create table`."""
    from pyspark.sql.types import ArrayType, IntegerType, StructField, StructType

    inner = StructType([StructField("a b", ArrayType(IntegerType()))])
    assert schema_changes.column_types(StructType([StructField("s", inner)])) == {"s": "struct<`a b`:array<int>>"}


def test_a_used_folder_alternates_with_one_beside_it() -> None:
    """Renaming a table with a configured location moves no file, so two folders alternate."""
    layout = Layout("parquet", False, False, location="/data/m")
    old = table_replacement.ExistingTable("parquet", "file:/data/m", False)
    assert table_replacement.temporary_location(layout, old) == "/data/m__dbt_aside"
    assert (
        table_replacement.temporary_location(
            layout, table_replacement.ExistingTable("parquet", "file:/data/m__dbt_aside", False)
        )
        == "/data/m"
    )
    assert table_replacement.temporary_location(layout, None) == "/data/m"
    assert table_replacement.temporary_location(Layout(), old) is None


def test_the_temporary_name_keeps_its_quotes() -> None:
    """Quoted or not."""
    assert table_replacement.temporary_name("w.m") == "w.m__dbt_aside"
    assert table_replacement.temporary_name("`w`.`m`") == "`w`.`m__dbt_aside`"
