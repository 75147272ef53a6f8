"""Jinja with dbt's additions `return`, `exceptions` and `do`, to render macros without dbt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NoReturn

from jinja2.runtime import Context, Macro
from jinja2.sandbox import SandboxedEnvironment


class Returned(Exception):
    """Raised by dbt's `return`. The enclosing macro call catches it."""

    def __init__(self, value: Any) -> None:
        self.value = value


class CompilationError(Exception):
    """Raised by `exceptions.raise_compiler_error`."""


class DbtLike(SandboxedEnvironment):
    """A Jinja environment whose macros return values in the same way as dbt's."""

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


def environment() -> DbtLike:
    """Return an environment whose macros return values and raise errors in the same way as dbt's."""
    made = DbtLike(extensions=["jinja2.ext.do"])
    made.globals["return"] = _return
    made.globals["exceptions"] = SimpleNamespace(raise_compiler_error=_refuse)
    return made
