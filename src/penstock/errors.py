"""The one error type for problems that a user can solve: what was needed, what was found, what to do next."""

from __future__ import annotations

import json


def render(needed: str, found: str, do: str) -> str:
    """Return the three parts of an error message as one line."""
    return f"needed: {needed}. found: {found}. do: {do}"


class PenstockError(Exception):
    """A mistake or fault that the user can act on; shown without a stack trace.

    Args:
        needed: what the command requires.
        found: what it found instead.
        do: what to type or change next.
    """

    def __init__(self, needed: str, found: str, do: str) -> None:
        self.needed, self.found, self.do = needed, found, do
        super().__init__(render(needed, found, do))

    def to_json(self) -> str:
        """Return the three parts as a JSON object, for another process."""
        return json.dumps({"needed": self.needed, "found": self.found, "do": self.do})

    @classmethod
    def from_json(cls, text: str) -> PenstockError:
        """Return the error that `to_json` wrote.

        Raises:
            ValueError: the text is not such an object.
        """
        parts = json.loads(text)
        if not isinstance(parts, dict) or set(parts) != {"needed", "found", "do"}:
            raise ValueError("not an error with needed, found and do")
        return cls(**parts)
