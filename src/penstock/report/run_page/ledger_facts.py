"""What the run ledger and the tables of quarantined rows hold now: intervals built and stale, shares of bad rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.intervals import ledger_table
from penstock.intervals.source import IntervalSource
from penstock.report.run_page.interval_states import IntervalState, find_states
from penstock.report.run_page.node_history import PastRun
from penstock.report.run_page.times import as_text

RunQuery = Callable[[str], Sequence[Sequence[Any]]]
# A table with one row for each rule and month, as this project's model `quality_report` has.
RULE_COLUMNS = {"rule", "month", "rows", "checked_rows"}


@dataclass(frozen=True)
class RuleShare:
    """The share of a month's rows that a rule found bad; `rule` is a model for rows that the model quarantined."""

    rule: str
    month: str
    rows: int
    share: float


@dataclass(frozen=True)
class LedgerFacts:
    """What the server's tables hold.

    Attributes:
        intervals: the state of each interval of each interval model.
        quarantined: shares of bad rows by rule and month.
        past_runs: the runs of interval models, by relation.
        notes: what could not be read, and why.
    """

    intervals: tuple[IntervalState, ...] = ()
    quarantined: tuple[RuleShare, ...] = ()
    past_runs: Mapping[str, Sequence[PastRun]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values, without the past runs, which the nodes have."""
        return {
            "intervals": [vars(item) for item in self.intervals],
            "quarantined": [vars(item) for item in self.quarantined],
            "notes": list(self.notes),
        }


def read(run_query: RunQuery, schema: str, sources: Mapping[str, IntervalSource], rules: str) -> LedgerFacts:
    """Return what the run ledger of a schema and a table of rules hold.

    Args:
        run_query: runs a SQL statement and returns its rows.
        schema: the schema of the run ledger.
        sources: interval sources, by schema.
        rules: the table with one row for each rule and month, `schema.table`; empty if the project has none.

    Raises:
        PenstockError: a statement failed.
    """
    by_rule = _rule_shares(run_query, rules) if rules else ()
    if not run_query(f"show tables in {schema} like '{ledger_table.TABLE}'"):
        return LedgerFacts(quarantined=by_rule, notes=("no run ledger: no model of this project is built by interval",))
    ledger = f"{schema}.{ledger_table.TABLE}"
    states, notes = find_states(run_query, ledger, sources)
    return LedgerFacts(tuple(states), by_rule or _model_shares(run_query, ledger), _past_runs(run_query, ledger), notes)


def _rule_shares(run_query: RunQuery, rules: str) -> tuple[RuleShare, ...]:
    schema, _, table = rules.partition(".")
    if not run_query(f"show tables in {schema} like '{table}'"):
        return ()
    columns = {str(row[0]).lower() for row in run_query(f"show columns in {rules}")}
    if not columns >= RULE_COLUMNS:
        return ()
    where = "where severity = 'error'" if "severity" in columns else ""
    rows = run_query(
        f"select rule, month, sum(`rows`), sum(`rows`) / sum(checked_rows) from {rules} {where} "
        "group by rule, month having sum(`rows`) > 0 order by month, rule"
    )
    return tuple(RuleShare(str(rule), str(month)[:7], int(count), float(share)) for rule, month, count, share in rows)


def _model_shares(run_query: RunQuery, ledger: str) -> tuple[RuleShare, ...]:
    """Return the shares that `quarantine_when` counted, from the newest build of each interval."""
    rows = run_query(
        f"""
        select model, interval_start, quarantined, quarantined / rows_out
        from (
            select
                model, interval_start,
                max_by(rows_quarantined, started_at) as quarantined, max_by(rows_out, started_at) as rows_out
            from {ledger}
            where outcome = '{ledger_table.BUILT}'
            group by model, interval_start
        )
        where quarantined > 0 and rows_out > 0
        order by interval_start, model
        """
    )
    return tuple(RuleShare(str(model), str(start)[:7], int(count), float(share)) for model, start, count, share in rows)


def _past_runs(run_query: RunQuery, ledger: str) -> dict[str, list[PastRun]]:
    """Return the runs of each relation. The intervals of one commit share its seconds."""
    rows = run_query(
        f"""
        select relation, run_id, min(started_at), sum(seconds), max(outcome in ('failed', 'interrupted'))
        from (select distinct relation, run_id, batch_id, started_at, seconds, outcome from {ledger})
        where run_id is not null and run_id != ''
        group by relation, run_id
        having min(started_at) is not null and sum(seconds) is not null
        """
    )
    found: dict[str, list[PastRun]] = {}
    for relation, run_id, started, seconds, has_failed in rows:
        past = PastRun(str(run_id), as_text(started), round(float(seconds), 3), "error" if has_failed else "success")
        found.setdefault(str(relation), []).append(past)
    return found
