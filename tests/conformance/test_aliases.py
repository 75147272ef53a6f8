"""Names of relations: aliases, schemas, the cache of relations, changes of type."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.aliases import fixtures
from dbt.tests.adapter.aliases.test_aliases import (
    BaseAliasErrors,
    BaseAliases,
    BaseSameAliasDifferentDatabases,
    BaseSameAliasDifferentSchemas,
)
from dbt.tests.adapter.caching.test_caching import (
    BaseCachingLowercaseModel,
    BaseCachingSelectedSchemaOnly,
    BaseCachingUppercaseModel,
    BaseNoPopulateCache,
)
from dbt.tests.adapter.relations.test_changing_relation_type import BaseChangeRelationTypeValidator
from dbt.tests.adapter.relations.test_dropping_schema_named import BaseDropSchemaNamed
from dbt.tests.util import run_dbt

from tests.conformance import dialect


class Macros:
    @pytest.fixture(scope="class")
    def macros(self) -> dict[str, Any]:
        return {
            "cast.sql": dialect.spark(fixtures.MACROS__CAST_SQL),
            "expect_value.sql": fixtures.MACROS__EXPECT_VALUE_SQL,
        }


class TestAliases(Macros, BaseAliases):
    pass


class TestAliasErrors(Macros, BaseAliasErrors):
    pass


class TestSameAliasDifferentSchemas(Macros, BaseSameAliasDifferentSchemas):
    pass


class TestSameAliasDifferentDatabases(Macros, BaseSameAliasDifferentDatabases):
    """The published fixture tells the two models apart by schema; Spark has no databases above those."""


class Cached:
    """Spark's relations have no database, whose name the published check would put in lower case."""

    def run_and_inspect_cache(self, project: Any, run_args: Any = None) -> None:
        seen = []
        for _ in range(2):
            run_dbt(list(run_args))
            (relation,) = project.adapter.cache.relations
            assert relation.database is None
            seen.append((relation.schema, relation.identifier.lower()))
        assert seen == [(project.test_schema, seen[0][1])] * 2
        assert project.test_schema == project.test_schema.lower()


class TestCachingLowercaseModel(Cached, BaseCachingLowercaseModel):
    pass


class TestCachingUppercaseModel(Cached, BaseCachingUppercaseModel):
    pass


class TestCachingSelectedSchemaOnly(Cached, BaseCachingSelectedSchemaOnly):
    pass


class TestNoPopulateCache(Cached, BaseNoPopulateCache):
    pass


class TestChangeRelationType(BaseChangeRelationTypeValidator):
    pass


class TestDropSchemaNamed(BaseDropSchemaNamed):
    pass
