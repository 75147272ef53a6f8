"""Train and apply gradient-boosted trees of MLlib. Rows have a fixed order, so that training is reproducible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pyspark.ml import Pipeline
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import GBTRegressor
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from penstock.ml.spec import UNKNOWN, Spec

LABEL, PREDICTED, RAW, VECTOR = "penstock_label", "predicted", "prediction", "features"


def feature_columns(features: Mapping[str, str]) -> list[Column]:
    """Return each feature as a double, with UNKNOWN in place of NULL.

    Args:
        features: SQL expressions by feature name.
    """
    return [
        F.coalesce(F.expr(expression).cast("double"), F.lit(UNKNOWN)).alias(name)
        for name, expression in features.items()
    ]


def _log1p(name: str) -> Column:
    return F.log1p(F.greatest(F.col(name), F.lit(0.0)))


def training_rows(frame: DataFrame, spec: Spec, months: Iterable[date]) -> DataFrame:
    """Return the rows of some months with their features, the target, the label and the baseline's keys.

    The rows have a fixed number of partitions, each sorted by key, because sampling and the floating-point sums
    of the trees depend on both.
    """
    baseline_keys = [name for keys in spec.baseline for name in keys if name not in spec.features]
    rows = frame.where(F.col(spec.month).isin(list(months)))
    if spec.prior:
        # In the first month the prior is NULL, because there are no earlier months.
        rows = rows.where(F.expr(spec.features[spec.prior]).isNotNull())
    selected = rows.select(
        spec.month,
        spec.key,
        F.col(spec.target).cast("double").alias(spec.target),
        *dict.fromkeys(baseline_keys),
        *feature_columns(spec.features),
    )
    label = _log1p(spec.target) - (_log1p(spec.prior) if spec.prior else F.lit(0.0))
    return selected.withColumn(LABEL, label).repartition(spec.partitions, spec.key).sortWithinPartitions(spec.key)


def fit(rows: DataFrame, spec: Spec, parameters: Mapping[str, float]) -> Any:
    """Return a pipeline fitted to rows of `training_rows`."""
    trees = GBTRegressor(
        featuresCol=VECTOR,
        labelCol=LABEL,
        predictionCol=RAW,
        maxIter=int(parameters["trees"]),
        maxDepth=int(parameters["depth"]),
        stepSize=float(parameters["step"]),
        maxBins=int(parameters["bins"]),
        minInstancesPerNode=int(parameters["least_rows"]),
        subsamplingRate=float(parameters["share_of_rows"]),
        seed=spec.seed,
        maxMemoryInMB=1024,
    )
    return Pipeline(stages=[VectorAssembler(inputCols=list(spec.features), outputCol=VECTOR), trees]).fit(rows)


def predict(model: Any, rows: DataFrame, prior: str | None) -> DataFrame:
    """Return rows with the column PREDICTED in the target's unit; NULL where the prior is unknown.

    Args:
        model: the fitted pipeline.
        rows: rows with the columns of `feature_columns`.
        prior: the feature that is a historical estimate of the target; see Spec.
    """
    raw = F.col(RAW) + (_log1p(prior) if prior else F.lit(0.0))
    value = F.greatest(F.expm1(raw), F.lit(0.0))
    prediction = F.when(F.col(prior) > UNKNOWN, value) if prior else value
    return model.transform(rows).withColumn(PREDICTED, prediction).drop(VECTOR, RAW)


def feature_importance(model: Any, spec: Spec) -> dict[str, float]:
    """Return each feature's share of the trees' gain, the largest first; the shares sum to 1."""
    shares = model.stages[-1].featureImportances.toArray()
    return dict(sorted(zip(spec.features, map(float, shares), strict=True), key=lambda item: -item[1]))
