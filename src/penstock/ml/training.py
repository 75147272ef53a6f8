"""Run a training model: train a new version and return its row, or return no row if nothing changed.

The version's folder is written before its row, which is the model's only commit. A killed run therefore leaves
at most a folder without a row, and no later version takes the folder's number.
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
from penstock.ml.metrics import error_ratio
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


# Only the code of these modules affects a trained version. The other modules use trained versions.
TRAINING_MODULES = ("drift", "metrics", "regression", "spec", "training", "training_months")


def _code_fingerprint() -> str:
    """Return a hash of the code that trains a version. It is part of a version's key."""
    digest = hashlib.sha256()
    for name in TRAINING_MODULES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def version_key(spec: Spec, split: Split, built: Mapping[date, BuiltInterval], code: str) -> str:
    """Return a hash, 16 hex digits long, of everything that a version depends on.

    Two versions with equal keys are equal models.
    """
    used = {f"{month}": (built[month].commit_id, split.role(month)) for month in split.all}
    settings = {name: str(value) for name, value in vars(spec).items() if name not in ("train", "tune", "test")}
    return hashlib.sha256(json.dumps([settings, used, code], sort_keys=True).encode()).hexdigest()[:16]


def train(dbt: Any, session: Any, features: DataFrame, ledger: DataFrame, meta: Mapping[str, Any]) -> DataFrame:
    """Return the rows that a training model appends: the row of a new version, or none.

    Args:
        dbt: the model's argument `dbt`.
        session: the model's session.
        features: the feature model, which has the strategy `interval`.
        ledger: the run ledger.
        meta: `meta` in the model's yml; see Spec.

    Raises:
        PenstockError: the spec is invalid, or configured months aren't built.
    """
    spec = Spec.from_meta(dbt.this.identifier, meta)
    built = training_months.built_months(session, ledger, spec.inputs)
    split = Split.choose(spec, built)
    no_rows = session.createDataFrame([], SCHEMA)
    if split is None:
        found = ", ".join(f"{month:%Y-%m}" for month in sorted(built)) or "none"
        dbt.log(f"no version: training needs three months of {spec.inputs}, found: {found}")
        return no_rows
    key = version_key(spec, split, built, f"{_code_fingerprint()} {dbt.code}")
    known = session.table(f"{dbt.this}").select("version", "key").collect() if dbt.is_incremental else []
    if same := [row["version"] for row in known if row["key"] == key]:
        dbt.log(f"version {max(same)} already has these months, features and parameters")
        return no_rows
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
    """Train, evaluate and save the next version, and return its row."""
    began, trained_at = time.monotonic(), clock.now().replace(tzinfo=None)
    known_months = (*split.train, split.tune)
    known = regression.training_rows(features, spec, known_months).cache()
    try:
        month = known[spec.month]
        training, tuning = known.where(month != split.tune), known.where(month == split.tune)
        tried = []
        rows = known.count()
        for parameters in spec.candidates if training.limit(1).count() else ():
            model = regression.fit(training, spec, parameters)
            error = metrics.evaluate(regression.predict(model, tuning, spec.prior), spec.target).mae
            log(f"{_format_parameters(parameters)}: MAE {error:.4f} on {split.tune:%Y-%m}")
            tried.append((parameters, error))
        best = min(tried, key=lambda item: item[1])[0] if tried else spec.candidates[0]
        model = regression.fit(known, spec, best)
        # Nothing above this line may read the test month.
        tested = regression.predict(model, regression.training_rows(features, spec, (split.test,)), spec.prior)
        errors = metrics.evaluate(tested, spec.target)
        baseline = metrics.evaluate(metrics.with_baseline(tested, known, spec), spec.target, metrics.BASELINE)
        reference = drift.quantiles(known, spec.features, spec.month)
    finally:
        known.unpersist()
    version, path = model_store.save(session, model, spec.name, newest)
    log(
        f"version {version}, {_format_parameters(best)}: MAE {errors.mae:.4f} on {split.test:%Y-%m}, "
        f"{error_ratio(errors.mae, baseline.mae):.3f} of the baseline's; "
        f"RMSE {errors.rmse:.4f}, {error_ratio(errors.rmse, baseline.rmse):.3f}"
    )
    used = [(month, split.role(month), built[month].version, built[month].commit_id) for month in split.all]
    return (
        *(spec.name, version, trained_at, key, spec.inputs, spec.month, spec.target, spec.prior),
        list(spec.features.items()),
        {name: float(value) for name, value in best.items()},
        [({name: float(value) for name, value in parameters.items()}, mae) for parameters, mae in tried],
        used,
        *(rows, errors.rows, split.test, errors.mae, errors.rmse, errors.r2),
        *(baseline.mae, baseline.rmse, baseline.r2),
        list(regression.feature_importance(model, spec).items()),
        [
            (name, list(edges), list(drift.SHARES))
            for _, by_feature in sorted(reference.items())
            for name, edges in by_feature.items()
        ],
        path,
        round(time.monotonic() - began, 1),
    )


def _format_parameters(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in parameters.items())
