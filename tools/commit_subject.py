"""Check the subject of a commit: one line of at most 72 characters that begins with a capital and ends without a dot.

usage: tools/commit_subject.py FILE    (git's hook commit-msg passes the file with the message)
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

LONGEST = 72
# git itself writes these subjects, or replaces them when it squashes commits.
GITS_OWN = re.compile(r"(Merge|Revert|fixup!|squash!|amend!)\s")


def problem(message: str) -> str | None:
    """Return a three-part error message about the subject of a commit message, or None if the subject is valid."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    needed = f"a subject of 1 to {LONGEST} characters, a capital first and no dot at the end, then an empty line"
    if GITS_OWN.match(subject):
        return None
    if not subject.strip():
        found = "no subject"
    elif len(subject) > LONGEST:
        found = f"{len(subject)} characters: {subject}"
    elif not re.match(r"[A-Z0-9`]", subject) or subject.endswith("."):
        found = subject
    elif len(lines) > 1 and lines[1].strip():
        found = f"text in the second line: {lines[1]}"
    else:
        return None
    return f"needed: {needed}. found: {found}. do: shorten or correct it, and tell the reasons in the body"


if __name__ == "__main__":
    sys.exit(problem(Path(sys.argv[1]).read_text()))
