"""Incremental models: keys, predicates, columns left out of a merge, microbatches."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.incremental.test_incremental_merge_exclude_columns import BaseMergeExcludeColumns
from dbt.tests.adapter.incremental.test_incremental_microbatch import BaseMicrobatch
from dbt.tests.adapter.incremental.test_incremental_predicates import (
    BaseIncrementalPredicates,
    models__delete_insert_incremental_predicates_sql,
)
from dbt.tests.adapter.incremental.test_incremental_unique_id import BaseIncrementalUniqueKey

from tests.conformance import adapters


@pytest.mark.core
class TestIncrementalUniqueKey(BaseIncrementalUniqueKey):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models", "seeds", models={"+incremental_strategy": "merge"})


class TestMergeExcludeColumns(BaseMergeExcludeColumns):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models")


class Typed:
    """The published model; its keys are bigint, as a seed's are."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        model = models__delete_insert_incremental_predicates_sql
        for number in (1, 2, 3):
            model = model.replace(f"select {number} as id", f"select cast({number} as bigint) as id")
        return {"delete_insert_incremental_predicates.sql": model}


class TestIncrementalPredicates(Typed, BaseIncrementalPredicates):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        predicates = {"+incremental_predicates": ["dbt_internal_dest.id != 2"], "+incremental_strategy": "merge"}
        return adapters.delta("models", models=predicates)


class TestPredicates(Typed, BaseIncrementalPredicates):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        predicates = {"+predicates": ["dbt_internal_dest.id != 2"], "+incremental_strategy": "merge"}
        return adapters.delta("models", models=predicates)


MICROBATCH = """
{{{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='event_time',
    batch_size='day', begin=modules.datetime.datetime(2020, 1, 1, 0, 0, 0){more}) }}}}
select *, cast(event_time as date) as date_day from {{{{ ref('input_model') }}}}
"""


@pytest.mark.core
class TestMicrobatch(BaseMicrobatch):
    """Batches into partitions, as dbt-spark's own suite has them."""

    @pytest.fixture(scope="class")
    def microbatch_model_sql(self) -> str:
        return MICROBATCH.format(more=f", partition_by=['date_day'], file_format='{adapters.PARTITIONED_FORMAT}'")


class TestMicrobatchUniqueKey(BaseMicrobatch):
    """The published model: no partitions, and a key."""

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models")
