"""Write the table of quality rules from the list in macros/quality/quality_rules.sql: `make docs-quality`.

The table is in docs/reference/quality-rules.md and in a docs block of models/quality.md. The descriptions of the
quality models include this block. The list is rendered with Jinja alone, so no server starts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.project_macros import macros  # noqa: E402

PAGE, BLOCK = ROOT / "docs" / "reference" / "quality-rules.md", ROOT / "models" / "quality.md"
TABLE = re.compile(r"(<!-- rules -->\n).*?(<!-- end -->)", re.DOTALL)
COLUMNS = ("rule", "what happens", "services", "it fires when", "condition", "warns above", "fails above")
ACTIONS = {"error": "quarantined", "warn": "flagged"}


def percent(share: float) -> str:
    """Return a share as a percentage: 0.005 becomes 0.5 %."""
    return f"{100 * share:g} %"


def format_limit(limit: Any) -> str:
    """Return a limit as text: one share, shares by service, or an empty text."""
    if isinstance(limit, dict):
        return ", ".join(f"{service} {percent(share)}" for service, share in limit.items())
    return "" if limit is None else percent(limit)


def table(rules: list[dict[str, Any]]) -> str:
    """Return the rules as a Markdown table, in the list's order."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    for rule in rules:
        rows.append(
            (
                f"`{rule['name']}`",
                ACTIONS[rule["severity"]],
                ", ".join(rule["services"]),
                rule["description"],
                f"`{rule['condition']}`",
                format_limit(rule.get("warn_above")),
                format_limit(rule.get("error_above")),
            )
        )
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def render() -> dict[Path, str]:
    """Return the new text of both files, by path."""
    rules = table(macros()("quality_rules()"))
    intro = "The rules, from `macros/quality/quality_rules.sql`; how they work: `docs/how-to/quality.md`."
    return {
        PAGE: TABLE.sub(lambda match: match[1] + rules + match[2], PAGE.read_text()),
        BLOCK: f"{{% docs quality %}}\n{intro}\n\n{rules}{{% enddocs %}}\n",
    }


if __name__ == "__main__":
    for path, text in render().items():
        path.write_text(text)
