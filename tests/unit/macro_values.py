"""The project's macros without dbt and without Spark: the value of a Jinja expression.

dbt's `return`, `exceptions`, `var`, `log` and `adapter` are stood in for; everything else is plain
Jinja, as in dbt.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from jinja2.runtime import Context, Macro
from jinja2.sandbox import SandboxedEnvironment

PROJECT = Path(__file__).resolve().parents[2]


class Returned(Exception):
    """What dbt's `return` raises; the nearest macro call catches it."""

    def __init__(self, value: Any) -> None:
        self.value = value


class CompilationError(Exception):
    """What `exceptions.raise_compiler_error` raises."""


class DbtLike(SandboxedEnvironment):
    """Jinja with dbt's way of returning values from macros."""

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().call(context, obj, *args, **kwargs)
        except Returned as returned:
            if isinstance(obj, Macro):
                return returned.value
            raise


def _return(value: Any) -> NoReturn:
    raise Returned(value)


def _refuse(message: str) -> NoReturn:
    raise CompilationError(" ".join(message.split()))


def macros(**context: Any) -> Callable[[str], Any]:
    """A function from a Jinja expression to the value it has with the project's macros.

    Args:
        context: what dbt would hold beside them, as `execute` and `adapter`.
    """
    environment = DbtLike(extensions=["jinja2.ext.do"])
    environment.globals["return"] = _return
    environment.globals["exceptions"] = SimpleNamespace(raise_compiler_error=_refuse)
    environment.globals["target"] = SimpleNamespace(schema="warehouse")
    environment.globals.update(context)
    text = "\n".join(path.read_text() for path in sorted((PROJECT / "macros").rglob("*.sql")))

    def value(expression: str) -> Any:
        found: list[Any] = []
        environment.from_string(text + "{% do keep(" + expression + ") %}").render(keep=found.append)
        return found[0]

    return value
