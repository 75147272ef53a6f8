"""Which version of a model is live: the newest that was better than the live one when it was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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
    """A trained version, as its row tells; see training.SCHEMA."""

    row: Any

    @property
    def number(self) -> int:
        """Its version."""
        return int(self.row["version"])

    @property
    def features(self) -> dict[str, str]:
        """Name to SQL expression."""
        return {item["name"]: item["expression"] for item in self.row["features"]}

    def apply(self, rows: DataFrame, keep: Iterable[str]) -> DataFrame:
        """Predictions for some rows: columns to keep as they are, and `predicted` in the target's unit.

        Args:
            rows: of the model of features.
            keep: names of their columns, or columns under other names.
        """
        own = regression.values(self.features)
        told = [f"penstock_kept_{name}" for name in keep]
        kept = [rows[name].alias(as_) for name, as_ in zip(keep, told, strict=True)]
        found = regression.predicted(model_store.load(self.row["path"]), rows.select(*kept, *own), self.row["prior"])
        names = [found[as_].alias(name) for name, as_ in zip(keep, told, strict=True)]
        return found.select(*names, found[regression.PREDICTED])


def versions(trained: DataFrame) -> dict[str, dict[int, Version]]:
    """By model and number, the versions of one or several training models' tables."""
    found: dict[str, dict[int, Version]] = {}
    for row in trained.collect():
        found.setdefault(row["model"], {})[row["version"]] = Version(row)
    return found


def live(decisions: DataFrame) -> dict[str, int]:
    """By model, the live version; a model of which none was ever promoted is missing."""
    rows = decisions.where("is_promoted").groupBy("model").agg({"version": "max"}).collect()
    return {row[0]: int(row[1]) for row in rows}


def chosen(
    known: Mapping[str, Mapping[int, Version]], decisions: DataFrame, asked: Mapping[str, Any] | None
) -> dict[str, Version]:
    """By model, the version to apply: the one that is asked for, else the live one.

    Raises:
        PenstockError: a version is asked for that wasn't trained, or the live one's row is gone.
    """
    numbers: dict[str, Any] = {**live(decisions), **(asked or {})}
    for name, number in numbers.items():
        if name not in known and asked and name in asked:
            have = ", ".join(sorted(known)) or "none"
            raise PenstockError(f"a model that was trained in use_versions, not {name}", have, "name one of those")
        if number not in known.get(name, {}):
            have = ", ".join(map(str, sorted(known.get(name, {})))) or "none"
            do = "ask for one of those" if known.get(name) else f"type `dbt run --select {name}`"
            raise PenstockError(f"version {number} of {name}", f"trained: {have}", do)
    return {name: known[name][number] for name, number in numbers.items()}


def decide(
    session: Any,
    known: Mapping[str, Mapping[int, Version]],
    decided: DataFrame | None,
    rows: DataFrame,
    log: Callable[[str], None],
) -> DataFrame:
    """A decision for each version that has none yet.

    A version goes live when it beats the baseline, and the live one on its own test month.

    Args:
        session: a Spark session.
        known: the versions.
        decided: earlier decisions; None before the first.
        rows: the model of features.
        log: takes a line for each decision.
    """
    done = {(row["model"], row["version"]) for row in decided.collect()} if decided else set()
    now = live(decided) if decided else {}
    found: list[tuple[Any, ...]] = []
    for name, numbers in sorted(known.items()):
        for number in sorted(number for number in numbers if (name, number) not in done):
            row, current = numbers[number].row, numbers.get(now.get(name, 0))
            theirs = _error(current, row, rows) if current else None
            promoted, reason = judged(row["mae"], row["baseline_mae"], theirs)
            if not promoted and row["mae"] < row["baseline_mae"] and _learned_from(current, row["test_month"]):
                reason += f", which has learned from {row['test_month']:%Y-%m} itself"
            found.append(
                (
                    *(name, number, promoted, reason, row["test_month"], row["mae"], row["baseline_mae"]),
                    *(current.number if current else None, theirs, clock.now().replace(tzinfo=None)),
                )
            )
            log(f"{name}: version {number} {'is live' if promoted else 'is not promoted'}: {reason}")
            if promoted:
                now[name] = number
    decisions: DataFrame = session.createDataFrame(found, SCHEMA)
    return decisions


def judged(mae: float, baseline: float, live_mae: float | None) -> tuple[bool, str]:
    """Whether a version goes live, and why, from errors on one test month."""
    if not mae < baseline:
        return False, f"its MAE {mae:.4f} is not below the baseline's, {baseline:.4f}"
    if live_mae is not None and not mae < live_mae:
        return False, f"its MAE {mae:.4f} is not below the live version's, {live_mae:.4f}"
    better = f"the baseline's, {baseline:.4f}" if live_mae is None else f"the live version's, {live_mae:.4f}"
    return True, f"its MAE {mae:.4f} is below {better}"


def _learned_from(version: Version | None, month: Any) -> bool:
    """Whether the live version was fitted to the rows of a month, so that its error there says little."""
    months = version.row["months"] if version else ()
    return any(item["month"] == month and item["role"] != "test" for item in months)


def _error(version: Version, of: Any, rows: DataFrame) -> float:
    """Error of a version on another one's test month."""
    month = next(item for item in of["months"] if item["role"] == "test")
    same = [item for item in version.row["months"] if item["role"] == "test" and item["batch_id"] == month["batch_id"]]
    if same:
        return float(version.row["mae"])
    tested = rows.where(rows[of["month_column"]] == of["test_month"])
    return metrics.measured(version.apply(tested, [of["target"]]), of["target"]).mae
