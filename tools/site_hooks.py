"""Hooks of the documentation site (mkdocs.yml): its version, its home page, and links to files outside docs/."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
BRANCH = "main"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Show the version in the header, and link to the repository if its address is set."""
    found = VERSION.search((ROOT / "src" / "penstock" / "__init__.py").read_text())
    config.site_name = f"penstock {found[1]}" if found else config.site_name
    if repository := _repository(config):
        config.extra["social"] = [{"icon": "material/source-repository", "link": repository, "name": "Repository"}]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add README.md as the home page."""
    text = (ROOT / "README.md").read_text()
    files.append(File.generated(config, "index.md", content=re.sub(r"(?<=\]\()docs/", "", text)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links outside docs/ to the repository, and give the page its edit link."""
    repository = _repository(config)
    folder = "" if page.file.src_uri == "index.md" else posixpath.dirname(f"docs/{page.file.src_uri}")
    if repository:
        source = "README.md" if page.file.src_uri == "index.md" else f"docs/{page.file.src_uri}"
        page.edit_url = f"{repository}/edit/{BRANCH}/{source}"

    def outside(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, match["path"]))
        is_outside = not path.startswith("docs/") and not _is_site_page(path, folder, files)
        if "://" in match["path"] or not is_outside or not (ROOT / path).exists():
            return match[0]
        address = f"{repository}/blob/{BRANCH}/{path}{match['anchor'] or ''}"
        return f"[{match['text']}]({address})" if repository else match["text"]

    return LINK.sub(outside, markdown)


def _is_site_page(path: str, folder: str, files: Files) -> bool:
    """Return whether a link of the home page leads to a file of the site."""
    return not folder and files.get_file_from_path(path) is not None


def _repository(config: MkDocsConfig) -> str:
    return str(config.extra.get("repository") or "").rstrip("/")
