"""How far predictions are from what happened, and what a simple guess would have reached."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from penstock.ml.regression import PREDICTED
from penstock.ml.spec import Spec

GUESS = "penstock_guess"


@dataclass(frozen=True)
class Metrics:
    """Errors of some rows: `mae` and `rmse` in the target's unit, `r2` at most 1."""

    rows: int
    mae: float
    rmse: float
    r2: float


def measured(rows: DataFrame, target: str, guess: str = PREDICTED) -> Metrics:
    """Errors of a guess."""
    error = F.col(guess) - F.col(target)
    found = rows.agg(
        F.count(F.lit(1)), F.avg(F.abs(error)), F.avg(error * error), F.var_pop(target).alias("spread")
    ).first()
    assert found
    count, mae, square, spread = found
    if not count:
        return Metrics(0, float("nan"), float("nan"), float("nan"))
    return Metrics(int(count), float(mae), float(square) ** 0.5, 1 - float(square) / spread if spread else 0.0)


def guessed(rows: DataFrame, known: DataFrame, spec: Spec) -> DataFrame:
    """Rows with the baseline's guess: the median of known rows with the same keys, the finest that has one."""

    def median(over: DataFrame) -> DataFrame:
        return over.agg(F.expr(f"percentile({spec.target}, 0.5D)").alias("median"))

    found: list[Column] = []
    for place, keys in enumerate(spec.baseline):
        name = f"{GUESS}_{place}"
        of_keys = median(known.groupBy(*keys)).withColumnRenamed("median", name)
        rows = rows.join(F.broadcast(of_keys), list(keys), "left")
        found.append(F.col(name))
    of_all = median(known.groupBy()).first()
    return rows.withColumn(GUESS, F.coalesce(*found, F.lit(of_all[0] if of_all else None).cast("double")))
