"""Gradient boosted trees of MLlib, on rows in an order of their own so that a run can be repeated."""

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


def values(features: Mapping[str, str]) -> list[Column]:
    """Each feature as a double, UNKNOWN where it is null."""
    return [F.coalesce(F.expr(text).cast("double"), F.lit(UNKNOWN)).alias(name) for name, text in features.items()]


def _log(name: str) -> Column:
    return F.log1p(F.greatest(F.col(name), F.lit(0.0)))


def rows_of(frame: DataFrame, spec: Spec, months: Iterable[date]) -> DataFrame:
    """The rows of some months for training: their features, the target, what the baseline needs.

    They lie in a fixed number of partitions, each in the order of its keys: sampling and the sums of
    the trees depend on both.
    """
    more = [name for keys in spec.baseline for name in keys if name not in spec.features]
    of_months = frame.where(F.col(spec.month).isin(list(months)))
    if spec.prior:
        # The first month has no past to learn from.
        of_months = of_months.where(F.expr(spec.features[spec.prior]).isNotNull())
    chosen = of_months.select(
        spec.month,
        spec.key,
        F.col(spec.target).cast("double").alias(spec.target),
        *dict.fromkeys(more),
        *values(spec.features),
    )
    label = _log(spec.target) - (_log(spec.prior) if spec.prior else F.lit(0.0))
    return chosen.withColumn(LABEL, label).repartition(spec.partitions, spec.key).sortWithinPartitions(spec.key)


def fit(rows: DataFrame, spec: Spec, parameters: Mapping[str, float]) -> Any:
    """A pipeline fitted to rows of `rows_of`."""
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


def predicted(model: Any, rows: DataFrame, prior: str | None) -> DataFrame:
    """Rows with their features as `values` gives them, and the column PREDICTED in the target's unit.

    It is null where the prior isn't known.
    """
    raw = F.col(RAW) + (_log(prior) if prior else F.lit(0.0))
    value = F.greatest(F.expm1(raw), F.lit(0.0))
    found = model.transform(rows).withColumn(PREDICTED, F.when(F.col(prior) > UNKNOWN, value) if prior else value)
    return found.drop(VECTOR, RAW)


def importance(model: Any, spec: Spec) -> dict[str, float]:
    """Share of each feature in what the trees gained, the largest first; they sum to 1."""
    shares = model.stages[-1].featureImportances.toArray()
    return dict(sorted(zip(spec.features, map(float, shares), strict=True), key=lambda item: -item[1]))
