"""What became of a version's predictions, month by month: its error, and how far its features have moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock.ml import drift, regression
from penstock.ml.ratio import ratio
from penstock.ml.registry import Version
from penstock.ml.training_months import Split

SCHEMA = (
    "month date, model string, version int, role string, measure string, feature string, value double, trips bigint"
)
ERROR_RATIO, DISTANCE = "error_ratio", "distance"


def watched(
    name: str,
    versions: Mapping[int, Version],
    predictions: DataFrame,
    features: DataFrame,
    columns: Mapping[str, str],
) -> list[tuple[Any, ...]]:
    """Rows of SCHEMA for each month of the predictions that a version made.

    `error_ratio` is the month's MAE by that of the version's test month, `distance` is a feature's; see `drift`.

    Args:
        name: the training model's.
        versions: its versions, by number.
        predictions: with what happened.
        features: the model of features, of the same months.
        columns: names in the predictions: `month`, `version`, `predicted`.
    """
    month, number = columns["month"], columns["version"]
    found: list[tuple[Any, ...]] = []
    of_version: dict[int, dict[Any, int]] = {}
    for row in predictions.where(F.col(number).isNotNull()).groupBy(month, number).count().collect():
        of_version.setdefault(row[1], {})[row[0]] = row[2]
    for version, trips in of_version.items():
        known = versions[version]
        split = split_of(known)
        target = known.row["target"]
        own = predictions.where(F.col(month).isin(list(trips)))
        errors = own.groupBy(month).agg(F.avg(F.abs(F.col(columns["predicted"]) - F.col(target)))).collect()
        for at, error in errors:
            if error is not None:
                value = ratio(error, known.row["mae"])
                found.append((at, name, version, split.role(at), ERROR_RATIO, None, value, trips[at]))
        named = {_told(feature): text for feature, text in known.features.items()}
        rows = features.where(F.col(month).isin(list(trips))).select(month, *regression.values(named))
        learned = reference(known)
        for at, quantiles in drift.quantiles(rows, [_told(feature) for feature in learned], month).items():
            for feature, of_months in learned.items():
                value = drift.distance(of_months, quantiles[_told(feature)])
                found.append((at, name, version, split.role(at), DISTANCE, feature, value, trips[at]))
    return found


def reference(version: Version) -> dict[str, list[drift.Quantiles]]:
    """By feature: its quantiles in each month that a version learned from; none for one trained by counts in bins."""
    found: dict[str, list[drift.Quantiles]] = {}
    for item in version.row["reference"]:
        if len(item["shares"]) == len(item["edges"]) == len(drift.SHARES):
            found.setdefault(item["feature"], []).append(item["edges"])
    return found


def split_of(version: Version) -> Split:
    """The months that a version learned from and was measured on."""
    by_role: dict[str, list[Any]] = {}
    for item in version.row["months"]:
        by_role.setdefault(item["role"], []).append(item["month"])
    return Split(tuple(by_role["train"]), by_role["tune"][0], by_role["test"][0])


def _told(feature: str) -> str:
    """A feature's column under a name that no key of the rows has."""
    return f"penstock_{feature}"
