"""Which months there are to learn from, as the ledger knows them, and how they are split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from penstock.errors import PenstockError
from penstock.intervals import ledger_rows
from penstock.intervals.staleness import BuiltInterval
from penstock.ml.spec import Spec


@dataclass(frozen=True)
class Split:
    """Months to train on, the one to choose parameters on, and the one that is measured."""

    train: tuple[date, ...]
    tune: date
    test: date

    @property
    def all(self) -> tuple[date, ...]:
        """All of them in order of their use."""
        return (*self.train, self.tune, self.test)

    def role(self, month: date) -> str:
        """What a month is to a version: train, tune, test, or after or before all of those."""
        for name, months in (("train", self.train), ("tune", (self.tune,)), ("test", (self.test,))):
            if month in months:
                return name
        return "later" if month > max(self.all) else "earlier"

    @classmethod
    def of(cls, spec: Spec, months: Iterable[date]) -> Split | None:
        """The split of the months that are built.

        What isn't given is: the last month to test, the one before it to tune, all before those to
        train. None when there are fewer than three months and none is given.

        Raises:
            PenstockError: a given month that isn't built, one with two uses, or one that is used before an earlier one.
        """
        built = sorted(months)
        given = [month for month in (*spec.train, spec.tune, spec.test) if month]
        if missing := [f"{month:%Y-%m}" for month in given if month not in built]:
            found = ", ".join(f"{month:%Y-%m}" for month in built) or "none"
            do = f"land and build {', '.join(missing)}, or name other months"
            raise PenstockError(f"the months of {spec.name} in {spec.inputs}", found, do)
        if len(set(given)) < len(given):
            words = ", ".join(f"{month:%Y-%m}" for month in given)
            raise PenstockError(f"each month of {spec.name} once", words, "use a month to train, to tune or to test")
        left = [month for month in built if month not in given]
        test = spec.test or (left.pop() if left else None)
        tune = spec.tune or next((month for month in reversed(left) if test and month < test), None)
        train = spec.train or tuple(month for month in left if tune and test and month < min(tune, test))
        if train and tune and test:
            if not max(train) < tune < test:
                words = f"{', '.join(f'{month:%Y-%m}' for month in train)}; {tune:%Y-%m}; {test:%Y-%m}"
                do = "name train_months, tune_month and test_month so that each is before the next"
                raise PenstockError(f"months to train, tune and test {spec.name} in that order", words, do)
            return cls(train, tune, test)
        if given:
            found = ", ".join(f"{month:%Y-%m}" for month in built)
            do = "land and build more, or name train_months, tune_month and test_month"
            raise PenstockError(f"months before the given ones to train {spec.name} on", found, do)
        return None


def built(session: Any, batches: Any, name: str) -> Mapping[date, BuiltInterval]:
    """The months of a model that is built by interval, with what the ledger knows of them.

    Args:
        session: a Spark session.
        batches: the ledger as a data frame.
        name: the model's.
    """
    relations = [row[0] for row in batches.where(batches.model == name).select("relation").distinct().collect()]
    view = "penstock_ml_batches"
    batches.createOrReplaceTempView(view)
    found: dict[date, BuiltInterval] = {}
    for relation in relations:
        if not session.catalog.tableExists(relation):
            continue
        table_id = session.sql(f"describe detail {relation}").first()["id"]
        states = ledger_rows.parse_states(map(tuple, session.sql(ledger_rows.read_sql(view, relation)).collect()))
        state = states.get((relation, table_id), ledger_rows.LedgerState())
        found |= {month: item for month, item in state.built.items() if item.rows is None or item.rows > 0}
    return found
