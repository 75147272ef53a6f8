"""What is checked of a commit: its subject, and hooks that take every program from the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BODY = "\n\nWhy it is so.\n"


def check(message: str, folder: Path) -> tuple[int, str]:
    """Return the exit code and the output of the check of a message."""
    path = folder / "message"
    path.write_text(message)
    command = [sys.executable, str(ROOT / "tools" / "commit_subject.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "Cache DESCRIBE results of unit-test inputs",
        "A" * 72 + BODY,
        "# a comment of git\nFix the port\n# another one",
        "Merge branch 'of a name that is so long that the subject has more than seventy-two characters'",
        "fixup! lower case",
    ],
)
def test_a_good_subject_passes(message: str, tmp_path: Path) -> None:
    assert check(message, tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("A" * 73 + BODY, "found: 73 characters"),
        ("", "found: no subject"),
        ("\n\nA body alone", "found: no subject"),
        ("fix the port", "found: fix the port. do: "),
        ("Fix the port." + BODY, "found: Fix the port.. do: "),
        ("Fix the port\nand more", "found: text in the second line: and more"),
    ],
)
def test_another_subject_is_refused_with_what_was_found(message: str, found: str, tmp_path: Path) -> None:
    code, text = check(message, tmp_path)
    assert code == 1
    assert text.startswith("needed: ") and found in text


def test_no_hook_downloads_anything() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repository["repo"] for repository in repositories} == {"local"}
    for hook in repositories[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/"), hook["id"]


def test_the_fragments_of_the_changelog_are_understood() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "1.2.3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    fragments = [path for path in (ROOT / "changes").iterdir() if path.name != "README.md"]
    for fragment in fragments:
        assert fragment.read_text().split("\n")[0] in done.stdout, fragment
