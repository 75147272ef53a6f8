"""The documentation site: built strictly, without the network, with a version and links to the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import penstock

ROOT = Path(__file__).resolve().parents[2]
MKDOCS = Path(sys.executable).parent / "mkdocs"
REPOSITORY = "https://code.example/penstock"
# What a browser loads by itself. Links that a reader follows may lead to other hosts.
LOADED = re.compile(r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=\"?(https?:|//)|@import|url\(\"?(https?:|//)")
LINKED = re.compile(r"<link\b[^>]*>")
EXTERNAL = re.compile(r"href=\"?(https?:|//)")


def build(folder: Path, **environment: str) -> str:
    """Build the site into a folder, and return what mkdocs printed."""
    done = subprocess.run(
        [MKDOCS, "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as someone builds it who set no address."""
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as the workflow builds it."""
    folder = tmp_path_factory.mktemp("published")
    build(folder, PENSTOCK_REPOSITORY_URL=REPOSITORY)
    return folder


def test_no_page_loads_anything_from_another_host(published: Path) -> None:
    pages = sorted(published.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        text = page.read_text()
        assert not LOADED.search(text), page
        assert not [link for link in LINKED.findall(text) if EXTERNAL.search(link)], page
    for style in published.rglob("*.css"):
        assert not LOADED.search(style.read_text()), style


def test_the_header_has_the_version(site: Path) -> None:
    for page in (site / "index.html", site / "reference" / "settings" / "index.html"):
        header = re.search(r"<header.*?</header>", page.read_text(), re.DOTALL)
        assert header and f"penstock {penstock.__version__}" in header[0]


def test_a_page_links_to_its_own_source(published: Path) -> None:
    for page, source in (("index.html", "README.md"), ("how-to/stores/index.html", "docs/how-to/stores.md")):
        assert f"{REPOSITORY}/edit/main/{source}" in (published / page).read_text()
        assert (ROOT / source).exists()


def test_a_link_to_a_file_outside_the_site_leads_to_the_repository(site: Path, published: Path) -> None:
    page = "how-to/scheduling/index.html"
    assert f"{REPOSITORY}/blob/main/orchestration/cron/penstock" in (published / page).read_text()
    text = (site / page).read_text()
    assert "orchestration/cron/penstock" in text, "the text of the link remains"
    assert "../orchestration" not in text and "/blob/" not in text


def test_the_home_page_is_the_readme(site: Path) -> None:
    """Its links and its picture lead to files of the site."""
    text = (site / "index.html").read_text()
    main = re.search(r"<article.*?</article>", text, re.DOTALL)
    assert main
    targets = re.findall(r'(?:href|src)="?([^" >]+)', main[0])
    local = [target for target in targets if "://" not in target and not target.startswith("#")]
    assert len(local) > 10
    for target in local:
        assert (site / target.partition("#")[0]).exists(), target


def test_a_link_that_leads_nowhere_fails(tmp_path: Path) -> None:
    """A copy of the pages with one wrong link is not built."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Page\n\n[wrong](nowhere.md)\n")
    settings = (ROOT / "mkdocs.yml").read_text()
    head = settings.partition("hooks:")[0]
    validation = settings.partition("\nvalidation:")[2].partition("\n\n")[0]
    (tmp_path / "mkdocs.yml").write_text(f"{head}strict: true\nvalidation:{validation}\n")
    done = subprocess.run([MKDOCS, "build"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "nowhere.md" in done.stdout + done.stderr
