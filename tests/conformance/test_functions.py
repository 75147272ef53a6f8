"""Functions as nodes of the project: `create function` with SQL in it."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.functions.test_udfs import (
    CanFindScalarFunctionRelation,
    DeterministicUDF,
    ErrorForUnsupportedType,
    NonDeterministicUDF,
    PythonUDFNotSupported,
    SqlUDFDefaultArgSupport,
    StableUDF,
    UDFsBasic,
)


class TestUDFs(UDFsBasic):
    pass


class TestDeterministicUDF(DeterministicUDF):
    def check_function_volatility(self, sql: str) -> None:
        assert "DETERMINISTIC" in sql and "NOT DETERMINISTIC" not in sql


class TestStableUDF(StableUDF):
    def check_function_volatility(self, sql: str) -> None:
        """Spark knows deterministic and not, nothing between: the function is left as it is by default."""
        assert "STABLE" not in sql and "DETERMINISTIC" not in sql


class TestNonDeterministicUDF(NonDeterministicUDF):
    def check_function_volatility(self, sql: str) -> None:
        assert "NOT DETERMINISTIC" in sql


class TestErrorForUnsupportedType(ErrorForUnsupportedType):
    pass


class TestPythonUDFNotSupported(PythonUDFNotSupported):
    pass


class TestSqlUDFDefaultArgSupport(SqlUDFDefaultArgSupport):
    expect_default_arg_support = True


@pytest.mark.skip(reason="SHOW TABLE EXTENDED, which relations are listed by, has no functions")
class TestCanFindScalarFunctionRelation(CanFindScalarFunctionRelation):
    pass
