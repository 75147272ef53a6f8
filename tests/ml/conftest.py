"""The machine learning models, built once on a small sample and once on the real green months."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.spark.server import control
from tests.support.projects import BRIEF, INTERPRETED, Project, make_project

SAMPLE_ROWS = 40_000
# Few and small trees: the tests of the chain don't depend on the quality of the model.
FEW_TREES = "- {trees: 10}\n          - {trees: 8, depth: 4}"
# Months of history, and the months after them: four to train, one to tune, one to test.
HISTORY_MONTHS = ("2021-01", "2021-02", "2022-01", "2022-02", "2023-01", "2023-02")
TRAINING_MONTHS = ("2023-12", "2024-01", "2024-02", "2024-03", "2024-04", "2024-05")
# The split of the figures in the docs, and one with a test month a year and a half later.
SPLITS = (TRAINING_MONTHS, (*TRAINING_MONTHS, "2025-10"))


def split_vars(months: tuple[str, ...]) -> str:
    """Return dbt variables that split months: the last for tests, the one before for tuning, the rest for training."""
    *train, tune, test = months
    return f"{{train_months: [{', '.join(train)}], tune_month: {tune}, test_month: {test}}}"


def with_candidates(file: Path, candidates: str) -> str:
    """Return the text of _ml.yml with other candidate parameters."""
    text, changed = re.subn(
        r"(candidates: &candidates\n +)(- .*\n +)+- .*\n", rf"\g<1>{candidates}\n", file.read_text()
    )
    assert changed == 1
    return text


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """All machine learning models, built and tested on a small sample."""
    conf = {**INTERPRETED, "spark.driver.extraJavaOptions": BRIEF}
    made = make_project(tmp_path_factory.mktemp("learned"), ml=True, spark_conf=conf)
    try:
        assert made.penstock("sample", "--rows", str(SAMPLE_ROWS)).returncode == 0
        file = made.root / "python_models" / "_ml.yml"
        file.write_text(with_candidates(file, FEW_TREES))
        without_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
        done = made.dbt("build", "--select", "+tag:ml", "--exclude", "tag:ml", *without_tests)
        assert done.returncode == 0, done.stdout[-6000:]
        done = made.dbt("build", "--select", "tag:ml")
        (made.root / "build.txt").write_text(done.stdout)
        assert done.returncode == 0, done.stdout[-6000:]
        yield made
    finally:
        control.down(made.settings)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The trained models on the real green months: version N of each is trained on the Nth split."""
    data = os.environ.get("PENSTOCK_TLC_DATA")
    if not data:
        pytest.skip("PENSTOCK_TLC_DATA names no folder with the real months")
    made = make_project(tmp_path_factory.mktemp("real"), ml=True, java_options=[])
    try:
        for month in (*HISTORY_MONTHS, *SPLITS[-1]):
            assert made.penstock("land", "green", month, "--from", str(Path(data) / "green")).returncode == 0
        kinds = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
        steps: list[tuple[str, tuple[str, ...]]] = [("+trip_features", TRAINING_MONTHS)]
        steps += [(model, months) for months in SPLITS for model in ("duration_model", "fare_model")]
        for models, months in (*steps, ("model_registry trip_predictions prediction_drift", TRAINING_MONTHS)):
            done = made.dbt("build", "--select", models, *kinds, "--vars", split_vars(months))
            assert done.returncode == 0, done.stdout[-6000:]
        yield made
    finally:
        control.down(made.settings)
