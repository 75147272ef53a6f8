"""Intervals that are skipped: the ones with equal inputs and code, in tables that are as the ledger knows them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

import pytest

from penstock.diff.dbt_tables import Relation
from penstock.diff.equal_intervals import EqualIntervals, SkippedIntervals
from penstock.errors import PenstockError
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.grain import GRAINS
from penstock.intervals.ledger_table import LedgerRow
from penstock.intervals.model_config import IntervalConfig

JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
CONFIG = IntervalConfig("month", GRAINS["month"], 12, False, None)
RELATIONS = [Relation(f"spark_catalog.{name}.t", f"{name}.t", f"spark_catalog.{name}.batch_runs") for name in "pd"]


class Targets:
    """Two targets `p` and `d`: their ledgers and the histories of their tables, read by the statements of penstock."""

    def __init__(self) -> None:
        self.ledger: dict[str, list[LedgerRow]] = {"p": [], "d": []}
        self.commits: dict[str, list[tuple[str, str | None]]] = {"p": [], "d": []}

    def build(self, schema: str, model: str, commit: str, code: str = "c", **inputs: str) -> None:
        """Record a commit of January and February."""
        version = len(self.commits[schema])
        for day in (JANUARY, FEBRUARY):
            row = LedgerRow(commit, "run", model, f"{schema}.{model}", day, "month", "built", inputs=inputs)
            row = replace(row, code=code, rows_out=3, delta_version=version, table_id="id")
            self.ledger[schema].append(row)
        if model == "t":
            days: dict[date, Mapping[str, str]] = {JANUARY: inputs, FEBRUARY: inputs}
            metadata = CommitMetadata(commit, "run", code, datetime.now(timezone.utc), days)
            self.commits[schema].append(("WRITE", metadata.dumps()))

    def run(self, sql: str) -> Sequence[Sequence[Any]]:
        schema = next(name for name in "pd" if f"spark_catalog.{name}." in sql)
        if sql.startswith("describe history"):
            rows = list(enumerate(self.commits[schema]))
            return [(place, "", "", "", name, {}, *[""] * 6, {}, data, "") for place, (name, data) in reversed(rows)]
        if not self.ledger[schema]:
            raise PenstockError("an answer to a statement", "TABLE_OR_VIEW_NOT_FOUND", "")
        if sql.lstrip().startswith("with versions"):
            return self._states(schema)
        return [
            (row.relation, row.batch_id, row.interval_start, row.model, row.grain, row.code, json.dumps(row.inputs))
            for row in self.ledger[schema]
        ]

    def _states(self, schema: str) -> list[tuple[Any, ...]]:
        newest = {(row.relation, row.interval_start): row for row in self.ledger[schema]}
        return [
            (name, row.table_id, day, row.delta_version, json.dumps({
                "outcome": row.outcome, "batch_id": row.batch_id, "code": row.code, "inputs": row.inputs,
                "rows_out": row.rows_out, "grain": row.grain,
            }), 0)
            for (name, day), row in newest.items()
        ]  # fmt: skip

    def find(self) -> SkippedIntervals:
        return EqualIntervals(self.run).find(RELATIONS[0], RELATIONS[1], CONFIG)


@pytest.fixture
def targets() -> Targets:
    """Both targets built the model from the same landed file."""
    made = Targets()
    for schema in "pd":
        made.build(schema, "t", f"{schema}1", **{"lake.rides": "file"})
    return made


def test_equal_inputs_and_code(targets: Targets) -> None:
    found = targets.find()
    assert found.days == (JANUARY, FEBRUARY)
    assert (found.rows, found.complete) == (6, True)
    assert found.where == "(month is null or not (month >= date'2024-01-01' and month < date'2024-03-01'))"


def test_other_code_or_other_inputs(targets: Targets) -> None:
    targets.build("d", "t", "d2", code="other", **{"lake.rides": "file"})
    assert targets.find() == SkippedIntervals()
    targets.build("d", "t", "d3", **{"lake.rides": "new file"})
    assert targets.find() == SkippedIntervals()


def test_upstream_models_are_compared_by_their_own_inputs(targets: Targets) -> None:
    """The ids of their commits differ in two targets; what they were built from is what counts."""
    for schema in "pd":
        targets.build(schema, "up", f"{schema}0", **{"lake.rides": "file"})
        targets.build(schema, "t", f"{schema}2", **{f"{schema}.up": f"{schema}0"})
    assert targets.find().days == (JANUARY, FEBRUARY)
    targets.build("d", "up", "d9", **{"lake.rides": "new file"})
    targets.build("d", "t", "d3", **{"d.up": "d9"})
    assert targets.find() == SkippedIntervals()


def test_a_deferred_upstream_model(targets: Targets) -> None:
    """Both targets read the same commit of the same table."""
    targets.build("p", "up", "p0", **{"lake.rides": "file"})
    for schema in "pd":
        targets.build(schema, "t", f"{schema}2", **{"p.up": "p0"})
    assert targets.find().days == (JANUARY, FEBRUARY)


@pytest.mark.parametrize("operation", ["UPDATE", "DELETE", "WRITE", "RESTORE", "ADD COLUMNS"])
@pytest.mark.parametrize("schema", ["p", "d"])
def test_a_table_that_another_program_changed(targets: Targets, operation: str, schema: str) -> None:
    """No interval is skipped, also not after a later build of other intervals."""
    targets.commits[schema].append((operation, None))
    assert targets.find() == SkippedIntervals()


def test_intervals_that_were_built_after_a_foreign_change(targets: Targets) -> None:
    targets.commits["d"].append(("UPDATE", None))
    targets.build("d", "t", "d2", **{"lake.rides": "file"})
    assert targets.find().days == (JANUARY, FEBRUARY)


@pytest.mark.parametrize("operation", ["OPTIMIZE", "VACUUM END", "SET TBLPROPERTIES"])
def test_operations_that_keep_the_rows(targets: Targets, operation: str) -> None:
    targets.commits["d"].append((operation, None))
    assert targets.find().complete


def test_a_commit_that_the_ledger_lacks(targets: Targets) -> None:
    targets.build("d", "t", "d2", **{"lake.rides": "file"})
    del targets.ledger["d"][-2:]
    assert targets.find() == SkippedIntervals()


def test_a_target_without_a_ledger(targets: Targets) -> None:
    targets.ledger["d"].clear()
    assert targets.find() == SkippedIntervals()
