"""Macros that name a data type, and columns of those types."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.column_types.fixtures import schema_yml
from dbt.tests.adapter.column_types.test_column_types import BasePostgresColumnTypes
from dbt.tests.adapter.utils.data_types.test_type_bigint import BaseTypeBigInt
from dbt.tests.adapter.utils.data_types.test_type_boolean import BaseTypeBoolean
from dbt.tests.adapter.utils.data_types.test_type_float import BaseTypeFloat
from dbt.tests.adapter.utils.data_types.test_type_float import seeds__expected_csv as float_csv
from dbt.tests.adapter.utils.data_types.test_type_int import BaseTypeInt
from dbt.tests.adapter.utils.data_types.test_type_int import seeds__expected_csv as int_csv
from dbt.tests.adapter.utils.data_types.test_type_numeric import BaseTypeNumeric
from dbt.tests.adapter.utils.data_types.test_type_string import BaseTypeString
from dbt.tests.adapter.utils.data_types.test_type_timestamp import BaseTypeTimestamp


def typed(column: str, name: str) -> str:
    """The seed's properties: its column has this type, not the one that its values suggest."""
    return f"seeds: [{{name: expected, config: {{column_types: {{{column}: {name}}}}}}}]"


class TestTypeBigInt(BaseTypeBigInt):
    pass


class TestTypeBoolean(BaseTypeBoolean):
    pass


class TestTypeFloat(BaseTypeFloat):
    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, Any]:
        return {"expected.csv": float_csv, "expected.yml": typed("float_col", "float")}


class TestTypeInt(BaseTypeInt):
    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, Any]:
        return {"expected.csv": int_csv, "expected.yml": typed("int_col", "int")}


class TestTypeNumeric(BaseTypeNumeric):
    def numeric_fixture_type(self) -> str:
        return "decimal(28,6)"


class TestTypeString(BaseTypeString):
    pass


class TestTypeTimestamp(BaseTypeTimestamp):
    pass


class TestColumnTypes(BasePostgresColumnTypes):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        types = {
            "smallint_col": "smallint",
            "int_col": "int",
            "bigint_col": "bigint",
            "real_col": "float",
            "double_col": "double",
            "numeric_col": "decimal(10,2)",
            "text_col": "string",
            "varchar_col": "varchar(20)",
        }
        columns = ", ".join(f"cast('1' as {name}) as {column}" for column, name in types.items())
        return {"model.sql": f"select {columns}", "schema.yml": schema_yml}
