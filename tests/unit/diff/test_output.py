"""The result in the terminal and as Markdown: readable in 80 columns, money to the cent."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal

from rich.console import Console

from penstock.diff import markdown, terminal
from penstock.diff.checksums import Figures
from penstock.diff.columns import SchemaChanges
from penstock.diff.keys import Key
from penstock.diff.multisets import DuplicateKeys
from penstock.diff.results import DIFFERENT, EQUAL, NEW, NOT_BUILT, Diff, TableDiff
from penstock.diff.row_changes import ADDED, REMOVED, Example, RowChanges

REVENUE = TableDiff(
    "revenue",
    "spark_catalog.prod.revenue",
    "spark_catalog.dev.revenue",
    DIFFERENT,
    SchemaChanges((("tips", "decimal(10,2)"),), (), (("zone", "int", "bigint"),)),
    Key(("zone", "day"), "unique_key"),
    rows=(1_234_567, 1_234_568),
    changes=RowChanges(
        added=1,
        changed=2,
        columns={"amount": 2},
        examples={
            ADDED: [Example(("7", "2024-01-01"))],
            "amount": [Example(("1", None), "10.10", "10.11"), Example(("2", "a|b"), None, "1.00")],
        },
    ),
    figures={
        "amount": (Figures(1_234_567, 1, Decimal("12345678.90")), Figures(1_234_568, 0, Decimal("12345678.00"))),
        "name": (Figures(1_234_567, 1), Figures(1_234_568, 1)),
    },
    columns=("zone", "day", "amount", "name"),
    skipped="2024-01..2024-03",
    skipped_count=3,
    skipped_rows=10,
    plan_changes=("join of trips and zones: sort-merge join → no join",),
)
SAME = TableDiff("trips", status=EQUAL, rows=(5, 5))
FRESH = TableDiff("fresh", status=NEW, rows=(0, 3))
UNBUILT = TableDiff("zones", status=NOT_BUILT)
DIFF = Diff("target prod", "target dev", [REVENUE, SAME, FRESH, UNBUILT])


def shown(diff: Diff) -> str:
    file = io.StringIO()
    terminal.show(Console(file=file, width=80, highlight=False), diff)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def test_the_terminal() -> None:
    assert (
        shown(DIFF)
        == """\
target prod → target dev
table    rows before  rows after  differences
revenue    1,234,577   1,234,578  1 added, 2 changed, 2 columns; 3 months equal
                                  by input and code, 10 rows
trips              5           5  equal
fresh              0           3  new table with 3 rows
zones                             not built here

revenue  spark_catalog.prod.revenue → spark_catalog.dev.revenue
  key: zone, day (unique_key)
  3 months equal by input and code, 10 rows: 2024-01..2024-03
  column added: tips decimal(10,2)
  column retyped: zone int → bigint
  plan: join of trips and zones: sort-merge join → no join
  1 row added
    zone=7, day=2024-01-01
  amount: 2 rows changed
    zone=1, day=NULL: 10.10 → 10.11
    zone=2, day=a|b: NULL → 1.00
  column                before          after  difference
  amount  sum    12,345,678.90  12,345,678.00       -0.90
          mean         10.0000        10.0000
          nulls              1              0          -1"""
    )


def test_markdown() -> None:
    text = markdown.text(DIFF)
    assert "| `revenue` | 1,234,577 | 1,234,578 | 1 added, 2 changed, 2 columns; 3 months equal" in text
    assert "| `zones` |  |  | not built here |" in text
    assert "| amount | 2 | zone=1, day=NULL | 10.10 | 10.11 |\n|  |  | zone=2, day=a\\|b | NULL | 1.00 |" in text
    assert "| amount | sum | 12,345,678.90 | 12,345,678.00 | -0.90 |" in text
    assert text.count("<details>") == text.count("</details>") == 1


def test_markdown_fits_into_a_comment() -> None:
    """GitHub refuses long comments: details are left out, and named."""
    wide = replace(REVENUE, changes=replace(REVENUE.changes, examples={
        "amount": [Example(("x" * 50, "y" * 50), "before", "after")] * 100,
    }))  # fmt: skip
    text = markdown.text(Diff("a", "b", [replace(wide, name=f"t{place}") for place in range(10)]))
    assert len(text) < 65_536
    assert "Details left out: t" in text


def test_duplicate_keys_are_named() -> None:
    duplicates = DuplicateKeys((0, 1), (0, 2), (Example(("7", None), times=2),))
    changes = RowChanges(added=3, examples={ADDED: [Example(("7", None, "1.00", "x"), times=3)], REMOVED: []})
    table = replace(REVENUE, duplicates=duplicates, changes=changes, note="the key is not unique", figures={})
    text = shown(Diff("a", "b", [table]))
    assert "  the key is not unique\n  duplicate key zone=7, day=NULL: 2 rows\n" in text
    assert "    zone=7, day=NULL, amount=1.00, name=x (3 times)" in text
    assert "- zone=7, day=NULL, amount=1.00, name=x (3 times)" in markdown.text(Diff("a", "b", [table]))


def test_a_long_value_is_cut() -> None:
    changes = replace(REVENUE.changes, examples={"amount": [Example(("1", "2"), "x" * 500, "line\nline")]})
    assert f"{'x' * 59}… → line⏎line" in shown(Diff("a", "b", [replace(REVENUE, changes=changes)]))
