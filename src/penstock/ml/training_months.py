"""Find the months that are built according to the run ledger, and split them for training, tuning and testing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from penstock.errors import PenstockError
from penstock.intervals import ledger_table
from penstock.intervals.staleness import BuiltInterval
from penstock.ml.spec import Spec


@dataclass(frozen=True)
class Split:
    """The months to train on, the month to choose parameters on, and the month to test on."""

    train: tuple[date, ...]
    tune: date
    test: date

    @property
    def all(self) -> tuple[date, ...]:
        """The months for training, tuning and testing, in this order."""
        return (*self.train, self.tune, self.test)

    def role(self, month: date) -> str:
        """Return a month's role: `train`, `tune` or `test`; `later` if it is after all of these; else `earlier`."""
        for name, months in (("train", self.train), ("tune", (self.tune,)), ("test", (self.test,))):
            if month in months:
                return name
        return "later" if month > max(self.all) else "earlier"

    @classmethod
    def choose(cls, spec: Spec, months: Iterable[date]) -> Split | None:
        """Return the split of the built months.

        By default the last month is for testing, the one before it for tuning, and all earlier ones are for
        training.

        Args:
            spec: the specification, which may fix some of the months.
            months: the built months of the feature model.

        Returns:
            The split; None if fewer than three months are built and no month is configured.

        Raises:
            PenstockError: a configured month isn't built, has two roles, or is out of order.
        """
        built = sorted(months)
        configured = [month for month in (*spec.train, spec.tune, spec.test) if month]
        if missing := [f"{month:%Y-%m}" for month in configured if month not in built]:
            found = ", ".join(f"{month:%Y-%m}" for month in built) or "none"
            do = f"land and build {', '.join(missing)}, or name other months"
            raise PenstockError(f"the months of {spec.name} in {spec.inputs}", found, do)
        if len(set(configured)) < len(configured):
            found = ", ".join(f"{month:%Y-%m}" for month in configured)
            raise PenstockError(f"each month of {spec.name} once", found, "use a month to train, to tune or to test")
        left = [month for month in built if month not in configured]
        test = spec.test or (left.pop() if left else None)
        tune = spec.tune or next((month for month in reversed(left) if test and month < test), None)
        train = spec.train or tuple(month for month in left if tune and test and month < min(tune, test))
        if train and tune and test:
            if not max(train) < tune < test:
                found = f"{', '.join(f'{month:%Y-%m}' for month in train)}; {tune:%Y-%m}; {test:%Y-%m}"
                do = "name train_months, tune_month and test_month so that each is before the next"
                raise PenstockError(f"months to train, tune and test {spec.name} in that order", found, do)
            return cls(train, tune, test)
        if configured:
            found = ", ".join(f"{month:%Y-%m}" for month in built)
            do = "land and build more, or name train_months, tune_month and test_month"
            raise PenstockError(f"months before the configured ones to train {spec.name} on", found, do)
        return None


def built_months(session: Any, ledger: Any, name: str) -> Mapping[date, BuiltInterval]:
    """Return the built months of a model with the strategy `interval`, and each month's build in the run ledger.

    Args:
        session: a Spark session.
        ledger: the run ledger as a DataFrame.
        name: the model's name.
    """
    relations = [row[0] for row in ledger.where(ledger.model == name).select("relation").distinct().collect()]
    view = "penstock_ml_batches"
    ledger.createOrReplaceTempView(view)
    months: dict[date, BuiltInterval] = {}
    for relation in relations:
        if not session.catalog.tableExists(relation):
            continue
        table_id = session.sql(f"describe detail {relation}").first()["id"]
        states = ledger_table.parse_states(map(tuple, session.sql(ledger_table.read_sql(view, relation)).collect()))
        state = states.get((relation, table_id), ledger_table.LedgerState())
        months |= {month: item for month, item in state.built.items() if item.rows is None or item.rows > 0}
    return months
