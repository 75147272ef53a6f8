"""The choice of a Java, and the errors when none is supported."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import PenstockError
from penstock.spark import java


def install(folder: Path, version: str, *, release: bool = True) -> Path:
    """Create a folder that looks like a Java: with a `release` file, or a program that prints its version."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    program.chmod(0o755)
    if release:
        (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide all Java installations but those of the test."""
    java.inspect.cache_clear()
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(java, "USUAL_FOLDERS", (f"{tmp_path}/jvm/*",))


@pytest.mark.parametrize(
    ("text", "number"), [("17.0.15", 17), ("21", 21), ("25.0.1", 25), ("1.8.0_402", 8), ("24-ea", 24)]
)
@pytest.mark.parametrize("release", [True, False])
def test_versions_are_read(tmp_path: Path, text: str, number: int, release: bool) -> None:
    """From the `release` file, or from the program's output."""
    found = java.inspect(install(tmp_path / "java", text, release=release))
    assert found is not None
    assert (found.version, found.build) == (number, text)


def test_a_newer_default_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """JAVA_HOME and PATH are too new; one of the usual folders has a supported Java."""
    new = install(tmp_path / "new", "25.0.1")
    monkeypatch.setenv("JAVA_HOME", str(new))
    monkeypatch.setenv("PATH", str(new / "bin"))
    install(tmp_path / "jvm" / "a-25", "25.0.1")
    fits = install(tmp_path / "jvm" / "b-17", "17.0.15")
    assert java.find().home == fits


def test_java_home_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has precedence over PATH."""
    monkeypatch.setenv("JAVA_HOME", str(install(tmp_path / "mine", "21.0.2")))
    monkeypatch.setenv("PATH", str(install(tmp_path / "other", "17.0.1") / "bin"))
    assert java.find().version == 21


def test_without_java_the_error_has_the_install_commands() -> None:
    """Of Debian and of macOS."""
    with pytest.raises(PenstockError) as caught:
        java.find()
    assert "no Java at all" in caught.value.found
    assert "apt-get install openjdk-17" in caught.value.do
    assert "brew install openjdk@17" in caught.value.do


def test_an_unsupported_java_is_named(tmp_path: Path) -> None:
    """The error lists the versions that were skipped."""
    install(tmp_path / "jvm" / "only", "25.0.1")
    with pytest.raises(PenstockError, match=r"Java 25\.0\.1"):
        java.find()


def test_an_unsupported_configured_java_is_an_error(tmp_path: Path) -> None:
    """No other Java replaces it."""
    install(tmp_path / "jvm" / "good", "17.0.1")
    with pytest.raises(PenstockError, match="no Java there"):
        java.find(str(tmp_path / "nowhere"))
