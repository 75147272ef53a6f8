"""The runner of Python models without Spark: errors, columns, windows, clauses, conversions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from penstock.python_runtime import frames, inputs, model_errors, runner, schema_changes, table_replacement
from penstock.python_runtime.contract import differences
from penstock.python_runtime.job import Input, Job, Layout, Write
from penstock.python_runtime.model_errors import ModelError
from penstock.python_runtime.schema_changes import Change, compare

DELTA = Layout(
    drop_columns_with={"delta.columnMapping.mode": "name"}, widen_columns_with={"delta.enableTypeWidening": "true"}
)
PARQUET = Layout("parquet", atomic=False, clusters=False)
PATH = "models/m.py"
OTHERS = "class dbtObj:\n    def __init__(self, load): self.load = load\n"


def job(code: str) -> Job:
    """A job of some code that never gets as far as its write."""
    return Job("model.p.m", "m", PATH, code + OTHERS, Write("replace", "w.m", "m__dbt_tmp"))


def test_an_error_shows_the_users_line() -> None:
    """File, line and message of the innermost frame in the model; not one frame of the runner."""
    code = "def inner():\n    raise KeyError('fare')\ndef model(dbt, session):\n    return inner()\n"
    with pytest.raises(ModelError) as caught:
        runner.run(job(code), SimpleNamespace(), print)
    assert str(caught.value) == "models/m.py, line 2: KeyError: 'fare'"
    with pytest.raises(ModelError, match=r"models/m\.py, line 1: SyntaxError: "):
        runner.run(job("def model(:\n"), SimpleNamespace(), print)


def test_an_error_in_a_worker_shows_the_users_line() -> None:
    """The worker's traceback comes as text inside Spark's message."""
    text = (
        "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
        '  File "/lib/worker.py", line 9, in main\n    process()\n'
        '  File "models/m.py", line 5, in bad\n    return 1 // x\n           ~~^~~~\n'
        "ZeroDivisionError: integer division or modulo by zero\n\n\tat org.apache.X.y(Z.scala:1)"
    )
    assert model_errors.explain(RuntimeError(text), PATH) == (
        "models/m.py, line 5: ZeroDivisionError: integer division or modulo by zero"
    )


def test_a_late_error_names_the_file_and_the_cause() -> None:
    """No line of the user's is on the stack when rows are computed at the write."""
    text = (
        "[TASK_WRITE_FAILED] Task failed.\n\nJVM stacktrace:\norg.apache.E: Task failed.\n\tat org.A.b(C.scala:1)\n"
        "Caused by: org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero.\n\tat d.E.f(G.java:2)"
    )
    assert model_errors.explain(ValueError(text), PATH) == (
        "models/m.py: ValueError: [TASK_WRITE_FAILED] Task failed.\nCaused by: [DIVIDE_BY_ZERO] Division by zero."
    )


def test_prints_reach_the_log_line_by_line() -> None:
    """As print would join them; the module is gone afterwards."""
    lines: list[str] = []
    code = (
        "def model(dbt, session):\n    print('a', 1, sep='-')\n    print('b\\nc')\n    print()\n    return dbt.batch\n"
    )
    with pytest.raises(ModelError, match=r"found: None\. do: return one"):
        runner.run(job(code), SimpleNamespace(), lines.append)
    assert lines == ["a-1", "b", "c", ""]


@pytest.mark.parametrize("value", [None, [1], pd.Series([1]), {"a": 1}, pd.DataFrame()])
def test_what_is_not_a_frame_is_refused(value: Any) -> None:
    """With the class that was returned, and what may be."""
    with pytest.raises(ModelError, match=r"needed: .* found: .* do: "):
        frames.to_spark(SimpleNamespace(), value, "m")


def test_frames_are_known_by_their_class() -> None:
    """Without importing a library that the model didn't use."""
    assert frames.kind(pd.DataFrame({"a": [1]})) == "pandas"
    assert frames.kind(pa.table({"a": [1]})) == "pyarrow"
    assert frames.kind("text") == ""


def test_every_difference_from_the_declared_columns_is_named() -> None:
    """Missing, extra and wrong ones; the case of names doesn't count, nor a type that isn't declared."""
    found = differences(
        {"ID": "bigint", "a": "int", "b": None, "c": "date"}, {"id": "bigint", "a": "string", "b": "x", "d": "int"}
    )
    assert found == ["c is missing", "d (int) is not declared", "a is string, declared int"]


def test_a_type_that_fits_is_no_change() -> None:
    """An int goes into a bigint column as it is, a bigint doesn't go into an int."""
    assert not compare({"a": "bigint", "b": "string"}, {"A": "int", "b": "string"})
    assert compare({"a": "int"}, {"a": "bigint"}) == Change({}, (), {"a": ("int", "bigint")})


CHANGE = Change({"n": "string"}, ("o",), {"a": ("int", "bigint")})


