"""Errors of predictions, and of a baseline that predicts medians."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from penstock.ml.regression import PREDICTED
from penstock.ml.spec import Spec

BASELINE = "penstock_baseline"


@dataclass(frozen=True)
class Metrics:
    """Errors over some rows: `mae` and `rmse` in the target's unit, `r2` at most 1."""

    rows: int
    mae: float
    rmse: float
    r2: float


def error_ratio(error: float, reference: float) -> float:
    """Return an error divided by a reference error; NaN when the reference is 0."""
    return error / reference if reference else float("nan")


def evaluate(rows: DataFrame, target: str, prediction: str = PREDICTED) -> Metrics:
    """Return the errors of a prediction column against the target column."""
    error = F.col(prediction) - F.col(target)
    aggregated = rows.agg(
        F.count(F.lit(1)), F.avg(F.abs(error)), F.avg(error * error), F.var_pop(target).alias("variance")
    ).first()
    assert aggregated
    count, mae, mse, variance = aggregated
    if not count:
        return Metrics(0, float("nan"), float("nan"), float("nan"))
    return Metrics(int(count), float(mae), float(mse) ** 0.5, 1 - float(mse) / variance if variance else 0.0)


def with_baseline(rows: DataFrame, known: DataFrame, spec: Spec) -> DataFrame:
    """Return rows with the column BASELINE: the median target of the known rows with the same keys.

    The keys are the finest ones of `spec.baseline` that occur in the known rows. If none occur, the baseline is the
    median of all known rows.
    """

    def median(over: DataFrame) -> DataFrame:
        return over.agg(F.expr(f"percentile({spec.target}, 0.5D)").alias("median"))

    medians: list[Column] = []
    for index, keys in enumerate(spec.baseline):
        name = f"{BASELINE}_{index}"
        by_keys = median(known.groupBy(*keys)).withColumnRenamed("median", name)
        rows = rows.join(F.broadcast(by_keys), list(keys), "left")
        medians.append(F.col(name))
    overall = median(known.groupBy()).first()
    return rows.withColumn(BASELINE, F.coalesce(*medians, F.lit(overall[0] if overall else None).cast("double")))
