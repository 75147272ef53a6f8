"""Run test suites, two processes at a time, and print one table of tests and seconds.

`make test`, `make all` and `.ci/run` call this tool. A suite is a folder of tests. It runs as one pytest process, or as
several processes that share no server. The longest process starts first, so that all lanes end at about the same time.
The tool prints the last lines of each process that passed, and the whole output of each process that failed.

usage: tools/suites.py [--lanes N] [--minutes N] {test,core,all,SUITE} ...

`test` runs lint, unit and integration. `core` runs the tests of the long suites that CI runs. `all` runs every suite.
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

from suite_parts import NAMES, PYTEST, Part, parts

ROOT = Path(__file__).resolve().parents[1]
SUMMARY = "short test summary info"
SLOWEST = 10
# Seconds that pytest gets to stop its servers after an interrupt.
GRACE = 180.0


@dataclass
class Running:
    """A part of a suite that runs or has ended."""

    part: Part
    process: subprocess.Popen[bytes]
    output: IO[str]
    results: Path
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The part's output so far."""
        self.output.seek(0)
        return self.output.read()


def start(part: Part, folder: Path, number: int) -> Running:
    """Start a part in its own process group."""
    results = folder / f"{number}.xml"
    # By default, pytest keeps only a user's last three base folders, and would delete those of parts that still run.
    options = (f"--junitxml={results}", f"--basetemp={folder / str(number)}") if part.program == PYTEST else ()
    output = tempfile.TemporaryFile("w+", errors="replace", dir=folder)  # noqa: SIM115  (stays open until it is read)
    process = subprocess.Popen(
        [*part.program, *options, *part.arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return Running(part, process, output, results)


def closing_lines(text: str) -> str:
    """Return the last lines of pytest's output: why tests were skipped, and how many passed."""
    lines = [line for line in text.splitlines() if line.strip()]
    start = next((place for place, line in enumerate(lines) if SUMMARY in line), len(lines) - 1)
    return "\n".join(lines[start:])


@dataclass(frozen=True)
class Test:
    """The duration of a test, including the fixtures that it was the first to use."""

    suite: str
    name: str
    seconds: float


def tests(run: Running) -> list[Test]:
    """Return the tests that a part has run."""
    if not run.results.exists():
        return []
    cases = ElementTree.parse(run.results).iter("testcase")
    return [
        Test(run.part.suite, f"{case.get('classname')}::{case.get('name')}", float(case.get("time", 0)))
        for case in cases
    ]


def table(runs: Sequence[Running], seconds: float, lanes: int) -> str:
    """Return the table of suites with their tests and seconds, followed by the slowest tests of all suites."""
    all_tests = [test for run in runs for test in tests(run)]
    lines = ["", f"{'suite':<14}{'tests':>7}{'seconds':>9}"]
    for suite in dict.fromkeys(run.part.suite for run in runs):
        members = [run for run in runs if run.part.suite == suite]
        failed = "  failed" if any(run.process.returncode for run in members) else ""
        count = sum(test.suite == suite for test in all_tests)
        lines.append(f"{suite:<14}{count or '–':>7}{sum(run.seconds for run in members):>9.0f}{failed}")
    lines.append(f"{'total':<14}{len(all_tests):>7}{seconds:>9.0f}  in {lanes} lanes")
    lines += ["", f"the {SLOWEST} slowest tests (each with the fixtures that it was the first to need)"]
    slowest = sorted(all_tests, key=lambda test: -test.seconds)[:SLOWEST]
    lines += [f"{test.seconds:>7.0f} s  {test.name}" for test in slowest]
    return "\n".join(lines)


def report(run: Running) -> None:
    """Print the last lines of a part that passed, or the whole output of a part that failed."""
    code = run.process.returncode
    result = "passed" if code == 0 else f"FAILED, exit code {code},"
    shown = run.text if code or run.part.program != PYTEST else closing_lines(run.text)
    arguments = " ".join(run.part.arguments)
    print(f"== {run.part.suite}: {result} after {run.seconds:.0f} s ({arguments})\n{shown.rstrip()}\n", flush=True)


def stop(running: Sequence[Running]) -> None:
    """Interrupt running parts so that they stop their servers, and kill the parts that don't end in time."""
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
    """Run parts and return the exit code.

    Args:
        chosen: the parts, in the order in which they start.
        lanes: how many parts run at a time.
        minutes: time limit. Parts that still run after this time are interrupted and count as failed.
    """
    waiting, running, ended = list(chosen), [], []  # type: list[Part], list[Running], list[Running]
    started = time.monotonic()
    late = False
    with tempfile.TemporaryDirectory(prefix="suites-", ignore_cleanup_errors=True) as name:
        try:
            while (waiting or running) and not late:
                while waiting and len(running) < lanes:
                    running.append(start(waiting.pop(0), Path(name), len(running) + len(ended)))
                    print(f"{time.monotonic() - started:5.0f} s: {running[-1].part.suite} starts", flush=True)
                time.sleep(0.2)
                for run in [run for run in running if run.process.poll() is not None]:
                    run.seconds = time.monotonic() - run.started
                    running.remove(run)
                    ended.append(run)
                    report(run)
                late = time.monotonic() - started > 60 * minutes
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            print("interrupted: stopping the running suites", flush=True)
            stop(running)
            return 130
        if late:
            stop(running)
            for run in running:
                run.seconds = time.monotonic() - run.started
                report(run)
            left = sorted({part.suite for part in waiting} | {run.part.suite for run in running})
            print(f"stopped after {minutes:g} minutes; not finished: {', '.join(left)}", flush=True)
        print(table([*ended, *running], time.monotonic() - started, lanes), flush=True)
        return 1 if late or any(run.process.returncode for run in ended) else 0


def main(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(description="Run test suites side by side and print one table.")
    parser.add_argument("suites", nargs="+", choices=NAMES)
    parser.add_argument("--lanes", type=int, default=2, help="processes at a time")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="time limit; the run then fails")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # otherwise a background job of a script ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    return run_all(parts(options.suites), options.lanes, options.minutes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
