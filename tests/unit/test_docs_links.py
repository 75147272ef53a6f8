"""Links and paths in the documentation lead somewhere, and a page is short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.name != "template.md"]  # its links are placeholders
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# In backticks: a path below one of the repository's folders of code.
PATH = re.compile(r"`((?:src|tests|macros|models|python_models|tools|bench|orchestration)/[\w./-]+)`")
# Files that a reader of the page writes.
EXAMPLES = {"python_models/zone_cards.py", "python_models/tip_model.py"}
# Two screens of prose. Code, tables and generated text don't count.
LONGEST = 900
GENERATED = re.compile(r"<!-- [^>]+ -->\n.*?<!-- end -->|<!--.*?-->", re.DOTALL)
# Its entries are looked up one at a time.
LOOKED_UP = {"troubleshooting"}


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return text.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page."""
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} in {page.name}: no such file"
        assert not anchor or anchor in anchors(target), f"{link} in {page.name}: no such heading"


# The changelog names paths of earlier versions.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.stem)
def test_a_path_of_the_repository_exists(page: Path) -> None:
    for path in PATH.findall(page.read_text()):
        assert path in EXAMPLES or (ROOT / path).exists(), f"{path} in {page.name}: no such file"


SITE = [page for page in PAGES if page.is_relative_to(ROOT / "docs") and not page.name[0].isdigit()]


@pytest.mark.parametrize("page", SITE, ids=lambda page: page.stem)
def test_a_page_begins_with_what_its_reader_can_do(page: Path) -> None:
    """Not the records of decisions, which begin with their status."""
    title, _, text = page.read_text().partition("\n\n")
    assert re.fullmatch(r"# .+", title), "a page begins with its title and an empty line"
    assert re.match(r"After this (page|tutorial|lesson),? |On this page ", text), text[:80]


@pytest.mark.parametrize("page", [page for page in SITE if page.stem not in LOOKED_UP], ids=lambda page: page.stem)
def test_a_page_is_at_most_two_screens_long(page: Path) -> None:
    text = re.sub(r"\]\([^)]*\)", "]", FENCE.sub("", GENERATED.sub("", page.read_text())))
    words = [word for line in text.splitlines() if not line.startswith("|") for word in line.split()]
    assert len(words) <= LONGEST, f"{page.name} has {len(words)} words: split it by the reader's question"


@pytest.mark.parametrize(
    ("page", "least"),
    [("architecture", 8), ("how-intervals-work", 8), ("how-the-lake-works", 4), ("how-a-server-works", 8)],
)
def test_every_module_of_a_page_about_the_code_exists(page: str, least: int) -> None:
    """`penstock.a.b` is a module, or an attribute of one."""
    text = FENCE.sub("", (ROOT / "docs" / "explanation" / f"{page}.md").read_text())
    names = set(re.findall(r"`(penstock(?:\.\w+)+)`", text)) - {"penstock.yml", "penstock.interval_sources"}
    assert len(names) >= least
    for name in names:
        path = ROOT / "src" / name.replace(".", "/")
        candidates = (path, path.with_suffix(".py"), path.parent.with_suffix(".py"))
        assert any(candidate.exists() for candidate in candidates), name


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("The lake's guarantees", "the-lakes-guarantees"),
        ("Tests that needn't be repeated", "tests-that-neednt-be-repeated"),
    ],
)
def test_an_anchor_is_made_as_github_does(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor
