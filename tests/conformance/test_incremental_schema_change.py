"""What an incremental model does when its columns change."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.incremental.test_incremental_on_schema_change import (
    BaseIncrementalOnSchemaChange,
    BaseIncrementalOnSchemaChangeSetup,
)
from dbt.tests.util import check_relations_equal, run_dbt

from tests.conformance import adapters


class IgnoreOrFail(BaseIncrementalOnSchemaChangeSetup):
    def test_run_incremental_ignore(self, project: Any) -> None:
        select = "model_a incremental_ignore incremental_ignore_target"
        self.run_twice_and_assert(select, "incremental_ignore", "incremental_ignore_target", project)

    def test_run_incremental_fail_on_schema_change(self, project: Any) -> None:
        select = "model_a incremental_fail"
        run_dbt(["run", "--select", select, "--full-refresh"])
        results = run_dbt(["run", "--select", select], expect_pass=False)
        assert "Compilation Error" in results[1].message


class TestAppendOnSchemaChange(IgnoreOrFail):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"models": {"+incremental_strategy": "append"}}


class TestInsertOverwriteOnSchemaChange(IgnoreOrFail):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {
            "models": {
                "+file_format": adapters.PARTITIONED_FORMAT,
                "+partition_by": "id",
                "+incremental_strategy": "insert_overwrite",
            }
        }


class TestDeltaOnSchemaChange(BaseIncrementalOnSchemaChange):
    """All of the published tests: columns appear and disappear."""

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models", models={"+incremental_strategy": "merge", "+unique_key": "id"})


ODD = "select {} as id, '{}' as `select`, {} as `field-with-dash`"
ODD_ROWS = " union all ".join(ODD.format(number, 3 * letter, 111 * number) for number, letter in enumerate("bdfhjl", 1))


class TestAppendOnSchemaChangeSpecialChars(BaseIncrementalOnSchemaChangeSetup):
    """A new column whose name is no plain identifier."""

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"models": {"+incremental_strategy": "append"}}

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "model_a.sql": "{{ config(materialized='table') }}\n" + ODD_ROWS,
            "appended.sql": """
                {{ config(materialized='incremental', unique_key='id', on_schema_change='append_new_columns') }}
                {% if is_incremental() %}
                select id, `select`, `field-with-dash` from {{ ref('model_a') }}
                where id not in (select id from {{ this }})
                {% else %}
                select id, `select` from {{ ref('model_a') }} where id <= 3
                {% endif %}
            """,
            "appended_target.sql": """
                {{ config(materialized='table') }}
                select id, `select`, case when id > 3 then `field-with-dash` end as `field-with-dash`
                from {{ ref('model_a') }}
            """,
        }

    def test_incremental_append_new_columns_with_special_characters(self, project: Any) -> None:
        run_dbt(["run"])
        run_dbt(["run"])
        check_relations_equal(project.adapter, ["appended", "appended_target"])
