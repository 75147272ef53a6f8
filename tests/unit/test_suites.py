"""tools/suites.py: lanes, exit codes, what is printed of parts that pass and fail, and their end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from tests.support.polling import LIMIT

ROOT = Path(__file__).resolve().parents[2]
SLEEP = "import time; print('asleep', flush=True); time.sleep(600)"


@pytest.fixture(scope="module")
def suites() -> Iterator[ModuleType]:
    """The tool, with its folder on the path."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tools"))
    import suites

    yield suites
    sys.path[:] = before


@pytest.fixture(scope="module")
def suite_parts(suites: ModuleType) -> ModuleType:
    """The list of suites."""
    return sys.modules["suite_parts"]


def pytest_part(suites: ModuleType, folder: Path, suite: str, body: str, seconds: int = 1) -> object:
    """A suite of one test with this body."""
    file = folder / f"test_{suite}.py"
    file.write_text(f"def test_{suite}():\n    print('printed by {suite}')\n    {body}\n")
    return suites.Part(suite, seconds, ("-ra", "--rootdir", str(folder), str(file)))


def test_a_failed_part_is_printed_in_full_and_the_others_by_their_last_lines(
    suites: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [pytest_part(suites, tmp_path, "good", "pass"), pytest_part(suites, tmp_path, "bad", "assert 1 == 2")]
    assert suites.run_all(parts, 2, 60) == 1
    output = capsys.readouterr().out
    assert "== good: passed" in output and "1 passed in" in output
    assert "printed by good" not in output
    assert "== bad: FAILED, exit code 1," in output and "printed by bad" in output and "assert 1 == 2" in output
    assert re.search(r"^good +1 +\d+$", output, re.MULTILINE)
    assert re.search(r"^bad +1 +\d+  failed$", output, re.MULTILINE)
    assert re.search(r"^total +2 +\d+  in 2 lanes$", output, re.MULTILINE)
    assert "test_good::test_good" in output


def test_parts_that_pass_end_well_and_why_tests_were_skipped_is_shown(
    suites: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skipping = pytest_part(suites, tmp_path, "skips", "import pytest; pytest.skip('for a reason')")
    assert suites.run_all([skipping], 2, 60) == 0
    output = capsys.readouterr().out
    assert "for a reason" in output and "1 skipped in" in output


def test_no_test_at_all_is_a_failure(suites: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text("")
    assert suites.run_all([suites.Part("none", 1, (str(tmp_path),))], 1, 60) == 1


def test_what_takes_too_long_is_stopped_and_fails(suites: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    slow = suites.Part("slow", 1, ("-c", SLEEP), (sys.executable,))
    never = suites.Part("never", 1, ("-c", "print('ran')"), (sys.executable,))
    assert suites.run_all([slow, never], 1, 0.05) == 1
    output = capsys.readouterr().out
    assert "== slow: FAILED" in output and "not finished: never, slow" in output
    assert "never starts" not in output


def test_the_longest_part_starts_first(suite_parts: ModuleType) -> None:
    for name in suite_parts.NAMES:
        seconds = [part.seconds for part in suite_parts.parts([name])]
        assert seconds and seconds == sorted(seconds, reverse=True)
    together = suite_parts.parts(["test", "core"])
    assert {part.suite for part in together} == set(suite_parts.SUITES)


def test_a_suite_named_twice_runs_once(suite_parts: ModuleType) -> None:
    assert suite_parts.parts(["unit", "test", "unit"]) == suite_parts.parts(["test"])


def test_models_are_trained_on_real_months_if_they_are_configured(
    suite_parts: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ml", "all"):
        monkeypatch.delenv("PENSTOCK_TLC_DATA", raising=False)
        assert suite_parts.REAL_TRAINING not in suite_parts.parts([name])
        monkeypatch.setenv("PENSTOCK_TLC_DATA", "/months")
        assert suite_parts.REAL_TRAINING in suite_parts.parts([name])


def test_all_has_every_file_of_tests_exactly_once(suite_parts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that no part names would never run; a file that two parts name would run twice."""
    monkeypatch.setenv("PENSTOCK_TLC_DATA", "/months")
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")}
    seen: dict[str, int] = dict.fromkeys(files, 0)
    for part in suite_parts.parts(["all"]):
        left_out = {part.arguments[at + 1] for at, word in enumerate(part.arguments) if word == "--ignore"}
        named = [word for at, word in enumerate(part.arguments) if word.startswith("tests/")
                 and part.arguments[at - 1] != "--ignore"]  # fmt: skip
        for file in files - left_out:
            seen[file] += any(file == name or file.startswith(f"{name}/") for name in named)
    # Its targets are divided among two parts.
    assert {file: count for file, count in seen.items() if count != 1} == {suite_parts.TARGETS: 2}


def test_every_folder_of_tests_is_a_suite_and_a_marker(suite_parts: ModuleType, pytestconfig: pytest.Config) -> None:
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders == set(suite_parts.SUITES) - {"lint"}
    markers = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert folders <= markers


def test_every_test_has_the_marker_of_its_suite(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("unit") is not None


def test_an_interrupt_ends_the_parts(suites: ModuleType) -> None:
    """After Ctrl-C the tool's descendants are gone, and its exit code is 130."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import suites; "
        f"part = suites.Part('slow', 1, ('-c', {SLEEP!r}), (sys.executable,)); "
        "sys.exit(suites.run_all([part, part], 2, 60))"
    )
    tool = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert tool.stdout
        # A part counts once the tool has printed its line; an interrupt between its start and that line would miss it.
        for _ in range(2):
            assert "starts" in tool.stdout.readline()
        children = psutil.Process(tool.pid).children()
        os.kill(tool.pid, signal.SIGINT)
        output, _ = tool.communicate(timeout=LIMIT)
    finally:
        tool.kill()
    assert tool.returncode == 130 and "interrupted" in output
    assert not any(child.is_running() for child in children)
