"""The one kind of error a user may meet: what was needed, what was found, what to do."""

from __future__ import annotations


class PenstockError(Exception):
    """A mistake or fault that the person at the keyboard can act on; shown without a stack trace.

    Args:
        needed: what the command required.
        found: what it met instead.
        do: the next thing to type or change.
    """

    def __init__(self, needed: str, found: str, do: str) -> None:
        self.needed, self.found, self.do = needed, found, do
        super().__init__(render(needed, found, do))


def render(needed: str, found: str, do: str) -> str:
    """Return the three parts of an error as one line."""
    return f"needed: {needed}. found: {found}. do: {do}"
