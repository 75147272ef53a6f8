"""Contracts and constraints: columns and their types compared, rules enforced, nothing half done."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.constraints import fixtures
from dbt.tests.adapter.constraints.test_constraints import (
    BaseConstraintQuotedColumn,
    BaseConstraintsRollback,
    BaseConstraintsRuntimeDdlEnforcement,
    BaseIncrementalConstraintsColumnsEqual,
    BaseIncrementalConstraintsRollback,
    BaseIncrementalConstraintsRuntimeDdlEnforcement,
    BaseIncrementalContractSqlHeader,
    BaseIncrementalForeignKeyConstraint,
    BaseModelConstraintsRuntimeEnforcement,
    BaseTableConstraintsColumnsEqual,
    BaseTableContractSqlHeader,
    BaseViewConstraintsColumnsEqual,
)

from tests.conformance import adapters, expected_ddl


def spark(yml: str) -> str:
    """A schema file with Spark's name of a text, and no key: Spark's tables have none."""
    return yml.replace("text", "string").replace("primary key", "")


class Delta:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models")


class Types(Delta):
    """Spark's types: SQL value, type in the contract, name in the error message."""

    @pytest.fixture
    def string_type(self) -> str:
        return "STRING"

    @pytest.fixture
    def int_type(self) -> str:
        return "INT"

    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        return [
            ["1", "int", "INT"],
            ["cast(1 as bigint)", "bigint", "BIGINT"],
            ["cast(1.5 as double)", "double", "DOUBLE"],
            ["'1'", "string", "STRING"],
            ["true", "boolean", "BOOLEAN"],
            ["array('1', '2', '3')", "array<string>", "ARRAY"],
            ["array(1, 2, 3)", "array<int>", "ARRAY"],
            ["date'2019-01-01'", "date", "DATE"],
            ["timestamp'2019-01-01 00:00:00'", "timestamp", "TIMESTAMP"],
            ["cast(1.0 as decimal(4, 2))", "decimal", "DECIMAL"],
        ]


class TestTableConstraintsColumnsEqual(Types, BaseTableConstraintsColumnsEqual):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "my_model_wrong_order.sql": fixtures.my_model_wrong_order_sql,
            "my_model_wrong_name.sql": fixtures.my_model_wrong_name_sql,
            "constraints_schema.yml": spark(fixtures.model_schema_yml),
        }


class TestViewConstraintsColumnsEqual(Types, BaseViewConstraintsColumnsEqual):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "my_model_wrong_order.sql": fixtures.my_model_view_wrong_order_sql,
            "my_model_wrong_name.sql": fixtures.my_model_view_wrong_name_sql,
            "constraints_schema.yml": spark(fixtures.model_schema_yml),
        }


class TestIncrementalConstraintsColumnsEqual(Types, BaseIncrementalConstraintsColumnsEqual):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "my_model_wrong_order.sql": fixtures.my_model_incremental_wrong_order_sql,
            "my_model_wrong_name.sql": fixtures.my_model_incremental_wrong_name_sql,
            "constraints_schema.yml": spark(fixtures.model_schema_yml),
        }


class TestTableConstraintsDdlEnforcement(Delta, BaseConstraintsRuntimeDdlEnforcement):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "my_model.sql": fixtures.my_model_wrong_order_depends_on_fk_sql,
            "foreign_key_model.sql": fixtures.foreign_key_model_sql,
            "constraints_schema.yml": spark(fixtures.model_fk_constraint_schema_yml),
        }

    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return expected_ddl.of_columns()


class TestIncrementalConstraintsDdlEnforcement(Delta, BaseIncrementalConstraintsRuntimeDdlEnforcement):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "my_model.sql": fixtures.my_model_incremental_wrong_order_depends_on_fk_sql,
            "foreign_key_model.sql": fixtures.foreign_key_model_sql,
            "constraints_schema.yml": spark(fixtures.model_fk_constraint_schema_yml),
        }

    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return expected_ddl.of_columns()


class TestModelConstraintsRuntimeEnforcement(Delta, BaseModelConstraintsRuntimeEnforcement):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "my_model.sql": fixtures.my_model_wrong_order_depends_on_fk_sql,
            "foreign_key_model.sql": fixtures.foreign_key_model_sql,
            "constraints_schema.yml": spark(fixtures.constrained_model_schema_yml),
        }

    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return expected_ddl.of_model()


class TestConstraintQuotedColumn(Delta, BaseConstraintQuotedColumn):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        schema = spark(fixtures.model_quoted_column_schema_yml).replace('"from"', "`from`")
        return {"my_model.sql": fixtures.my_model_with_quoted_column_name_sql, "constraints_schema.yml": schema}

    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return expected_ddl.of_quoted_column()


class Violations(Delta):
    """A row breaks a rule. Delta's words differ by rule and whether the table existed; on Iceberg the query fails."""

    @pytest.fixture(scope="class")
    def expected_error_messages(self) -> list[str]:
        return [
            "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION",
            "DELTA_NEW_NOT_NULL_VIOLATION",
            "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
            "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
            "NOT NULL constraint violated",
            *(["USER_RAISED_EXCEPTION"] if adapters.COLUMN == "iceberg" else []),
        ]

    def assert_expected_error_messages(self, error_message: str, expected_error_messages: list[str]) -> None:
        assert any(words in error_message for words in expected_error_messages)


@pytest.mark.core
class TestTableConstraintsRollback(Violations, BaseConstraintsRollback):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {"my_model.sql": fixtures.my_model_sql, "constraints_schema.yml": spark(fixtures.model_schema_yml)}

    @pytest.fixture(scope="class")
    def expected_color(self) -> str:
        return expected_ddl.COLOR_AFTER_FAILURE


@pytest.mark.core
class TestIncrementalConstraintsRollback(Violations, BaseIncrementalConstraintsRollback):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "my_model.sql": fixtures.my_incremental_model_sql,
            "constraints_schema.yml": spark(fixtures.model_schema_yml),
        }


class SqlHeader(Delta):
    """The published model asks PostgreSQL for a variable of its session; this one has Spark's."""

    materialized: str

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        model = f"""
        {{{{ config(materialized='{self.materialized}', on_schema_change='append_new_columns') }}}}
        {{% call set_sql_header(config) %}}
        set time zone 'Asia/Kolkata';
        {{%- endcall %}}
        select current_timezone() as column_name
        """
        schema = spark(fixtures.model_contract_header_schema_yml)
        return {"my_model_contract_sql_header.sql": model, "constraints_schema.yml": schema}


class TestTableContractSqlHeader(SqlHeader, BaseTableContractSqlHeader):
    materialized = "table"


class TestIncrementalContractSqlHeader(SqlHeader, BaseIncrementalContractSqlHeader):
    materialized = "incremental"


class TestIncrementalForeignKeyConstraint(Delta, BaseIncrementalForeignKeyConstraint):
    pass
