"""The project's macros without dbt and without Spark: the value of a Jinja expression.

dbt's `return`, `exceptions`, `var`, `log` and `adapter` are stood in for; everything else is plain
Jinja, as in dbt.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

from jinja2 import Template

from tests.support.dbt_jinja import environment

PROJECT = Path(__file__).resolve().parents[2]


@cache
def compiled() -> CodeType:
    """All of the project's macros, read once."""
    text = "\n".join(path.read_text() for path in sorted((PROJECT / "macros").rglob("*.sql")))
    return environment().compile(text)


def macros(**context: Any) -> Callable[[str], Any]:
    """A function from a Jinja expression to the value it has with the project's macros.

    Args:
        context: what dbt would hold beside them, as `execute` and `adapter`.
    """
    dbt = environment()
    dbt.globals["target"] = SimpleNamespace(schema="warehouse")
    dbt.globals.update(context)
    module = vars(Template.from_code(dbt, compiled(), dbt.make_globals(None)).make_module())

    def value(expression: str) -> Any:
        return dbt.compile_expression(expression, undefined_to_none=False)(**module)

    return value
