"""pandas and pyarrow frames as Spark data frames: the same types over Connect and in a classic driver.

Left to themselves the two disagree on some frames and refuse one without rows, typed or not.
"""

from __future__ import annotations

from typing import Any

from penstock.python_runtime.model_errors import ModelError

CONVERT = "convert the column, for one with astype(str)"


def to_spark(session: Any, value: Any, name: str) -> Any:
    """Return the Spark data frame of a pandas frame or a pyarrow table.

    The index of a pandas frame is no column.

    Args:
        session: the model's session.
        value: the frame, with at least one column.
        name: the model's name, for the error.

    Raises:
        ModelError: a column that Spark has no type for, or names in several levels.
    """
    import pyarrow as pa
    from pyspark.sql.types import StructField, StructType

    arrow = isinstance(value, pa.Table)
    if not arrow:
        if getattr(value.columns, "nlevels", 1) > 1:
            words = f"names in {value.columns.nlevels} levels, as in {value.columns[0]}"
            raise ModelError.of(f"one name for each column in the result of {name}", words, "flatten the columns")
        value = value.set_axis([str(item) for item in value.columns], axis=1)
    kinds = value.schema.types if arrow else [_arrow_type(value.iloc[:, n], name) for n in range(value.shape[1])]
    names = value.column_names if arrow else list(value.columns)
    fields = [StructField(column, _spark_type(kind, column, name)) for column, kind in zip(names, kinds, strict=True)]
    schema = StructType(fields)
    if not len(value):
        return session.createDataFrame([], schema)
    if arrow:
        signed = [pa.int64() if pa.types.is_unsigned_integer(kind) else kind for kind in kinds]
        value = value.cast(pa.schema(zip(names, signed, strict=True)))
    return session.createDataFrame(value, schema)


def _refused(column: str, name: str, found: str, do: str) -> ModelError:
    return ModelError.of(f"values of one type that Spark has, in column {column} of {name}", found, do)


def _arrow_type(column: Any, name: str) -> Any:
    """The Arrow type of a pandas column, by its values."""
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(column).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        words = f"dtype {column.dtype}: {' '.join(str(error).split())}"
        raise _refused(str(column.name), name, words.rstrip("."), CONVERT) from None


def _spark_type(kind: Any, column: str, name: str) -> Any:
    """The Spark type of an Arrow type."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import ArrayType, LongType, MapType, StructField, StructType

    types = pa.types
    if types.is_dictionary(kind):
        return _spark_type(kind.value_type, column, name)
    if types.is_unsigned_integer(kind):
        return LongType()
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return ArrayType(_spark_type(kind.value_type, column, name))
    if types.is_map(kind):
        return MapType(_spark_type(kind.key_type, column, name), _spark_type(kind.item_type, column, name))
    if types.is_struct(kind):
        if not kind.num_fields:
            raise _refused(column, name, "dicts without a key", "leave the column out, or give it a key")
        return StructType([StructField(item.name, _spark_type(item.type, column, name)) for item in kind])
    if isinstance(kind, pa.BaseExtensionType) or types.is_time(kind) or types.is_fixed_size_binary(kind):
        raise _refused(column, name, str(kind), CONVERT)
    try:
        return from_arrow_type(kind)
    except Exception:
        raise _refused(column, name, str(kind), CONVERT) from None