@pytest.mark.parametrize(
    ("on_schema_change", "change", "expected"),
    [
        ("ignore", Change({"n": "string"}, (), {}), ([], [])),
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
        ("fail", Change({}, (), {}), ([], [])),
    ],
)
def test_schema_changes(on_schema_change: str, change: Change, expected: tuple[list[str], list[str]]) -> None:
    """What each setting does to the table; columns are dropped last."""
    made = schema_changes.plan("w.m", change, on_schema_change, DELTA)
    assert (list(made.before), list(made.after)) == expected


@pytest.mark.parametrize(
    ("on_schema_change", "change", "layout", "words"),
    [
        ("fail", CHANGE, DELTA, "n (string) is new; o is missing; a is bigint, in the table int"),
        ("ignore", CHANGE, DELTA, "found: o is missing"),
        ("sync_all_columns", Change({}, ("o",), {}), PARQUET, "found: parquet, and o to drop"),
        ("sync_all_columns", Change({}, (), CHANGE.retyped), PARQUET, "found: parquet, and a is bigint"),
    ],
)
def test_schema_changes_that_are_refused(on_schema_change: str, change: Change, layout: Layout, words: str) -> None:
    """Every difference is named."""
    with pytest.raises(ModelError) as caught:
        schema_changes.plan("w.m", change, on_schema_change, layout)
    assert words in str(caught.value)


def test_windows_compare_instants_and_clocks_in_utc() -> None:
    """A TIMESTAMP with an instant, a TIMESTAMP_NTZ or DATE with a reading of UTC's clock."""
    read = Input("at", "2024-01-01T02:00:00+02:00", "2024-01-02T00:00:00")
    assert inputs.condition(read, "timestamp") == (
        "at >= timestamp '2024-01-01 00:00:00.000000+00:00' and at < timestamp '2024-01-02 00:00:00.000000+00:00'"
    )
    assert inputs.condition(read, "timestamp_ntz") == (
        "at >= timestamp_ntz '2024-01-01 00:00:00.000000' and at < timestamp_ntz '2024-01-02 00:00:00.000000'"
    )
    assert inputs.condition(Input(limit=0), "") == ""


def test_the_layout_becomes_clauses() -> None:
    """Clustering where the format has it, buckets elsewhere; text is quoted."""
    delta = Layout(clustered_by=("a", "b"), properties={"k": "it's"}, location="/x", comment="c")
    assert table_replacement.clauses(delta, delta.location) == (
        r"using delta tblproperties ('k' = 'it\'s') cluster by (`a`, `b`) location '/x' comment 'c'"
    )
    parquet = Layout("parquet", False, False, partition_by=("d", "days(t)"), clustered_by=("a",), buckets=2)
    assert table_replacement.clauses(parquet, None) == (
        "using parquet partitioned by (`d`, days(t)) clustered by (`a`) into 2 buckets"
    )
    with pytest.raises(ModelError, match="buckets"):
        table_replacement.clauses(Layout("parquet", False, False, clustered_by=("a",)), None)
    zordered = Layout(clustered_by=("a",), partition_by=("b",))
    assert table_replacement.clauses(zordered, None) == "using delta partitioned by (`b`)", (
        "Z-order, which is maintenance's"
    )


def test_rows_are_written_in_the_order_of_the_layout() -> None:
    assert table_replacement.in_order("select 1", Layout(partition_by=("m",))) == "select 1"
    sql = table_replacement.in_order("select 1", Layout(partition_by=("m",), rebalanced=True, sorted_within=("a",)))
    assert sql.startswith("select /*+ rebalance(2000, `m`) */ * from (\nselect 1\n)")
    assert sql.endswith("sort by `m`, `a`")


def test_types_inside_a_struct_are_quoted() -> None:
    """A name with a space in it survives `create table`."""
    from pyspark.sql.types import ArrayType, IntegerType, StructField, StructType

    inner = StructType([StructField("a b", ArrayType(IntegerType()))])
    assert schema_changes.types(StructType([StructField("s", inner)])) == {"s": "struct<`a b`:array<int>>"}


def test_a_folder_in_use_gives_way_to_one_beside_it() -> None:
    """Renaming a table of a set location moves no file: two folders take turns."""
    layout = Layout("parquet", False, False, location="/data/m")
    old = table_replacement.Standing("parquet", "file:/data/m", False)
    assert table_replacement.location_aside(layout, old) == "/data/m__dbt_aside"
    assert (
        table_replacement.location_aside(
            layout, table_replacement.Standing("parquet", "file:/data/m__dbt_aside", False)
        )
        == "/data/m"
    )
    assert table_replacement.location_aside(layout, None) == "/data/m"
    assert table_replacement.location_aside(Layout(), old) is None


def test_the_name_aside_keeps_its_quotes() -> None:
    """Quoted or not."""
    assert table_replacement.aside_of("w.m") == "w.m__dbt_aside"
    assert table_replacement.aside_of("`w`.`m`") == "`w`.`m__dbt_aside`"
