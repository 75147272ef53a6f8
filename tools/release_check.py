"""Check that a tag may be published: it is the version of src/penstock, and the changelog has this version's entry.

usage: tools/release_check.py TAG    (the workflow that publishes calls it with the pushed tag)
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TAG = re.compile(r"v(\d+\.\d+\.\d+)")


def version(root: Path) -> str:
    """Return the version that src/penstock/__init__.py defines, without importing the package."""
    text = (root / "src" / "penstock" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return found[1] if found else "no __version__"


def entry(changelog: str, number: str) -> str:
    """Return the text below a version's heading in the changelog; empty if there is no such heading."""
    found = re.search(
        rf"^## {re.escape(number)}(?: \([\d-]+\))?$\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found else ""


def problem(tag: str, root: Path) -> str | None:
    """Return a three-part error message about a tag, or None if the tag may be published."""
    named = TAG.fullmatch(tag)
    if not named:
        return f"needed: a tag such as v1.2.3. found: {tag}. do: delete the tag, and push one of this form"
    number = version(root)
    if named[1] != number:
        return (
            f"needed: the tag v{number}, the version of src/penstock/__init__.py. found: {tag}. "
            "do: correct __version__ or the tag"
        )
    if not entry((root / "CHANGELOG.md").read_text(), number):
        return f"needed: an entry of {number} in CHANGELOG.md. found: none. do: run make changelog, and commit it"
    waiting = sorted(path.name for path in (root / "changes").glob("*.md") if path.name != "README.md")
    if waiting:
        return (
            f"needed: every change in CHANGELOG.md. found: changes/{', changes/'.join(waiting)}. "
            "do: run make changelog, and commit it"
        )
    return None


if __name__ == "__main__":
    sys.exit(problem(sys.argv[1] if len(sys.argv) > 1 else "no tag", ROOT))
