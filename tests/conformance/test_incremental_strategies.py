"""Incremental strategies run twice: append, merge, insert_overwrite; and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.util import check_relations_equal, run_dbt

from tests.conformance import adapters

MODEL = """
{{{{ config(materialized='incremental', {config}) }}}}
{{% if not is_incremental() %}}
select cast(1 as bigint) as id, 'hello' as msg, 'blue' as color
union all select cast(2 as bigint), 'goodbye', 'red'
{{% else %}}
select cast(2 as bigint) as id, 'yo' as msg, 'green' as color
union all select cast(3 as bigint), 'anyway', 'purple'
{{% endif %}}
"""
HEADING = "id,msg,color\n"
SEEDS = {
    "appended.csv": HEADING + "1,hello,blue\n2,goodbye,red\n2,yo,green\n3,anyway,purple\n",
    "upserted.csv": HEADING + "1,hello,blue\n2,yo,green\n3,anyway,purple\n",
    "partly_upserted.csv": HEADING + "1,hello,blue\n2,yo,red\n3,anyway,purple\n",
    "overwritten.csv": HEADING + "2,yo,green\n3,anyway,purple\n",
}


def model(**config: object) -> str:
    """An incremental model whose second run has other rows."""
    return MODEL.format(config=", ".join(f"{key}={value!r}" for key, value in config.items()))


class Strategies:
    """Models by the seed that they must equal after two runs."""

    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, Any]:
        return SEEDS

    def run_twice(self, project: Any, expected: dict[str, str]) -> None:
        for command in ("seed", "run", "run"):
            run_dbt([command])
        for name, seed in expected.items():
            check_relations_equal(project.adapter, [name, seed])


class TestDefaultStrategy(Strategies):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {"by_default.sql": MODEL.format(config="")}

    def test_default_is_append(self, project: Any) -> None:
        self.run_twice(project, {"by_default": "appended"})


class TestInsertOverwrite(Strategies):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        overwrite = {"incremental_strategy": "insert_overwrite", "file_format": adapters.PARTITIONED_FORMAT}
        return {"whole.sql": model(**overwrite), "partitions.sql": model(**overwrite, partition_by="color")}

    def test_insert_overwrite(self, project: Any) -> None:
        self.run_twice(project, {"whole": "overwritten", "partitions": "appended"})


class TestInsertOverwriteKeys(Strategies):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "partitions.sql": model(
                incremental_strategy="insert_overwrite", file_format=adapters.PARTITIONED_FORMAT, partition_by="id"
            ),
        }

    def test_insert_overwrite_partitions(self, project: Any) -> None:
        self.run_twice(project, {"partitions": "upserted"})


@pytest.mark.core
class TestDeltaStrategies(Strategies):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        merge = {"incremental_strategy": "merge", "file_format": adapters.TABLE_FORMAT}
        return {
            "append_delta.sql": model(incremental_strategy="append", file_format=adapters.TABLE_FORMAT),
            "merge_no_key.sql": model(**merge),
            "merge_unique_key.sql": model(**merge, unique_key="id"),
            "merge_update_columns.sql": model(**merge, unique_key="id", merge_update_columns=["msg"]),
        }

    def test_delta_strategies(self, project: Any) -> None:
        self.run_twice(
            project,
            {
                "append_delta": "appended",
                "merge_no_key": "appended",
                "merge_unique_key": "upserted",
                "merge_update_columns": "partly_upserted",
            },
        )


class TestDeltaInsertOverwrite(Strategies):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        overwrite = {"incremental_strategy": "insert_overwrite", "file_format": adapters.TABLE_FORMAT}
        return {"partitions.sql": model(**overwrite, partition_by="id"), "whole.sql": model(**overwrite)}

    def test_delta_insert_overwrite(self, project: Any) -> None:
        self.run_twice(project, {"partitions": "upserted", "whole": "overwritten"})


class TestBadStrategies:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta()

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "bad_file_format.sql": model(file_format="something_else"),
            "bad_merge_not_delta.sql": model(incremental_strategy="merge", file_format="parquet"),
            "bad_strategy.sql": model(incremental_strategy="something_else"),
        }

    def test_bad_strategies(self, project: Any) -> None:
        results = run_dbt(["run"], expect_pass=False)
        assert [result.status for result in results] == ["error"] * 3
        assert all("Error in model" in result.message for result in results)
