"""Which Java is taken, and what is said when none fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import PenstockError
from penstock.spark import java


def install(folder: Path, version: str, *, release: bool = True) -> Path:
    """A folder that looks like a Java: with a `release` file, or with a program that answers."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    program.chmod(0o755)
    if release:
        (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No Java but those a test installs."""
    java.inspect.cache_clear()
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(java, "USUAL_FOLDERS", (f"{tmp_path}/jvm/*",))


@pytest.mark.parametrize(
    ("text", "number"), [("17.0.15", 17), ("21", 21), ("25.0.1", 25), ("1.8.0_402", 8), ("24-ea", 24)]
)
@pytest.mark.parametrize("release", [True, False])
def test_versions_are_read(tmp_path: Path, text: str, number: int, release: bool) -> None:
    """From the `release` file, or from the program's own word."""
    found = java.inspect(install(tmp_path / "java", text, release=release))
    assert found is not None
    assert (found.version, found.build) == (number, text)


def test_a_newer_default_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """JAVA_HOME and PATH are too new; the usual folders hold one that fits."""
    new = install(tmp_path / "new", "25.0.1")
    monkeypatch.setenv("JAVA_HOME", str(new))
    monkeypatch.setenv("PATH", str(new / "bin"))
    install(tmp_path / "jvm" / "a-25", "25.0.1")
    fits = install(tmp_path / "jvm" / "b-17", "17.0.15")
    assert java.find().home == fits


def test_java_home_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's choice stands before PATH."""
    monkeypatch.setenv("JAVA_HOME", str(install(tmp_path / "mine", "21.0.2")))
    monkeypatch.setenv("PATH", str(install(tmp_path / "other", "17.0.1") / "bin"))
    assert java.find().version == 21


def test_none_at_all_names_the_install_commands() -> None:
    """Debian's and macOS's command stand in the message."""
    with pytest.raises(PenstockError) as caught:
        java.find()
    assert "no Java at all" in caught.value.found
    assert "apt-get install openjdk-17" in caught.value.do
    assert "brew install openjdk@17" in caught.value.do


def test_only_a_new_one_is_named(tmp_path: Path) -> None:
    """What was found and passed over is told."""
    install(tmp_path / "jvm" / "only", "25.0.1")
    with pytest.raises(PenstockError, match=r"Java 25\.0\.1"):
        java.find()


def test_a_configured_java_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    """No other is taken in its place."""
    install(tmp_path / "jvm" / "good", "17.0.1")
    with pytest.raises(PenstockError, match="no Java there"):
        java.find(str(tmp_path / "nowhere"))
