"""Read and show the rows of the run ledger, which records each build of an interval, for `penstock batches`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timezone
from typing import Any

from rich.console import Console
from rich.table import Table

from penstock.errors import PenstockError
from penstock.intervals import ledger_table
from penstock.intervals.grain import GRAINS, MONTH

Row = dict[str, Any]
# A version from this number on belongs to an Iceberg table, whose version is a time in milliseconds since 1970. No
# Delta table has as many versions.
_FIRST_TIME = 10**11
STYLE = {ledger_table.BUILT: "green", ledger_table.REMOVED: "dim"}


def read_ledger(run_query: Callable[[str], Sequence[Sequence[Any]]], schema: str, models: Sequence[str]) -> list[Row]:
    """Return the rows of the run ledger, ordered by model, interval and attempt.

    Args:
        run_query: runs a SQL statement and returns its rows.
        schema: the schema of the run ledger.
        models: names of the models to return; empty for all models.

    Raises:
        PenstockError: the run ledger does not exist yet, or it has no rows for one of the models.
    """
    if not run_query(f"show tables in {schema} like '{ledger_table.TABLE}'"):
        raise PenstockError(f"a run ledger in {schema}", "none: no interval was built yet", "type `dbt build`")
    names = list(ledger_table.COLUMNS)
    rows = [
        dict(zip(names, row, strict=True))
        for row in run_query(f"select {', '.join(names)} from {schema}.{ledger_table.TABLE}")
    ]
    known = {row["model"] for row in rows}
    if unknown := [name for name in models if name not in known]:
        raise PenstockError(
            f"models of the run ledger: {', '.join(sorted(known)) or 'it is empty'}",
            ", ".join(unknown),
            "name one of those",
        )
    return _ordered(row for row in rows if not models or row["model"] in models)


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without duplicates, in order of model, interval, table (oldest first), version and attempt."""
    unique = list(
        {(row["batch_id"], row["relation"], row["interval_start"], row["outcome"]): row for row in rows}.values()
    )
    table_starts: dict[str, str] = {}
    for row in unique:
        table = row["table_id"]
        table_starts[table] = min(table_starts.get(table, "9"), str(row["started_at"] or "9"))

    def position(row: Row) -> tuple[Any, ...]:
        version = -1 if row["delta_version"] is None else int(row["delta_version"])
        # A failed attempt records the table version that it found. Put it after the commit that wrote this version.
        has_failed = row["outcome"] not in ledger_table.HELD
        table_start = table_starts[row["table_id"]]
        return row["model"], str(row["interval_start"]), table_start, version, has_failed, int(row["attempt"])

    return sorted(unique, key=position)


def latest(ordered: Iterable[Row]) -> list[Row]:
    """Return the last row of each model and interval, from rows in the order of `read_ledger`."""
    return list({(row["relation"], row["interval_start"]): row for row in ordered}.values())


def _version(value: Any) -> str:
    """Return a table's version as text: Delta's number, or the time of an Iceberg snapshot in UTC."""
    if value is None or int(value) < _FIRST_TIME:
        return _number(value)
    return f"{datetime.fromtimestamp(int(value) / 1000, timezone.utc):%Y-%m-%d %H:%M:%S}"


def _number(value: Any) -> str:
    return "" if value is None else f"{int(value):,}"


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print rows as a table. If some attempts failed, also print the command that builds the missing intervals."""
    table = Table(box=None, pad_edge=False)
    for name in ("model", "interval", "outcome"):
        table.add_column(name, no_wrap=True)
    for name in ("try", "rows in", "rows out", "quarantined", "seconds", "version"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("run", no_wrap=True)
    table.add_column("why", overflow="ellipsis", max_width=40, no_wrap=True)
    for row in rows:
        start = date.fromisoformat(str(row["interval_start"])[:10])
        style = STYLE.get(row["outcome"], "red")
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
        table.add_row(
            row["model"],
            GRAINS.get(row["grain"], GRAINS[MONTH]).show(start),
            f"[{style}]{row['outcome']}[/{style}]",
            str(row["attempt"]),
            *map(_number, (row["rows_in"], row["rows_out"], row["rows_quarantined"])),
            seconds,
            _version(row["delta_version"]),
            str(row["run_id"])[:8],
            str(row["message"]),
        )
    console.print(table)
    if failed := [row for row in rows if row["outcome"] not in ledger_table.HELD]:
        models = ", ".join(sorted({row["model"] for row in failed}))
        console.print(f"{len(failed)} built nothing ({models}): `dbt run` builds what is missing", highlight=False)
