"""What is published: the check of a tag, and the workflows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
CHANGELOG = "# Changelog\n\n## 1.2.3{date}\n\n* A change.\n\n## 1.2.2\n\n## 1.2.1\n\n* Another one.\n"


def release(root: Path, version: str, changelog: str = CHANGELOG.format(date="")) -> Path:
    """Write the files of a checkout that a release needs, and a copy of the tool."""
    for name in ("tools", "src/penstock", "changes"):
        (root / name).mkdir(parents=True)
    (root / "tools" / "release_check.py").write_text((ROOT / "tools" / "release_check.py").read_text())
    (root / "src" / "penstock" / "__init__.py").write_text(f'"""Tools."""\n\n__version__ = "{version}"\n')
    (root / "CHANGELOG.md").write_text(changelog)
    (root / "changes" / "README.md").write_text("One file for each change.\n")
    return root


def check(root: Path, *arguments: str) -> tuple[int, str]:
    """Return the exit code and the error output of the check."""
    command = [sys.executable, str(root / "tools" / "release_check.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("date", ["", " (2026-12-01)"])
def test_a_tag_with_its_version_and_its_entry_may_be_published(tmp_path: Path, date: str) -> None:
    assert check(release(tmp_path, "1.2.3", CHANGELOG.format(date=date)), "v1.2.3") == (0, "")


@pytest.mark.parametrize(
    ("version", "tag", "message"),
    [
        ("1.2.3", "1.2.3", "needed: a tag such as v1.2.3. found: 1.2.3. do: "),
        ("1.2.3", "v1.2.3rc1", "found: v1.2.3rc1. do: "),
        ("1.2.3", "v1.2.4", "needed: the tag v1.2.3, the version of src/penstock/__init__.py. found: v1.2.4. do: "),
        ("1.2.30", "v1.2.3", "needed: the tag v1.2.30"),
        ("1.2.4", "v1.2.4", "needed: an entry of 1.2.4 in CHANGELOG.md. found: none. do: run make changelog"),
        ("1.2.2", "v1.2.2", "needed: an entry of 1.2.2 in CHANGELOG.md. found: none. do: "),
    ],
)
def test_another_tag_is_refused_with_the_reason(tmp_path: Path, version: str, tag: str, message: str) -> None:
    code, text = check(release(tmp_path, version), tag)
    assert code == 1 and message in text


def test_a_change_that_is_not_in_the_changelog_is_named(tmp_path: Path) -> None:
    root = release(tmp_path, "1.2.3")
    (root / "changes" / "+wheel.fixed.md").write_text("A fix.\n")
    code, text = check(root, "v1.2.3")
    assert code == 1 and "found: changes/+wheel.fixed.md. do: run make changelog" in text


def test_without_a_tag_nothing_is_published(tmp_path: Path) -> None:
    code, text = check(release(tmp_path, "1.2.3"))
    assert code == 1 and "found: no tag" in text


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow. YAML reads its key `on` as true."""
    found: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    found["on"] = found.pop(True)
    return found


def commands(job: dict[str, Any]) -> str:
    """Return the commands of a job's steps."""
    return "\n".join(step["run"] for step in job["steps"] if "run" in step)


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)
def test_a_workflow_has_no_secret_and_calls_what_exists(path: Path) -> None:
    text, found = path.read_text(), workflow(path.name)
    assert "secrets." not in text and "password" not in text
    assert found["permissions"] == {"contents": "read"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name, job in found["jobs"].items():
        assert set(job.get("needs", [])) <= set(found["jobs"]), name
        assert job["timeout-minutes"] <= 60
        assert set(re.findall(r"\bmake ([a-z-]+)", commands(job))) <= targets
        for script in re.findall(r"\btools/\w+\.py", commands(job)):
            assert (ROOT / script).exists(), script
        for step in job["steps"]:
            assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v\d+|[0-9a-f]{40})", step.get("uses", "a/b@v1"))


def test_a_pushed_tag_is_checked_built_tested_and_then_published_without_a_password() -> None:
    found = workflow("publish.yml")
    assert found["on"] == {"push": {"tags": ["v*"]}}
    build, publish = found["jobs"]["build"], found["jobs"]["publish"]
    steps = commands(build)
    order = ["tools/release_check.py", "make dist", "tools/wheel_smoke.py"]
    assert [steps.index(word) for word in order] == sorted(steps.index(word) for word in order)
    assert publish["needs"] == ["build"] and publish["permissions"] == {"id-token": "write"}
    assert "id-token" not in str(build) and "run" not in str([step.keys() for step in publish["steps"]])
    assert publish["steps"][-1]["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert "with" not in publish["steps"][-1]
    stored, fetched = build["steps"][-1]["with"], publish["steps"][0]["with"]
    assert stored == {"name": "dist", "path": "dist", "if-no-files-found": "error"}
    assert fetched == {"name": "dist", "path": "dist"}


def test_ci_tests_the_wheel_on_every_supported_python_and_on_both_dbts() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    supported = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    matrix = workflow("ci.yml")["jobs"]["wheel"]["strategy"]["matrix"]
    assert matrix["python"] == supported
    assert {row["constraint"] for row in matrix["include"]} == {"dbt-core<1.12"}
    assert '"dbt-core>=1.11,<1.13"' in text


def test_ci_builds_the_sample_on_both_sparks() -> None:
    matrix = workflow("ci.yml")["jobs"]["build-the-sample"]["strategy"]["matrix"]
    assert [row["spark"] for row in matrix["include"]] == ["4.1", "4.2"]
