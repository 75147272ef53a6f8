"""What a package index shows of penstock: metadata, the page, and the Python versions that all places agree on."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.metadata.spec import DEFAULT_METADATA_VERSION, get_core_metadata_constructors
from hatchling.plugin.manager import PluginManager
from packaging.metadata import Metadata
from packaging.specifiers import SpecifierSet
from trove_classifiers import classifiers

from penstock import __version__
from penstock.spark import doctor

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "src" / "README.md"


@pytest.fixture(scope="module")
def metadata() -> Metadata:
    """The metadata that hatchling writes to the wheel and to the source distribution."""
    project: ProjectMetadata[Any] = ProjectMetadata(str(ROOT), PluginManager())
    project.validate_fields()
    return Metadata.from_email(get_core_metadata_constructors()[DEFAULT_METADATA_VERSION](project).encode())


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[ModuleType]:
    """tools/bootstrap.py."""
    sys.path.insert(0, str(ROOT / "tools"))
    import bootstrap

    yield bootstrap
    sys.path.remove(str(ROOT / "tools"))


def python_versions(metadata: Metadata) -> list[tuple[int, int]]:
    """Return the Python versions of the classifiers."""
    found = [
        re.fullmatch(r"Programming Language :: Python :: (\d)\.(\d+)", text) for text in metadata.classifiers or ()
    ]
    return [(int(each[1]), int(each[2])) for each in found if each]


def test_the_metadata_is_complete(metadata: Metadata) -> None:
    assert metadata.name == "dbt-penstock" and str(metadata.version) == __version__
    assert metadata.summary and metadata.author and metadata.keywords
    assert metadata.license_expression == "Apache-2.0" and metadata.license_files == ["LICENSE"]
    assert set(metadata.classifiers or ()) <= classifiers
    assert not [text for text in metadata.classifiers or () if text.startswith("License ::")]
    assert "Typing :: Typed" in (metadata.classifiers or ())
    assert (ROOT / "src" / "penstock" / "py.typed").exists()


def test_the_page_of_the_index_needs_no_file_of_the_repository(metadata: Metadata) -> None:
    """An index resolves no relative link and shows no HTML that refers to files."""
    assert metadata.description == PAGE.read_text()
    assert metadata.description_content_type == "text/markdown"
    targets = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", PAGE.read_text())
    assert not [link for pair in targets for link in pair if link and not link.startswith("https://")]
    assert 'pip install "dbt-penstock[java]"' in PAGE.read_text()


def test_each_place_names_the_same_python_versions(
    metadata: Metadata, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = python_versions(metadata)
    (_, first), (_, last) = versions[0], versions[-1]
    assert versions == [(3, minor) for minor in range(first, last + 1)]
    assert metadata.requires_python == SpecifierSet(f">=3.{first},<3.{last + 1}")
    assert (versions[0], versions[-1]) == bootstrap.SUPPORTED
    for name in ("Makefile", "README.md", "src/README.md", "docs/reference/adapter.md", "tools/bootstrap.py"):
        assert f"Python 3.{first} to 3.{last}" in (ROOT / name).read_text(), name
    for minor, level in ((first - 1, "bad"), (first, "ok"), (last, "ok"), (last + 1, "bad")):
        monkeypatch.setattr(sys, "version_info", (3, minor, 0))
        assert doctor._python().level == level
        assert level == "ok" or f"Python 3.{first} to 3.{last}" in doctor._python().do


def test_every_supported_python_is_searched_for(
    metadata: Metadata, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine whose only Pythons are named python3.N, each supported one is found."""
    monkeypatch.setattr(bootstrap.sys, "executable", "/none")
    for major, minor in python_versions(metadata):
        name = f"python{major}.{minor}"
        monkeypatch.setattr(bootstrap.shutil, "which", lambda asked, name=name: asked if asked == name else None)
        monkeypatch.setattr(bootstrap, "python_version", lambda path, found=(major, minor): found)
        assert bootstrap.find_python() == name
