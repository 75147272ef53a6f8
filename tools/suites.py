"""Run test suites, two processes at a time, and print one table of what they took.

`make test`, `make all`, `make reach` and `.ci/run` call it. A suite is one process of pytest, or several parts that
share no server. The longest part starts first, so that all lanes end at about the same time. Prints the closing
lines of each part that passed and the whole output of one that failed.

usage: tools/suites.py [--lanes N] [--minutes N] {test,core,all,reach} ...
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
SUMMARY = "short test summary info"
SLOWEST = 10
# Seconds that pytest has to stop its servers after an interrupt.
GRACE = 180.0
REAL_MONTHS = "tests/integration/test_real_months.py"
LIVES = "tests/integration/test_server.py"
# The faults' tests of the whole project: they share its server, its lake and its three months.
TRIPS = tuple(f"tests/faults/test_{name}.py" for name in ("disturbed_batches", "killed_batches", "operations_page"))
TARGETS = "tests/reach/test_targets.py"
AIRFLOW = "tests/reach/test_airflow.py"
OTHERS = ("tests/reach/test_metastore.py", "tests/reach/test_readers.py")
FAR = "gcs or hdfs"


def ignoring(*paths: str) -> tuple[str, ...]:
    """pytest's options that leave files out."""
    return tuple(word for path in paths for word in ("--ignore", path))


@dataclass(frozen=True)
class Part:
    """A process of a suite.

    Attributes:
        suite: whose part it is.
        seconds: about how long it takes on two processors beside another part: longer ones start earlier.
        arguments: of pytest; of make for lint.
    """

    suite: str
    seconds: int
    arguments: tuple[str, ...]
    program: tuple[str, ...] = PYTEST


TEST = [
    Part("integration", 600, ("tests/integration", *ignoring(REAL_MONTHS, LIVES))),
    Part("integration", 170, (REAL_MONTHS,)),
    Part("unit", 150, ("tests/unit",)),
    Part("integration", 90, (LIVES,)),
    Part("lint", 40, ("lint",), ("make", "--no-print-directory")),
]
CORE = [
    Part("adapter", 730, ("-m", "core", "tests/adapter")),
    Part("conformance", 380, ("-m", "core", "--tb=short", "--show-capture=stdout", "tests/conformance")),
    Part("faults", 240, ("-m", "core", "tests/faults")),
    Part("learning", 310, ("-m", "core", "tests/ml")),
    Part("reach", 300, ("-m", "core", "tests/reach")),
]
REACH = [
    Part("reach", 600, ("--write-docs", TARGETS, *OTHERS, "-k", f"not ({FAR})")),
    Part("reach", 600, ("--write-docs", TARGETS, AIRFLOW, "-k", f"airflow or {FAR}")),
    Part("reach", 600, ("--write-docs", "tests/reach", *ignoring(TARGETS, AIRFLOW, *OTHERS))),
]
ALL = [
    *TEST,
    *REACH,
    Part("faults", 700, TRIPS),
    Part("faults", 400, ("tests/faults", *ignoring(*TRIPS))),
    Part("adapter", 700, ("tests/adapter",)),
    Part("conformance", 600, ("--tb=short", "--show-capture=stdout", "--record", "tests/conformance")),
    Part("learning", 350, ("tests/ml", *ignoring("tests/ml/test_real_months.py"))),
]
REAL_LEARNING = Part("learning-real", 500, ("-s", "tests/ml/test_real_months.py"))


def parts(names: Sequence[str]) -> list[Part]:
    """The parts of sets of suites, the longest first."""
    sets = {"test": TEST, "core": CORE, "reach": REACH, "all": ALL}
    chosen = [part for name in names for part in sets[name]]
    if "all" in names and os.environ.get("PENSTOCK_TLC_DATA"):
        chosen.append(REAL_LEARNING)
    return sorted(chosen, key=lambda part: -part.seconds)


@dataclass
class Running:
    """A part at work, or ended."""

    part: Part
    process: subprocess.Popen[bytes]
    output: IO[str]
    results: Path
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """What it printed."""
        self.output.seek(0)
        return self.output.read()


