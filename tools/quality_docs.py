"""The table of quality rules, from the list in macros/quality/quality_rules.sql: `make docs-quality`.

It stands twice: in docs/quality.md, for a reader of the repository, and in a docs block of
models/quality.md, which the quality models' descriptions show in `dbt docs`. The list is read by
Jinja alone, as dbt reads it, so that no server is started.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "unit")]

from macro_values import macros  # noqa: E402

PAGE, BLOCK = ROOT / "docs" / "quality.md", ROOT / "models" / "quality.md"
TABLE = re.compile(r"(<!-- rules -->\n).*?(<!-- end -->)", re.DOTALL)
COLUMNS = ("rule", "what happens", "services", "it fires when", "condition", "warns above", "fails above")
HAPPENS = {"error": "quarantined", "warn": "flagged"}


def percent(share: float) -> str:
    """A share as a person reads it: 0.005 is 0.5 %."""
    return f"{100 * share:g} %"


def limit(given: Any) -> str:
    """A limit of the list: one share, shares by service, or none."""
    if isinstance(given, dict):
        return ", ".join(f"{service} {percent(share)}" for service, share in given.items())
    return "" if given is None else percent(given)


def table(rules: list[dict[str, Any]]) -> str:
    """The rules as a Markdown table, in the list's order."""
    lines = [COLUMNS, ("---",) * len(COLUMNS)]
    for rule in rules:
        lines.append(
            (
                f"`{rule['name']}`",
                HAPPENS[rule["severity"]],
                ", ".join(rule["services"]),
                rule["description"],
                f"`{rule['condition']}`",
                limit(rule.get("warn_above")),
                limit(rule.get("error_above")),
            )
        )
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def texts() -> dict[Path, str]:
    """What both files have to say, by path."""
    rules = table(macros()("quality_rules()"))
    words = "The rules, from `macros/quality/quality_rules.sql`; how they work: `docs/quality.md`."
    return {
        PAGE: TABLE.sub(lambda found: found[1] + rules + found[2], PAGE.read_text()),
        BLOCK: f"{{% docs quality %}}\n{words}\n\n{rules}{{% enddocs %}}\n",
    }


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text)
