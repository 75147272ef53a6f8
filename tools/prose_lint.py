"""Check the prose of the documentation: proselint, and the words that this project doesn't use.

usage: tools/prose_lint.py [FILE…]    (default: README.md, CONTRIBUTING.md and all pages of docs/)

Only sentences are checked: code, tables of generated results, links' targets and comments are left out.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / ".proselintrc.json"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Words of a private dialect, with the words to use instead.
VOCABULARY = {
    r"told": "shown, or who tells it",
    r"is said|are said|says it": "the message, or who says it",
    r"is asked|are asked": "requested, or who asks",
    r"(?:it|which|that|table|file|row|value)s? stands?": "is",
    r"lies (?:in|on|at|beside|below|there)": "is located",
    r"anew": "again",
    r"aside": "to another name or folder",
    r"meanwhile": "during this time",
    r"of its own|of their own": "separate, its own",
    r"the others'": "the name of the others",
    r"a word on": "the message about",
    r"gives? way": "ends, is replaced",
    r"is had|are had": "exists, has",
    r"kept plans?": "captured plan",
    r"pymodels?": "Python model",
    r"brought in": "landed",
    r"invocations?": "run",
}
PHRASES = (word.replace(" ", r"\s+") for word in VOCABULARY)
WORDS = re.compile("|".join(rf"(?P<w{number}>\b(?:{word})(?!\w))" for number, word in enumerate(PHRASES)), re.I)
# Words that are right on a page, by the page's path.
ALLOWED: dict[str, set[str]] = {}
# What isn't prose: fences, inline code, comments, targets of links, pictures, headings, rows of tables.
CODE = re.compile(
    r"^```.*?^```|<!--.*?-->|`[^`\n]*`|(?<=\])\([^)\n]*\)|!\[|^#.*?$|^\|.*?$|https?://\S+", re.MULTILINE | re.DOTALL
)


def prose(text: str) -> str:
    """Return a page's text with code as `x` and all else but prose as blanks. Lines and columns stay the same."""

    def hidden(match: re.Match[str]) -> str:
        is_word = match[0].startswith("`") and not match[0].startswith("```")
        return re.sub(r"[^\n]", "x" if is_word else " ", match[0])

    return CODE.sub(hidden, text)


def dialect(path: str, text: str) -> Iterator[str]:
    """Yield a message for each word of the vocabulary. A phrase may go over the end of a line."""
    shown = prose(text)
    for found in WORDS.finditer(shown):
        word = " ".join(found[0].split())
        if word.lower() in ALLOWED.get(path, set()):
            continue
        before = shown[: found.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        better = list(VOCABULARY.values())[int(str(found.lastgroup)[1:])]
        yield f"{path}:{line}:{column}: `{word}`; write: {better}"


def proselint(pages: Mapping[str, str]) -> list[str]:
    """Return proselint's messages about pages, given by path and text."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in pages.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(prose(text))
        program = Path(sys.executable).with_name("proselint")
        command: list[str | Path] = [program, "--config", CONFIG, "--output-format", "compact", "check", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1) or done.stderr.startswith("Traceback"):
            raise SystemExit(f"needed: a result of proselint. found: {done.stderr}. do: correct {CONFIG.name}")
        return [line.replace(f"{folder}/", "") for line in done.stdout.splitlines() if line.strip()]


def main(arguments: Sequence[str]) -> int:
    """Print all messages. Return 1 if there are any."""
    paths = [Path(argument).resolve() for argument in arguments] or PAGES
    pages = {str(path.relative_to(ROOT)): path.read_text() for path in paths}
    messages = [message for path, text in pages.items() for message in dialect(path, text)] + proselint(pages)
    print("\n".join(messages), end="\n" if messages else "")
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
