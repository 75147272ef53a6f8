"""`dbt clone`: Delta clones a table; what can't be cloned becomes a view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dbt.tests.adapter.dbt_clone.test_dbt_clone import (
    BaseCloneNotPossible,
    BaseClonePossible,
    BaseCloneSameSourceAndTarget,
    BaseCloneSameTargetAndState,
)

from tests.conformance import adapters


class Delta:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models", "seeds", "snapshots", seeds={"test": {"quote_columns": False}})

    @pytest.fixture(autouse=True)
    def clean_up(self, project: Any) -> Iterator[None]:
        yield
        with project.adapter.connection_named("__test"):
            for schema in (f"{project.test_schema}_seeds", project.test_schema):
                relation = project.adapter.Relation.create(database=project.database, schema=schema)
                project.adapter.drop_schema(relation)


class TestClonePossible(Delta, BaseClonePossible):
    pass


class TestCloneNotPossible(Delta, BaseCloneNotPossible):
    pass


class TestCloneSameSourceAndTarget(Delta, BaseCloneSameSourceAndTarget):
    pass


class TestCloneSameTargetAndState(Delta, BaseCloneSameTargetAndState):
    pass
