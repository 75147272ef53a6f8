"""tools/wheel_smoke.py: what it reads from a wheel, and what it does with a command that fails."""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
METADATA = """\
Metadata-Version: 2.4
Name: dbt-penstock
Version: 1.2.3
Requires-Dist: dbt-core<1.13,>=1.11
Requires-Dist: tomli>=2; python_version < '3.11'
Provides-Extra: s3
Requires-Dist: s3fs>=2025.3; extra == 's3'

Requires-Dist: text of the description
"""


@pytest.fixture(scope="module")
def smoke() -> Iterator[ModuleType]:
    """tools/wheel_smoke.py."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tools"))
    import wheel_smoke

    yield wheel_smoke
    sys.path[:] = before


def make_wheel(folder: Path) -> Path:
    """Write a wheel that has metadata alone."""
    path = folder / "dbt_penstock-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dbt_penstock-1.2.3.dist-info/METADATA", METADATA)
    return path


def test_the_declared_dependencies_are_those_without_an_extra(smoke: ModuleType, tmp_path: Path) -> None:
    declared = ["dbt-core<1.13,>=1.11", "tomli>=2; python_version < '3.11'"]
    assert smoke.requirements(make_wheel(tmp_path)) == declared


def test_a_file_that_is_no_wheel_is_refused(smoke: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_text("no archive")
    with pytest.raises(smoke.SmokeError, match=r"needed: a wheel\. found: .*x\.whl.*do: run make dist"):
        smoke.main([str(tmp_path / "x.whl"), "--python", sys.executable])


def test_an_unknown_python_is_refused(smoke: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(smoke.SmokeError, match=r"needed: a Python\. found: no python9\.9\. do: "):
        smoke.main([str(make_wheel(tmp_path)), "--python", "python9.9"])


def test_the_error_of_a_command_has_its_output(smoke: ModuleType, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('No module named x'); raise SystemExit(3)"]
    with pytest.raises(smoke.SmokeError, match=r"(?s)No module named x.*found: .* ended with 3"):
        smoke.run(command, tmp_path, {})


def test_a_command_that_prints_another_version_fails(smoke: ModuleType, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("python", "penstock", "dbt"):
        (programs / name).write_text("#!/bin/sh\necho penstock 1.2.2\n")
        (programs / name).chmod(0o755)
    with pytest.raises(smoke.SmokeError, match=re.escape("needed: penstock 1.2.3 from penstock --version")):
        smoke.examine(programs, tmp_path / "shop", "1.2.3")
    assert yaml.safe_load((tmp_path / "shop" / "profiles.yml").read_text())["shop"]["outputs"]["dev"]["threads"] == 2
