"""Measure a version's predictions month by month: their error, and the drift of each feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock.ml import drift, regression
from penstock.ml.metrics import error_ratio
from penstock.ml.registry import Version
from penstock.ml.training_months import Split

SCHEMA = (
    "month date, model string, version int, role string, measure string, feature string, value double, trips bigint"
)
ERROR_RATIO, DISTANCE = "error_ratio", "distance"


def measure(
    name: str,
    versions: Mapping[int, Version],
    predictions: DataFrame,
    features: DataFrame,
    columns: Mapping[str, str],
) -> list[tuple[Any, ...]]:
    """Return rows of SCHEMA for each version and month of the predictions.

    The measure `error_ratio` is the month's MAE divided by the MAE of the version's test month. The measure
    `distance` is the drift of a feature; see the module `drift`.

    Args:
        name: the training model's name.
        versions: the versions of that model, by number.
        predictions: the predictions with the actual values.
        features: the feature model, for the same months.
        columns: names of the columns `month`, `version` and `predicted` in the predictions.
    """
    month, number = columns["month"], columns["version"]
    rows: list[tuple[Any, ...]] = []
    trips_by_version: dict[int, dict[Any, int]] = {}
    for row in predictions.where(F.col(number).isNotNull()).groupBy(month, number).count().collect():
        trips_by_version.setdefault(row[1], {})[row[0]] = row[2]
    for version_number, trips in trips_by_version.items():
        version = versions[version_number]
        split = split_of(version)
        target = version.row["target"]
        predicted = predictions.where(F.col(month).isin(list(trips)))
        errors = predicted.groupBy(month).agg(F.avg(F.abs(F.col(columns["predicted"]) - F.col(target)))).collect()
        for day, error in errors:
            if error is not None:
                value = error_ratio(error, version.row["mae"])
                rows.append((day, name, version_number, split.role(day), ERROR_RATIO, None, value, trips[day]))
        expressions = {_alias(feature): expression for feature, expression in version.features.items()}
        inputs = features.where(F.col(month).isin(list(trips))).select(month, *regression.feature_columns(expressions))
        reference = training_quantiles(version)
        aliases = [_alias(feature) for feature in reference]
        for day, quantiles in drift.quantiles(inputs, aliases, month).items():
            for feature, training_months in reference.items():
                value = drift.distance(training_months, quantiles[_alias(feature)])
                rows.append((day, name, version_number, split.role(day), DISTANCE, feature, value, trips[day]))
    return rows


def training_quantiles(version: Version) -> dict[str, list[drift.Quantiles]]:
    """Return the quantiles of each feature in each training month of a version.

    The result is empty for a version that an earlier release of penstock trained, because that release stored counts in
    bins instead of quantiles.
    """
    by_feature: dict[str, list[drift.Quantiles]] = {}
    for item in version.row["reference"]:
        if len(item["shares"]) == len(item["edges"]) == len(drift.SHARES):
            by_feature.setdefault(item["feature"], []).append(item["edges"])
    return by_feature


def split_of(version: Version) -> Split:
    """Return the months on which a version was trained, tuned and tested."""
    by_role: dict[str, list[Any]] = {}
    for item in version.row["months"]:
        by_role.setdefault(item["role"], []).append(item["month"])
    return Split(tuple(by_role["train"]), by_role["tune"][0], by_role["test"][0])


def _alias(feature: str) -> str:
    """Return a column name for a feature that differs from the names of all other columns."""
    return f"penstock_{feature}"
