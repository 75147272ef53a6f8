"""The error type for every problem that a user can solve.

Its message has three parts: what was needed, what was found, and what to do next.
"""

from __future__ import annotations

import json


def render(needed: str, found: str, do: str) -> str:
    """Return the three parts of an error message as one line."""
    return f"needed: {needed}. found: {found}. do: {do}"


class PenstockError(Exception):
    """A problem that the user can solve. Commands show it without a stack trace.

    Args:
        needed: what the command requires.
        found: what it found instead.
        do: what to type or change next.

    Attributes:
        exit_code: the exit code of the program `penstock` after this error.
    """

    exit_code = 1

    def __init__(self, needed: str, found: str, do: str) -> None:
        self.needed, self.found, self.do = needed, found, do
        super().__init__(render(needed, found, do))

    def to_json(self) -> str:
        """Return the three parts as a JSON object, which another process can read with `from_json`."""
        return json.dumps({"needed": self.needed, "found": self.found, "do": self.do})

    @classmethod
    def from_json(cls, text: str) -> PenstockError:
        """Return the error that `to_json` wrote as JSON.

        Raises:
            ValueError: the text is not a JSON object with exactly these three parts.
        """
        parts = json.loads(text)
        if not isinstance(parts, dict) or set(parts) != {"needed", "found", "do"}:
            raise ValueError("not an error with needed, found and do")
        return cls(**parts)
