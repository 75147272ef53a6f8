"""Python models: data frames of every kind, incremental runs, configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dbt.tests.adapter.python_model import test_spark
from dbt.tests.adapter.python_model.test_python_model import (
    BasePythonEmptyTests,
    BasePythonIncrementalTests,
    BasePythonMetaGetTests,
    BasePythonModelTests,
    BasePythonSampleTests,
)
from dbt.tests.util import run_dbt, write_file


class TestPythonModel(BasePythonModelTests):
    pass


class TestPythonIncrementalModel(BasePythonIncrementalTests):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {}


class TestPythonIncrementalMerge(BasePythonIncrementalTests):
    pass


class TestPySpark(test_spark.BasePySparkTests):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        """Without Koalas: its package ended with Spark 3.1, and pandas on Spark took its place."""
        return {
            "pandas_df.py": test_spark.PANDAS_MODEL,
            "pyspark_df.py": test_spark.PYSPARK_MODEL,
            "pandas_on_spark_df.py": test_spark.PANDAS_ON_SPARK_MODEL,
        }

    def test_different_dataframes(self, project: Any) -> None:
        assert len(run_dbt(["run"])) == 3
        for name in ("pandas_df", "pyspark_df", "pandas_on_spark_df"):
            rows = project.run_sql(f"select City, Latitude from {{schema}}.{name} order by City", fetch="all")
            assert len(rows) == 5 and rows[-1] == ("Santiago", -33.45)


class TestPythonMetaGet(BasePythonMetaGetTests):
    pass


class Filtered:
    """The published tests have a Python model read its refs whole, whatever the flags say, as dbt renders
    them. With penstock `--empty` and `--sample` mean for Python what they mean for SQL."""

    def run_and_count(self, project: Any, *flags: str) -> int:
        run_dbt(["run", *flags])
        return int(project.run_sql("select count(*) from {schema}.model_that_refs_input", fetch="one")[0])


class TestPythonEmpty(Filtered, BasePythonEmptyTests):
    def test_empty_mode(self, project: Any) -> None:
        assert self.run_and_count(project) == 3
        assert self.run_and_count(project, "--empty") == 0


class TestPythonSample(Filtered, BasePythonSampleTests):
    def test_sample_mode(self, project: Any) -> None:
        assert self.run_and_count(project) == 3
        assert self.run_and_count(project, "--sample={'start': '2025-01-03', 'end': '2025-01-04'}") == 1


MODEL = """
def model(dbt, spark):
    dbt.config(materialized='table')
    return spark.createDataFrame([[1, 2]] * 10, schema={schema!r})
"""


class TestPythonChangingSchema:
    """Other columns than before, and a log that holds the code and how it ended."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {"simple_python_model.py": MODEL.format(schema=["test", "test2"])}

    def test_changing_schema_with_log_validation(self, project: Any, logs_dir: str) -> None:
        run_dbt(["run"])
        changed = MODEL.format(schema=["test1", "test3"])
        write_file(changed, project.project_root, "models", "simple_python_model.py")
        run_dbt(["run"])
        log = Path(logs_dir, "dbt.log").read_text()
        assert "On model.test.simple_python_model:" in log
        assert "spark.createDataFrame([[1, 2]] * 10, schema=['test1', 'test3'])" in log
        assert "Execution status: OK in" in log
        columns = project.run_sql("describe {schema}.simple_python_model", fetch="all")
        assert [row[0] for row in columns] == ["test1", "test3"]
