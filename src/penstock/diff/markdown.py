"""Show a comparison as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.diff import wording
from penstock.diff.results import DIFFERENT, Diff, TableDiff
from penstock.diff.row_changes import ADDED, REMOVED

# Maximum length of the text. GitHub refuses comments of more than 65,536 characters.
MAX_CHARACTERS = 60_000


def text(diff: Diff) -> str:
    """Return a comparison as Markdown. Details that would make the text too long for a comment are left out."""
    sample = f" ({diff.sample:.3%} of the keys)" if diff.sample < 1 else ""
    parts = ["\n".join([f"### penstock diff: {diff.before} → {diff.after}{sample}", "", *_summary(diff)])]
    length, left_out = len(parts[0]), []
    for table in diff.tables:
        if table.status == DIFFERENT or table.plan_changes:
            details = "\n".join(_details(table))
            length += len(details) + 2
            if length > MAX_CHARACTERS:
                left_out.append(table.name)
            else:
                parts.append(details)
    if left_out:
        parts.append(f"Details left out: {', '.join(left_out)}.")
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    marks = ["---:" if place in right else "---" for place in range(len(heads))]
    return [f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows)]


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _summary(diff: Diff) -> list[str]:
    rows = []
    for table in diff.tables:
        result = "; ".join(filter(None, (wording.changes(table), wording.skipped(table))))
        rows.append((f"`{table.name}`", *wording.rows(table), _cell(result)))
    return _table(("table", "rows before", "rows after", "differences"), rows, (1, 2))


def _details(table: TableDiff) -> Iterator[str]:
    yield f"<details><summary>{_cell(table.name)}: {_cell(wording.changes(table))}</summary>"
    yield ""
    yield from (f"- {_cell(line)}" for line in wording.facts(table))
    if rows := list(_change_rows(table)):
        yield ""
        yield from _table(("column", "rows", "key", "before", "after"), rows, (1,))
    for kind, count in ((ADDED, table.changes.added), (REMOVED, table.changes.removed)):
        if count:
            yield ""
            yield f"{wording.rows_of(count)} {kind}:"
            yield ""
            yield from (f"- {_cell(wording.key(table, item))}" for item in table.changes.examples.get(kind, ()))
    if table.drifted:
        yield ""
        yield from _table(("column", "", "before", "after", "difference"), list(_drift_rows(table)), (2, 3, 4))
    yield ""
    yield "</details>"


def _change_rows(table: TableDiff) -> Iterator[tuple[str, ...]]:
    for name, count in table.changes.columns.items():
        examples = table.changes.examples.get(name, [])
        for place, item in enumerate(examples):
            first = (_cell(name), f"{count:,}") if place == 0 else ("", "")
            values = (wording.key(table, item), wording.value(item.before), wording.value(item.after))
            yield (*first, *map(_cell, values))
        if not examples:
            yield (_cell(name), f"{count:,}", "", "", "")


def _drift_rows(table: TableDiff) -> Iterator[tuple[str, ...]]:
    for name in table.drifted:
        before, after = table.figures[name]
        if before.total is not None or after.total is not None:
            totals = (wording.number(before.total), wording.number(after.total), wording.difference(before, after))
            yield (_cell(name), "sum", *totals)
            yield (_cell(name), "mean", wording.mean(before), wording.mean(after), "")
        if before.nulls or after.nulls:
            nulls = (f"{before.nulls:,}", f"{after.nulls:,}", f"{after.nulls - before.nulls:+,}")
            yield (_cell(name), "nulls", *nulls)
