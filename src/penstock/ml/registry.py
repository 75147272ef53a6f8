"""Promote versions of models. The live version, which makes the predictions, is the newest promoted version.

A new version is promoted if its error is below the errors of the baseline and of the current live version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pyspark.sql import DataFrame

from penstock import clock
from penstock.errors import PenstockError
from penstock.ml import metrics, model_store, regression

SCHEMA = (
    "model string, version int, is_promoted boolean, reason string, test_month date, mae double, "
    "baseline_mae double, live_version int, live_mae double, decided_at timestamp_ntz"
)


@dataclass(frozen=True)
class Version:
    """A trained version.

    Attributes:
        row: the version's row in the training model's table; see training.SCHEMA.
    """

    row: Any

    @property
    def number(self) -> int:
        """The version's number."""
        return int(self.row["version"])

    @property
    def features(self) -> dict[str, str]:
        """SQL expressions by feature name."""
        return {item["name"]: item["expression"] for item in self.row["features"]}

    def __getattr__(self, name: str) -> NoReturn:
        """Raise an error that names the new method, for a method name of version 0.1.0.

        Raises:
            PenstockError: the method was renamed.
            AttributeError: there is no such attribute.
        """
        if name == "apply":
            raise PenstockError("a method of a trained version", "`apply`", "write `predict`, with the same arguments")
        raise AttributeError(name)

    def predict(self, rows: DataFrame, keep: Iterable[str]) -> DataFrame:
        """Return predictions in the target's unit as the column `predicted`.

        Args:
            rows: rows of the feature model.
            keep: columns of the rows to return in addition to the prediction.
        """
        # Temporary names: a kept column may have the name of a feature or of a column of the pipeline.
        kept_names = [f"penstock_kept_{name}" for name in keep]
        kept = [rows[name].alias(alias) for name, alias in zip(keep, kept_names, strict=True)]
        inputs = rows.select(*kept, *regression.feature_columns(self.features))
        predicted = regression.predict(model_store.load(self.row["path"]), inputs, self.row["prior"])
        columns = [predicted[alias].alias(name) for name, alias in zip(keep, kept_names, strict=True)]
        return predicted.select(*columns, predicted[regression.PREDICTED])


def __getattr__(name: str) -> NoReturn:
    """Raise an error that names the new function, for a function name of version 0.1.0.

    Raises:
        PenstockError: the function was renamed.
        AttributeError: there is no such name.
    """
    if name == "chosen":
        raise PenstockError("a function of the registry", "`chosen`", "write `select_versions`")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def versions(trained: DataFrame) -> dict[str, dict[int, Version]]:
    """Return the versions in the tables of one or several training models, by model and number."""
    by_model: dict[str, dict[int, Version]] = {}
    for row in trained.collect():
        by_model.setdefault(row["model"], {})[row["version"]] = Version(row)
    return by_model


def live_versions(decisions: DataFrame) -> dict[str, int]:
    """Return the live version's number by model. A model without a promoted version isn't in the result."""
    rows = decisions.where("is_promoted").groupBy("model").agg({"version": "max"}).collect()
    return {row[0]: int(row[1]) for row in rows}


def select_versions(
    known: Mapping[str, Mapping[int, Version]], decisions: DataFrame, requested: Mapping[str, Any] | None
) -> dict[str, Version]:
    """Return the version to apply, by model: the requested version, or the live version if none is requested.

    Args:
        known: the trained versions by model and number.
        decisions: the table of promotions.
        requested: version numbers by model, from the dbt variable `use_versions`.

    Raises:
        PenstockError: a requested version wasn't trained, or the row of the live version is missing.
    """
    numbers: dict[str, Any] = {**live_versions(decisions), **(requested or {})}
    for name, number in numbers.items():
        if name not in known and requested and name in requested:
            found = ", ".join(sorted(known)) or "none"
            raise PenstockError(f"a trained model in use_versions, not {name}", found, "name one of those")
        if number not in known.get(name, {}):
            trained = ", ".join(map(str, sorted(known.get(name, {})))) or "none"
            do = "request one of those" if known.get(name) else f"type `dbt run --select {name}`"
            raise PenstockError(f"version {number} of {name}", f"trained: {trained}", do)
    return {name: known[name][number] for name, number in numbers.items()}


def decide(
    session: Any,
    known: Mapping[str, Mapping[int, Version]],
    decided: DataFrame | None,
    rows: DataFrame,
    log: Callable[[str], None],
) -> DataFrame:
    """Return a promotion decision for each version that doesn't have one yet.

    A version is promoted if its MAE on its test month is below the baseline's MAE and below the live version's MAE
    on that month.

    Args:
        session: a Spark session.
        known: the trained versions by model and number.
        decided: the earlier decisions; None before the first decision.
        rows: the feature model.
        log: receives a line for each decision.
    """
    done = {(row["model"], row["version"]) for row in decided.collect()} if decided else set()
    live = live_versions(decided) if decided else {}
    decisions: list[tuple[Any, ...]] = []
    for name, by_number in sorted(known.items()):
        for number in sorted(number for number in by_number if (name, number) not in done):
            row, current = by_number[number].row, by_number.get(live.get(name, 0))
            live_mae = _mae_on_test_month(current, row, rows) if current else None
            promoted, reason = judge(row["mae"], row["baseline_mae"], live_mae)
            if not promoted and row["mae"] < row["baseline_mae"] and _is_training_month(current, row["test_month"]):
                reason += f", which was trained on {row['test_month']:%Y-%m}"
            decisions.append(
                (
                    *(name, number, promoted, reason, row["test_month"], row["mae"], row["baseline_mae"]),
                    *(current.number if current else None, live_mae, clock.now().replace(tzinfo=None)),
                )
            )
            log(f"{name}: version {number} {'is live' if promoted else 'is not promoted'}: {reason}")
            if promoted:
                live[name] = number
    frame: DataFrame = session.createDataFrame(decisions, SCHEMA)
    return frame


def judge(mae: float, baseline: float, live_mae: float | None) -> tuple[bool, str]:
    """Return whether to promote a version, and the reason.

    Args:
        mae: the version's MAE on its test month.
        baseline: the baseline's MAE on that month.
        live_mae: the live version's MAE on that month; None without a live version.
    """
    if not mae < baseline:
        return False, f"its MAE {mae:.4f} is not below the baseline's, {baseline:.4f}"
    if live_mae is not None and not mae < live_mae:
        return False, f"its MAE {mae:.4f} is not below the live version's, {live_mae:.4f}"
    better = f"the baseline's, {baseline:.4f}" if live_mae is None else f"the live version's, {live_mae:.4f}"
    return True, f"its MAE {mae:.4f} is below {better}"


def _is_training_month(version: Version | None, month: Any) -> bool:
    """Return whether a version was fitted to the rows of a month. If so, its error on that month is biased."""
    months = version.row["months"] if version else ()
    return any(item["month"] == month and item["role"] != "test" for item in months)


def _mae_on_test_month(version: Version, row: Any, rows: DataFrame) -> float:
    """Return the MAE of a version on the test month of another version.

    Args:
        version: the version to measure.
        row: the row of the other version.
        rows: the feature model.
    """
    month = next(item for item in row["months"] if item["role"] == "test")
    if any(item["role"] == "test" and item["batch_id"] == month["batch_id"] for item in version.row["months"]):
        # Both versions were tested on the same rows.
        return float(version.row["mae"])
    tested = rows.where(rows[row["month_column"]] == row["test_month"])
    return metrics.evaluate(version.predict(tested, [row["target"]]), row["target"]).mae
