"""What `penstock batches` shows of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from penstock.errors import PenstockError
from penstock.intervals import ledger_rows
from penstock.intervals.grain import GRAINS, MONTH

Row = dict[str, Any]
STYLE = {ledger_rows.BUILT: "green", ledger_rows.REMOVED: "dim"}


def rows(query: Callable[[str], Sequence[Sequence[Any]]], schema: str, models: Sequence[str]) -> list[Row]:
    """The ledger's rows, in the order of model, interval and attempt.

    Args:
        query: runs a statement.
        schema: of the ledger.
        models: names; all of them when empty.

    Raises:
        PenstockError: there is no ledger yet, or it has none of these models.
    """
    if not query(f"show tables in {schema} like '{ledger_rows.TABLE}'"):
        raise PenstockError(f"a ledger in {schema}", "none: nothing was built by interval yet", "type `dbt build`")
    names = list(ledger_rows.COLUMNS)
    found = [
        dict(zip(names, row, strict=True))
        for row in query(f"select {', '.join(names)} from {schema}.{ledger_rows.TABLE}")
    ]
    known = {row["model"] for row in found}
    if unknown := [name for name in models if name not in known]:
        raise PenstockError(
            f"models of the ledger: {', '.join(sorted(known)) or 'it is empty'}",
            ", ".join(unknown),
            "name one of those",
        )
    return _ordered(row for row in found if not models or row["model"] in models)


def _ordered(found: Iterable[Row]) -> list[Row]:
    """By model and interval; then tables in the order they were made, versions, and tries on top of a version."""
    known = list(
        {(row["batch_id"], row["relation"], row["interval_start"], row["outcome"]): row for row in found}.values()
    )
    made: dict[str, str] = {}
    for row in known:
        made[row["table_id"]] = min(made.get(row["table_id"], "9"), str(row["started_at"] or "9"))

    def place(row: Row) -> tuple[Any, ...]:
        version = -1 if row["delta_version"] is None else int(row["delta_version"])
        tried = row["outcome"] not in ledger_rows.HELD
        return row["model"], str(row["interval_start"]), made[row["table_id"]], version, tried, int(row["attempt"])

    return sorted(known, key=place)


def last(ordered: Iterable[Row]) -> list[Row]:
    """The last row of each model and interval."""
    return list({(row["relation"], row["interval_start"]): row for row in ordered}.values())


def _number(value: Any) -> str:
    return "" if value is None else f"{int(value):,}"


def show(console: Console, found: Sequence[Row]) -> None:
    """Print rows as a table, and what to type when some of them came to nothing."""
    table = Table(box=None, pad_edge=False)
    for name in ("model", "interval", "outcome"):
        table.add_column(name, no_wrap=True)
    for name in ("try", "rows in", "rows out", "quarantined", "seconds", "version"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("run", no_wrap=True)
    table.add_column("why", overflow="ellipsis", max_width=40, no_wrap=True)
    for row in found:
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
            _number(row["delta_version"]),
            str(row["run_id"])[:8],
            str(row["message"]),
        )
    console.print(table)
    if lost := [row for row in found if row["outcome"] not in ledger_rows.HELD]:
        models = ", ".join(sorted({row["model"] for row in lost}))
        console.print(f"{len(lost)} came to nothing ({models}): `dbt run` builds what is missing", highlight=False)
