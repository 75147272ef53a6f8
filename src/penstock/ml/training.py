"""One run of a training model: nothing when nothing changed, else a fitted version and its row.

The version's folder is written first and its row last, by the model's one commit: a run that is killed
leaves a folder that no row names, and no later version takes its number.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from penstock import clock
from penstock.intervals.staleness import BuiltInterval
from penstock.ml import drift, metrics, model_store, regression, training_months
from penstock.ml.ratio import ratio
from penstock.ml.spec import Spec
from penstock.ml.training_months import Split

SCHEMA = (
    "model string, version int, trained_at timestamp_ntz, key string, "
    "inputs string, month_column string, target string, prior string, "
    "features array<struct<name: string, expression: string>>, parameters map<string, double>, "
    "candidates array<struct<parameters: map<string, double>, tune_mae: double>>, "
    "months array<struct<month: date, role: string, delta_version: bigint, batch_id: string>>, "
    "trained_rows bigint, test_rows bigint, test_month date, mae double, rmse double, r2 double, "
    "baseline_mae double, baseline_rmse double, baseline_r2 double, "
    "importance array<struct<feature: string, share: double>>, "
    "reference array<struct<feature: string, edges: array<double>, shares: array<double>>>, "
    "path string, seconds double"
)


# The modules that make a version of rows; what is done with a version afterwards is in the others.
MAKERS = ("drift", "metrics", "months", "regression", "spec", "training")


def _code() -> str:
    """Fingerprint of what makes a version: it is part of it, as the rows are."""
    digest = hashlib.sha256()
    for name in MAKERS:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def key_of(spec: Spec, split: Split, built: Mapping[date, BuiltInterval], code: str) -> str:
    """What a version depends on, in 16 hex digits: equal keys train equal models."""
    used = {f"{month}": (built[month].commit_id, split.role(month)) for month in split.all}
    said = {name: str(value) for name, value in vars(spec).items() if name not in ("train", "tune", "test")}
    return hashlib.sha256(json.dumps([said, used, code], sort_keys=True).encode()).hexdigest()[:16]


def train(dbt: Any, session: Any, features: DataFrame, batches: DataFrame, meta: Mapping[str, Any]) -> DataFrame:
    """The rows that a training model appends: that of a new version, or none.

    Args:
        dbt: the model's first argument.
        session: its second.
        features: the model of features, built by interval.
        batches: the ledger.
        meta: the model's own; see Spec.

    Raises:
        PenstockError: a spec that can't be, or months that aren't built.
    """
    spec = Spec.of(dbt.this.identifier, meta)
    built = training_months.built(session, batches, spec.inputs)
    split = Split.of(spec, built)
    nothing = session.createDataFrame([], SCHEMA)
    if split is None:
        found = ", ".join(f"{month:%Y-%m}" for month in sorted(built)) or "none"
        dbt.log(f"no version; training takes three months of {spec.inputs}, and there are: {found}")
        return nothing
    key = key_of(spec, split, built, f"{_code()} {dbt.code}")
    known = session.table(f"{dbt.this}").select("version", "key").collect() if dbt.is_incremental else []
    if same := [row["version"] for row in known if row["key"] == key]:
        dbt.log(f"version {max(same)} is of these months, features and parameters")
        return nothing
    newest = max((row["version"] for row in known), default=0)
    return session.createDataFrame([_version(session, spec, split, built, features, newest, key, dbt.log)], SCHEMA)


def _version(
    session: Any,
    spec: Spec,
    split: Split,
    built: Mapping[date, BuiltInterval],
    features: DataFrame,
    newest: int,
    key: str,
    log: Callable[[str], None],
) -> tuple[Any, ...]:
    """Train, measure and save; the row of the version after the newest."""
    began, trained_at = time.monotonic(), clock.now().replace(tzinfo=None)
    known_months = (*split.train, split.tune)
    known = regression.rows_of(features, spec, known_months).cache()
    try:
        of_month = known[spec.month]
        first, second = known.where(of_month != split.tune), known.where(of_month == split.tune)
        tried = []
        rows = known.count()
        for parameters in spec.candidates if first.limit(1).count() else ():
            model = regression.fit(first, spec, parameters)
            error = metrics.measured(regression.predicted(model, second, spec.prior), spec.target).mae
            log(f"{_words(parameters)}: MAE {error:.4f} on {split.tune:%Y-%m}")
            tried.append((parameters, error))
        best = min(tried, key=lambda item: item[1])[0] if tried else spec.candidates[0]
        model = regression.fit(known, spec, best)
        # Only now is the test month looked at.
        test = regression.predicted(model, regression.rows_of(features, spec, (split.test,)), spec.prior)
        own = metrics.measured(test, spec.target)
        simple = metrics.measured(metrics.guessed(test, known, spec), spec.target, metrics.GUESS)
        reference = drift.quantiles(known, spec.features, spec.month)
    finally:
        known.unpersist()
    version, path = model_store.save(session, model, spec.name, newest)
    log(
        f"version {version}, {_words(best)}: MAE {own.mae:.4f} on {split.test:%Y-%m}, "
        f"{ratio(own.mae, simple.mae):.3f} of the baseline's; "
        f"RMSE {own.rmse:.4f}, {ratio(own.rmse, simple.rmse):.3f}"
    )
    used = [(month, split.role(month), built[month].version, built[month].commit_id) for month in split.all]
    return (
        *(spec.name, version, trained_at, key, spec.inputs, spec.month, spec.target, spec.prior),
        list(spec.features.items()),
        {name: float(value) for name, value in best.items()},
        [({name: float(value) for name, value in of.items()}, error) for of, error in tried],
        used,
        *(rows, own.rows, split.test, own.mae, own.rmse, own.r2, simple.mae, simple.rmse, simple.r2),
        list(regression.importance(model, spec).items()),
        [
            (name, list(edges), list(drift.SHARES))
            for _, of_month in sorted(reference.items())
            for name, edges in of_month.items()
        ],
        path,
        round(time.monotonic() - began, 1),
    )


def _words(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in parameters.items())
