"""Convert pandas and pyarrow frames to Spark with the same column types over Connect and in a classic driver.

Without explicit types, the two kinds of session infer different types for some frames, and neither accepts a
frame without rows.
"""

from __future__ import annotations

from typing import Any

from penstock.python_runtime.model_errors import RefusedModelError

CONVERT = "convert the column, for example with astype(str)"


def to_spark(session: Any, value: Any, model: str) -> Any:
    """Return a pandas or pyarrow frame as a Spark DataFrame. The index of a pandas frame is dropped.

    Args:
        session: the model's session.
        value: the frame, with at least one column.
        model: the model's name, for error messages.

    Raises:
        RefusedModelError: a column has no Spark type, or column names have several levels.
    """
    import pyarrow as pa
    from pyspark.sql.types import StructField, StructType

    is_arrow = isinstance(value, pa.Table)
    if not is_arrow:
        if getattr(value.columns, "nlevels", 1) > 1:
            found = f"names in {value.columns.nlevels} levels, as in {value.columns[0]}"
            raise RefusedModelError(f"one name for each column in the result of {model}", found, "flatten the columns")
        value = value.set_axis([str(item) for item in value.columns], axis=1)
    types = value.schema.types if is_arrow else [_arrow_type(value.iloc[:, n], model) for n in range(value.shape[1])]
    names = value.column_names if is_arrow else list(value.columns)
    fields = [StructField(name, _spark_type(kind, name, model)) for name, kind in zip(names, types, strict=True)]
    schema = StructType(fields)
    if not len(value):
        return session.createDataFrame([], schema)
    if is_arrow:
        signed = [pa.int64() if pa.types.is_unsigned_integer(kind) else kind for kind in types]
        value = value.cast(pa.schema(zip(names, signed, strict=True)))
    return session.createDataFrame(value, schema)


def _unsupported(column: str, model: str, found: str, do: str) -> RefusedModelError:
    return RefusedModelError(f"values of one type that Spark has, in column {column} of {model}", found, do)


def _arrow_type(column: Any, model: str) -> Any:
    """Return the Arrow type of a pandas column, inferred from its values."""
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(column).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        found = f"dtype {column.dtype}: {' '.join(str(error).split())}"
        raise _unsupported(str(column.name), model, found.rstrip("."), CONVERT) from None


def _spark_type(kind: Any, column: str, model: str) -> Any:
    """Return the Spark type of an Arrow type."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import ArrayType, LongType, MapType, StructField, StructType

    types = pa.types
    if types.is_dictionary(kind):
        return _spark_type(kind.value_type, column, model)
    if types.is_unsigned_integer(kind):
        return LongType()
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return ArrayType(_spark_type(kind.value_type, column, model))
    if types.is_map(kind):
        return MapType(_spark_type(kind.key_type, column, model), _spark_type(kind.item_type, column, model))
    if types.is_struct(kind):
        if not kind.num_fields:
            raise _unsupported(column, model, "dicts without a key", "leave the column out, or give it a key")
        return StructType([StructField(item.name, _spark_type(item.type, column, model)) for item in kind])
    if isinstance(kind, pa.BaseExtensionType) or types.is_time(kind) or types.is_fixed_size_binary(kind):
        raise _unsupported(column, model, str(kind), CONVERT)
    try:
        return from_arrow_type(kind)
    except Exception:
        raise _unsupported(column, model, str(kind), CONVERT) from None
