"""The project's macros without dbt and without Spark: the value of a Jinja expression.

dbt's `return`, `exceptions`, `var`, `log` and `adapter` are stood in for; everything else is plain
Jinja, as in dbt.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dbt_jinja import environment

PROJECT = Path(__file__).resolve().parents[2]


def macros(**context: Any) -> Callable[[str], Any]:
    """A function from a Jinja expression to the value it has with the project's macros.

    Args:
        context: what dbt would hold beside them, as `execute` and `adapter`.
    """
    dbt = environment()
    dbt.globals["target"] = SimpleNamespace(schema="warehouse")
    dbt.globals.update(context)
    text = "\n".join(path.read_text() for path in sorted((PROJECT / "macros").rglob("*.sql")))

    def value(expression: str) -> Any:
        found: list[Any] = []
        dbt.from_string(text + "{% do keep(" + expression + ") %}").render(keep=found.append)
        return found[0]

    return value
