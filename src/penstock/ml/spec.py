"""The specification of a training model, parsed from `meta` in its yml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from penstock.errors import PenstockError

# Replaces NULL in features. It is below every real value, so that a tree can separate it.
UNKNOWN = -1.0
PARAMETERS = {"trees": int, "depth": int, "step": float, "bins": int, "least_rows": int, "share_of_rows": float}
DEFAULTS: dict[str, float] = {
    "trees": 40,
    "depth": 5,
    "step": 0.2,
    # About the number of zones, because zone ids are features.
    "bins": 256,
    "least_rows": 20,
    "share_of_rows": 0.8,
}


def parse_month(value: Any, key: str, name: str) -> date | None:
    """Return the first day of a month that is written as 2024-05 or as a date; None for an empty value.

    Args:
        value: the value in the yml.
        key: the value's key, for the error message.
        name: the training model's name, for the error message.

    Raises:
        PenstockError: the value is not a month.
    """
    if value is None or value == "" or value == "None":
        return None
    text = value.strftime("%Y-%m") if isinstance(value, date) else str(value).strip()
    for form in ("%Y-%m", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date().replace(day=1)
        except ValueError:
            continue
    raise PenstockError(f"a month as {key} of {name}, as in 2024-05", repr(value), f"correct {key}")


@dataclass(frozen=True)
class Spec:
    """The specification of one regression model.

    Attributes:
        name: the training model's name.
        inputs: name of the feature model, which must have the strategy `interval`.
        month: the feature model's column with the month.
        key: the feature model's column that identifies a row.
        target: the column to predict; its values aren't negative. Errors have the target's unit.
        prior: a feature that is a historical estimate of the target. The model predicts
            log1p(target) - log1p(prior), or log1p(target) without a prior.
        features: SQL expressions by feature name.
        baseline: keys of the baseline's medians, the finest first. Rows whose keys don't occur in the
            training months use the next coarser keys, and finally the median of all rows.
        candidates: parameter sets. The one with the lowest error on the tuning month is chosen; see DEFAULTS.
        seed: seed of the row sampling.
        train, tune, test: the configured months, if any.
        partitions: number of partitions of the training rows. With two, the sums don't depend on the order
            in which tasks end.
    """

    name: str
    inputs: str
    month: str
    key: str
    target: str
    prior: str | None
    features: dict[str, str]
    baseline: tuple[tuple[str, ...], ...]
    candidates: tuple[dict[str, float], ...]
    seed: int
    train: tuple[date, ...]
    tune: date | None
    test: date | None
    partitions: int = 2

    @classmethod
    def from_meta(cls, name: str, meta: Mapping[str, Any]) -> Spec:
        """Return the spec of a training model.

        Args:
            name: the model's name.
            meta: its `meta` in the yml.

        Raises:
            PenstockError: a key is missing, unknown or has a wrong value.
        """
        known = {"inputs", "month", "key", "target", "prior", "features", "baseline", "candidates", "seed"}
        known |= {"train_months", "tune_month", "test_month", "partitions"}
        if unknown := sorted(set(meta) - known):
            raise PenstockError(f"known keys in meta of {name}", ", ".join(unknown), f"use {', '.join(sorted(known))}")
        if missing := sorted({"inputs", "month", "key", "target", "features"} - set(meta)):
            raise PenstockError(f"{', '.join(missing)} in meta of {name}", "nothing", "set them in its yml")
        features: dict[str, str] = {}
        given: list[Any] = list(meta["features"])
        for item in given:
            features |= dict(item) if isinstance(item, Mapping) else {str(item): str(item)}
        prior = meta.get("prior")
        if prior is not None and prior not in features:
            raise PenstockError(f"a feature as prior of {name}", repr(prior), f"name one of {', '.join(features)}")
        target = re.compile(rf"\b{re.escape(str(meta['target']))}\b", re.IGNORECASE)
        if any(target.search(text) for item in features.items() for text in item):
            do = f"take {meta['target']} out of them"
            raise PenstockError(f"features of {name} without its target", str(meta["target"]), do)
        candidates: list[Any] = list(meta.get("candidates") or [{}])
        months: Any = meta.get("train_months") or ()
        if isinstance(months, str):
            # Jinja rendered a list as text.
            months = months.strip("[]").replace("'", "").split(",")
        train = [parse_month(item, "train_months", name) for item in months]
        return cls(
            name,
            str(meta["inputs"]),
            str(meta["month"]),
            str(meta["key"]),
            str(meta["target"]),
            prior,
            features,
            tuple(tuple(keys) for keys in meta.get("baseline") or ()),
            tuple(_parameters(name, item) for item in candidates),
            int(meta.get("seed", 0)),
            tuple(sorted(item for item in train if item)),
            parse_month(meta.get("tune_month"), "tune_month", name),
            parse_month(meta.get("test_month"), "test_month", name),
            int(meta.get("partitions", 2)),
        )


def _parameters(name: str, given: Mapping[str, Any]) -> dict[str, float]:
    if unknown := sorted(set(given) - set(PARAMETERS)):
        do = f"use {', '.join(PARAMETERS)}"
        raise PenstockError(f"known parameters in candidates of {name}", ", ".join(unknown), do)
    return {key: kind({**DEFAULTS, **given}[key]) for key, kind in PARAMETERS.items()}
