"""Evaluate the project's macros without dbt and without Spark.

dbt's `return` and `exceptions` are imitated. Callers pass `var`, `log`, `adapter` and other names as context.
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
    """Return the compiled text of all the project's macros."""
    text = "\n".join(path.read_text() for path in sorted((PROJECT / "macros").rglob("*.sql")))
    return environment().compile(text)


def macros(**context: Any) -> Callable[[str], Any]:
    """Return a function that evaluates a Jinja expression with the project's macros.

    Args:
        context: values of names in dbt's context, for example `execute` and `adapter`.
    """
    dbt = environment()
    dbt.globals["target"] = SimpleNamespace(schema="warehouse")
    dbt.globals.update(context)
    module = vars(Template.from_code(dbt, compiled(), dbt.make_globals(None)).make_module())

    def value(expression: str) -> Any:
        return dbt.compile_expression(expression, undefined_to_none=False)(**module)

    return value
