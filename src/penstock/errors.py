"""The error type for every problem that a user can solve.

An error's message has three parts: what was needed, what was found, and what to do next. If the troubleshooting page
has an entry for the problem, the message ends with the command that prints this entry.
"""

from __future__ import annotations

import json


def help_command(entry: str) -> str:
    """Return the command that prints an entry of the troubleshooting page."""
    return f"penstock help {entry}"


def render(needed: str, found: str, do: str, *, entry: str = "") -> str:
    """Return the parts of an error message as one line.

    Args:
        needed: what the command requires.
        found: what it found instead.
        do: what to type or change next.
        entry: the anchor of the problem's entry in docs/how-to/troubleshooting.md; empty if it has none.
    """
    message = f"needed: {needed}. found: {found}. do: {do}"
    return f"{message}. more: {help_command(entry)}" if entry else message


class PenstockError(Exception):
    """A problem that the user can solve. Commands show it without a stack trace.

    Args:
        needed: what the command requires.
        found: what it found instead.
        do: what to type or change next.
        entry: the anchor of the problem's entry in docs/how-to/troubleshooting.md; empty if it has none.

    Attributes:
        exit_code: the exit code of the program `penstock` after this error.
    """

    exit_code = 1

    def __init__(self, needed: str, found: str, do: str, *, entry: str = "") -> None:
        self.needed, self.found, self.do, self.entry = needed, found, do, entry
        super().__init__(render(needed, found, do, entry=entry))

    def to_json(self) -> str:
        """Return the parts and the entry as a JSON object, which another process can read with `from_json`."""
        return json.dumps({"needed": self.needed, "found": self.found, "do": self.do, "entry": self.entry})

    @classmethod
    def from_json(cls, text: str) -> PenstockError:
        """Return the error that `to_json` wrote as JSON.

        Raises:
            ValueError: the text is not a JSON object with exactly these keys.
        """
        parts = json.loads(text)
        if not isinstance(parts, dict) or set(parts) != {"needed", "found", "do", "entry"}:
            raise ValueError("not an error with needed, found, do and entry")
        return cls(**parts)
