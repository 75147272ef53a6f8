"""The entries of the troubleshooting page, which the package contains, and the search for the entry of a message."""

from __future__ import annotations

import difflib
import posixpath
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path

FILE = "troubleshooting.md"
FOLDER = "how-to"
HEADING = re.compile(r"^(##|###) (.+)\n", re.MULTILINE)
QUOTED = re.compile(r"^```text\n(.+?)\n```$", re.MULTILINE | re.DOTALL)
PARTS = re.compile(r"(?:^|\. |\b)(?:needed|found|do): |…")
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
CONDITION = re.compile(r"\b[A-Z]+(?:_[A-Z0-9]+)+\b")
MARKED_CONDITION = re.compile(rf"`({CONDITION.pattern})`|\[({CONDITION.pattern})\]")
# An error condition in Spark's message: `[UNRESOLVED_COLUMN.WITH_SUGGESTION]`.
RAISED_CONDITION = re.compile(r"\[([A-Z]\w+)(?:\.\w+)?\]")
POINTER = re.compile(r"penstock help ([\w-]+)")


@dataclass(frozen=True)
class Entry:
    """An entry of the troubleshooting page.

    Attributes:
        section: the heading of the page's section.
        title: the heading of the entry.
        text: the markdown below the heading.
    """

    section: str
    title: str
    text: str

    @cached_property
    def anchor(self) -> str:
        """The anchor of the heading on the documentation site."""
        return slug(self.title)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What to type after `penstock help`: the error conditions of the heading, or its anchor if it has none."""
        return tuple(CONDITION.findall(self.title)) or (self.anchor,)

    @cached_property
    def conditions(self) -> frozenset[str]:
        """The error conditions of Spark and Delta in the heading and the text."""
        marked = {one or other for one, other in MARKED_CONDITION.findall(self.text)}
        return frozenset(marked | set(CONDITION.findall(self.title)))

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """The messages that the entry quotes. In a message, `…` means any text."""
        return tuple(QUOTED.findall(self.text))

    @cached_property
    def quotes_penstock(self) -> bool:
        """Whether the quoted messages are penstock's own, and not Spark's."""
        return any(PARTS.match(message) for message in self.messages)

    @cached_property
    def fragments(self) -> tuple[tuple[str, ...], ...]:
        """The fixed texts of each quoted message, in order. A heading without error conditions counts as a message."""
        title = [] if CONDITION.search(self.title) else [(self.title,)]
        return (*title, *(fragments(message) for message in self.messages))

    def matched_length(self, message: str) -> int:
        """Return the length of the longest quoted message that a message contains; 0 if the message contains none."""
        return max((sum(map(len, texts)) for texts in self.fragments if _contains(message, texts)), default=0)


def slug(title: str) -> str:
    """Return the anchor that the documentation site gives a heading."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def fragments(message: str) -> tuple[str, ...]:
    """Return the fixed texts of a quoted message, without the labels `needed`, `found` and `do`, and without `…`."""
    return tuple(text for part in PARTS.split(message) if (text := part.strip(" .\n")))


def _contains(message: str, texts: tuple[str, ...]) -> bool:
    """Return whether a message contains all texts in their order."""
    position = 0
    for text in texts:
        found = message.find(text, position)
        if found < 0:
            return False
        position = found + len(text)
    return bool(texts)


def read_page() -> str:
    """Return the markdown of the page: the package's copy or, in a clone of the repository, the page itself."""
    shipped = resources.files("penstock").joinpath(FILE)
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    return (Path(__file__).resolve().parents[2] / "docs" / FOLDER / FILE).read_text(encoding="utf-8")


@lru_cache
def entries() -> tuple[Entry, ...]:
    """Return all entries, in the order of the page."""
    return tuple(_split(read_page()))


def _split(page: str) -> Iterator[Entry]:
    section = ""
    _, *parts = HEADING.split(page)
    for level, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if level == "##":
            section = title
        else:
            yield Entry(section, title, text.strip())


def find(query: str) -> list[Entry]:
    """Return the entries that a query means, the likeliest first.

    Args:
        query: the anchor of an entry, an error condition, a whole message, or some words.
    """
    query = " ".join(query.split())
    pointer = POINTER.search(query)
    name = slug(pointer[1] if pointer else query)
    if same := [entry for entry in entries() if name in (entry.anchor, *map(slug, entry.names))]:
        return same
    if quoting := _quoting(query, entries()):
        return [quoting]
    conditions = set(CONDITION.findall(query.upper()))
    if named := [entry for entry in entries() if conditions & entry.conditions]:
        return named
    words = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in re.findall(r"[\w']+", query)]
    in_title = [entry for entry in entries() if _has_words(entry.title, words)]
    return in_title or [entry for entry in entries() if _has_words(f"{entry.title}\n{entry.text}", words)]


def _has_words(text: str, words: list[re.Pattern[str]]) -> bool:
    return bool(words) and all(word.search(text) for word in words)


def _quoting(message: str, among: tuple[Entry, ...]) -> Entry | None:
    """Return the entry with the longest quoted message that a message contains."""
    lengths = [(entry.matched_length(message), entry) for entry in among]
    length, entry = max(lengths, key=lambda item: item[0], default=(0, None))
    return entry if length else None


def similar(query: str) -> list[str]:
    """Return names of entries that resemble a query, the most similar first."""
    names = {name.lower(): name for entry in entries() for name in entry.names}
    return [names[name] for name in difflib.get_close_matches(slug(query), names, 3, 0.5)]


def name_for_spark(message: str) -> str:
    """Return the name of the entry for an error message of Spark; empty if the page has none."""
    known = {condition for entry in entries() for condition in entry.conditions}
    for condition in RAISED_CONDITION.findall(message):
        if condition in known:
            return str(condition)
    entry = _quoting(message, tuple(entry for entry in entries() if not entry.quotes_penstock))
    return entry.names[0] if entry else ""


def as_plain_text(entry: Entry, width: int) -> str:
    """Return an entry as text for a terminal: paragraphs wrapped, quoted messages indented, links as names of pages."""
    lines = [entry.title, ""]
    for part in re.split(r"\n\n", LINK.sub(_page_of_link, entry.text)):
        quoted = QUOTED.fullmatch(part)
        lines += [f"    {line}" for line in quoted[1].splitlines()] if quoted else _wrap(part, width)
        lines.append("")
    return "\n".join(lines).rstrip()


def _wrap(paragraph: str, width: int) -> list[str]:
    return textwrap.wrap(" ".join(paragraph.split()), width, break_long_words=False, break_on_hyphens=False)


def _page_of_link(link: re.Match[str]) -> str:
    target = link[2].partition("#")[0].removesuffix(".md")
    page = posixpath.normpath(posixpath.join(FOLDER, target)) if target else ""
    return f"{link[1]} (page {page} of the documentation)" if page else link[1]
