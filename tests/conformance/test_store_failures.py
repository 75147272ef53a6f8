"""Failures of tests, stored as tables and views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dbt.tests.adapter.store_test_failures_tests import basic
from dbt.tests.adapter.store_test_failures_tests.test_store_test_failures import (
    TEST_AUDIT_SCHEMA_SUFFIX,
    BaseStoreTestFailures,
    BaseStoreTestFailuresLimit,
    StoreTestFailuresBase,
)

from tests.conformance import adapters


class DropsAudit:
    @pytest.fixture(scope="function", autouse=True)
    def teardown_method(self, project: Any) -> Iterator[None]:
        yield
        with project.adapter.connection_named("__test"):
            schema = f"{project.test_schema}_{TEST_AUDIT_SCHEMA_SUFFIX}"
            project.adapter.drop_schema(project.adapter.Relation.create(database=project.database, schema=schema))


class TestStoreTestFailures(DropsAudit, StoreTestFailuresBase):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {
            "seeds": {"quote_columns": True},
            "data_tests": {"+schema": TEST_AUDIT_SCHEMA_SUFFIX, "+store_failures": True},
        }

    def test_store_and_assert(self, project: Any) -> None:
        self.run_tests_store_one_failure(project)
        self.run_tests_store_failures_and_assert(project)


class TestStoreTestFailuresDelta(DropsAudit, StoreTestFailuresBase):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta(
            "seeds",
            "data_tests",
            seeds={"quote_columns": False, "test": self.column_type_overrides()},
            data_tests={"+schema": TEST_AUDIT_SCHEMA_SUFFIX, "+store_failures": True},
        )

    def test_store_and_assert(self, project: Any) -> None:
        self.run_tests_store_one_failure(project)
        self.run_tests_store_failures_and_assert(project)


class TestStoreTestFailuresTypes(BaseStoreTestFailures):
    pass


class TestStoreTestFailuresLimit(BaseStoreTestFailuresLimit):
    pass


class TestStoreTestFailuresAsInteractions(basic.StoreTestFailuresAsInteractions):
    pass


class TestStoreTestFailuresAsProjectLevelOff(basic.StoreTestFailuresAsProjectLevelOff):
    pass


class TestStoreTestFailuresAsProjectLevelView(basic.StoreTestFailuresAsProjectLevelView):
    pass


class TestStoreTestFailuresAsProjectLevelEphemeral(basic.StoreTestFailuresAsProjectLevelEphemeral):
    pass


class TestStoreTestFailuresAsGeneric(basic.StoreTestFailuresAsGeneric):
    pass


class TestStoreTestFailuresAsExceptions(basic.StoreTestFailuresAsExceptions):
    pass