def begin(part: Part, folder: Path, number: int) -> Running:
    """Start a part in a process group of its own."""
    results = folder / f"{number}.xml"
    # A folder of its own: pytest keeps three of its folders for all sessions, and others begin and end meanwhile.
    own = (f"--junitxml={results}", f"--basetemp={folder / str(number)}") if part.program == PYTEST else ()
    output = tempfile.TemporaryFile("w+", errors="replace", dir=folder)  # noqa: SIM115  (open until it is read)
    process = subprocess.Popen(
        [*part.program, *own, *part.arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return Running(part, process, output, results)


def closing(text: str) -> str:
    """pytest's last lines: why tests were skipped, and how many passed."""
    lines = [line for line in text.splitlines() if line.strip()]
    start = next((place for place, line in enumerate(lines) if SUMMARY in line), len(lines) - 1)
    return "\n".join(lines[start:])


@dataclass(frozen=True)
class Test:
    """How long a test took, with the fixtures that it was the first to need."""

    suite: str
    name: str
    seconds: float


def tests(run: Running) -> list[Test]:
    """The tests that a part has run."""
    if not run.results.exists():
        return []
    cases = ElementTree.parse(run.results).iter("testcase")
    return [
        Test(run.part.suite, f"{case.get('classname')}::{case.get('name')}", float(case.get("time", 0)))
        for case in cases
    ]


def table(runs: Sequence[Running], seconds: float, lanes: int) -> str:
    """Suites with their tests and seconds, and the slowest tests of all."""
    found = [test for run in runs for test in tests(run)]
    lines = ["", f"{'suite':<14}{'tests':>7}{'seconds':>9}"]
    for suite in dict.fromkeys(run.part.suite for run in runs):
        own = [run for run in runs if run.part.suite == suite]
        failed = "  failed" if any(run.process.returncode for run in own) else ""
        count = sum(test.suite == suite for test in found)
        lines.append(f"{suite:<14}{count or '–':>7}{sum(run.seconds for run in own):>9.0f}{failed}")
    lines.append(f"{'total':<14}{len(found):>7}{seconds:>9.0f}  in {lanes} lanes")
    lines += ["", f"the {SLOWEST} slowest tests (each with the fixtures that it was the first to need)"]
    slowest = sorted(found, key=lambda test: -test.seconds)[:SLOWEST]
    lines += [f"{test.seconds:>7.0f} s  {test.name}" for test in slowest]
    return "\n".join(lines)


def report(run: Running) -> None:
    """Print the end of a part: all of it when it failed."""
    code = run.process.returncode
    ended = "passed" if code == 0 else f"FAILED, exit code {code},"
    shown = run.text if code or run.part.program != PYTEST else closing(run.text)
    words = " ".join(run.part.arguments)
    print(f"== {run.part.suite}: {ended} after {run.seconds:.0f} s ({words})\n{shown.rstrip()}\n", flush=True)


def stop(running: Sequence[Running]) -> None:
    """Interrupt the parts at work, so that their servers stop; kill what doesn't end."""
    for run in running:
        _signal(run, signal.SIGINT)
    end = time.monotonic() + GRACE
    for run in running:
        try:
            run.process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal(run, signal.SIGKILL)
            run.process.wait()


def _signal(run: Running, number: int) -> None:
    try:
        os.killpg(run.process.pid, number)
    except ProcessLookupError:
        return


def run_all(chosen: Sequence[Part], lanes: int, minutes: float) -> int:
    """Run parts, so many at a time; the exit code.

    Args:
        minutes: after which the parts that still run are interrupted and count as failed.
    """
    waiting, running, ended = list(chosen), [], []  # type: list[Part], list[Running], list[Running]
    began = time.monotonic()
    late = False
    with tempfile.TemporaryDirectory(prefix="suites-", ignore_cleanup_errors=True) as name:
        try:
            while (waiting or running) and not late:
                while waiting and len(running) < lanes:
                    running.append(begin(waiting.pop(0), Path(name), len(running) + len(ended)))
                    print(f"{time.monotonic() - began:5.0f} s: {running[-1].part.suite} begins", flush=True)
                time.sleep(0.2)
                for run in [run for run in running if run.process.poll() is not None]:
                    run.seconds = time.monotonic() - run.began
                    running.remove(run)
                    ended.append(run)
                    report(run)
                late = time.monotonic() - began > 60 * minutes
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            print("interrupted: the suites at work are being stopped", flush=True)
            stop(running)
            return 130
        if late:
            stop(running)
            for run in running:
                run.seconds = time.monotonic() - run.began
                report(run)
            left = sorted({part.suite for part in waiting} | {run.part.suite for run in running})
            print(f"stopped after {minutes:g} minutes; not finished: {', '.join(left)}", flush=True)
        print(table([*ended, *running], time.monotonic() - began, lanes), flush=True)
        return 1 if late or any(run.process.returncode for run in ended) else 0


def main(words: Sequence[str]) -> int:
    """The program; its exit code."""
    parser = argparse.ArgumentParser(description="Run test suites side by side and print one table.")
    parser.add_argument("sets", nargs="+", choices=("test", "core", "all", "reach"))
    parser.add_argument("--lanes", type=int, default=2, help="processes at a time")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long, and fail")
    given = parser.parse_args(words)
    for number in (signal.SIGINT, signal.SIGTERM):  # a script's background ignores the first
        signal.signal(number, signal.default_int_handler)
    return run_all(parts(given.sets), given.lanes, given.minutes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
