"""What is learned from what: the `meta` of a training model's yml, parsed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from penstock.errors import PenstockError

# What a feature is where it isn't known: below every real value, so that a tree can set it apart.
UNKNOWN = -1.0
PARAMETERS = {"trees": int, "depth": int, "step": float, "bins": int, "least_rows": int, "share_of_rows": float}
DEFAULTS: dict[str, float] = {
    "trees": 40,
    "depth": 5,
    "step": 0.2,
    # About as many as there are zones, whose numbers are features.
    "bins": 256,
    "least_rows": 20,
    "share_of_rows": 0.8,
}


def month_of(value: Any, key: str, name: str) -> date | None:
    """A month written as 2024-05 or as its first day; None for nothing.

    Raises:
        PenstockError: anything else; its key is named.
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
    """One regression.

    Attributes:
        name: the training model's.
        inputs: name of the model of features, which is built by interval.
        month: its column that tells the month.
        key: its column that tells rows apart.
        target: the column to predict, not below zero; errors are in its unit.
        prior: a feature that is the past's own estimate of the target: what is learned is
            log1p(target) - log1p(prior). None learns log1p(target).
        features: name to SQL expression over the row.
        baseline: keys of the baseline's medians, the finest first; each coarser one stands in where
            a finer one was never seen, and the median of all where none was.
        candidates: parameters to choose among on the tuning month; see DEFAULTS.
        seed: of the sampling.
        train, tune, test: the months, when they are given.
        partitions: of the rows in training; with two, sums don't depend on who comes first.
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
    def of(cls, name: str, meta: Mapping[str, Any]) -> Spec:
        """The spec of a training model.

        Raises:
            PenstockError: a key that is missing, unknown or of the wrong kind; it is named.
        """
        known = {"inputs", "month", "key", "target", "prior", "features", "baseline", "candidates", "seed"}
        known |= {"train_months", "tune_month", "test_month", "partitions"}
        if strange := sorted(set(meta) - known):
            raise PenstockError(f"known keys in meta of {name}", ", ".join(strange), f"use {', '.join(sorted(known))}")
        if lacking := sorted({"inputs", "month", "key", "target", "features"} - set(meta)):
            raise PenstockError(f"{', '.join(lacking)} in meta of {name}", "nothing", "set them in its yml")
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
        asked: Any = meta.get("train_months") or ()
        months: list[Any] = asked.strip("[]").replace("'", "").split(",") if isinstance(asked, str) else list(asked)
        train = [month_of(item, "train_months", name) for item in months]
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
            month_of(meta.get("tune_month"), "tune_month", name),
            month_of(meta.get("test_month"), "test_month", name),
            int(meta.get("partitions", 2)),
        )


def _parameters(name: str, given: Mapping[str, Any]) -> dict[str, float]:
    if strange := sorted(set(given) - set(PARAMETERS)):
        do = f"use {', '.join(PARAMETERS)}"
        raise PenstockError(f"known parameters in candidates of {name}", ", ".join(strange), do)
    return {key: kind({**DEFAULTS, **given}[key]) for key, kind in PARAMETERS.items()}
