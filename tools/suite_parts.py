"""The test suites: the processes of each suite, and roughly how long each process takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
REAL_MONTHS = "tests/integration/test_real_months.py"
REAL_TRAINING_MONTHS = "tests/ml/test_real_months.py"
SERVER = "tests/integration/test_server.py"
# The tests of suite `faults` that run the whole project. They share one server, one lake and three months of data.
TRIPS = tuple(f"tests/faults/test_{name}.py" for name in ("disturbed_intervals", "killed_intervals", "operations_page"))
TARGETS = "tests/reach/test_targets.py"
AIRFLOW = "tests/reach/test_airflow.py"
READERS = ("tests/reach/test_metastore.py", "tests/reach/test_readers.py")
REMOTE_STORES = "gcs or hdfs"
# dbt's published tests print much. A failure therefore shows only its last frame and standard output.
SHORT = ("--tb=short", "--show-capture=stdout")


def ignoring(*paths: str) -> tuple[str, ...]:
    """Return the pytest options that leave files out."""
    return tuple(option for path in paths for option in ("--ignore", path))


@dataclass(frozen=True)
class Part:
    """One process of a suite.

    Attributes:
        suite: name of the suite.
        seconds: roughly how long the process takes on two processors while another process runs. The longest process
            starts first.
        arguments: arguments of pytest, or, for lint, of make.
    """

    suite: str
    seconds: int
    arguments: tuple[str, ...]
    program: tuple[str, ...] = PYTEST


SUITES = {
    "lint": [Part("lint", 40, ("lint",), ("make", "--no-print-directory"))],
    "unit": [Part("unit", 190, ("tests/unit",))],
    "integration": [
        Part("integration", 830, ("tests/integration", *ignoring(REAL_MONTHS, SERVER))),
        Part("integration", 170, (REAL_MONTHS,)),
        Part("integration", 90, (SERVER,)),
    ],
    "adapter": [Part("adapter", 3000, ("tests/adapter",))],
    "conformance": [Part("conformance", 1500, (*SHORT, "--record", "tests/conformance"))],
    "packages": [Part("packages", 300, ("--write-docs", "tests/packages"))],
    "tutorials": [Part("tutorials", 1000, ("tests/tutorials",))],
    "faults": [
        Part("faults", 1800, TRIPS),
        Part("faults", 400, ("tests/faults", *ignoring(*TRIPS))),
    ],
    "ml": [Part("ml", 350, ("tests/ml", *ignoring(REAL_TRAINING_MONTHS)))],
    "reach": [
        Part("reach", 600, ("--write-docs", TARGETS, *READERS, "-k", f"not ({REMOTE_STORES})")),
        Part("reach", 700, ("--write-docs", TARGETS, AIRFLOW, "-k", f"airflow or {REMOTE_STORES}")),
        Part("reach", 1500, ("--write-docs", "tests/reach", *ignoring(TARGETS, AIRFLOW, *READERS))),
    ],
}
# Runs only if PENSTOCK_TLC_DATA names the months, because training on them takes minutes.
REAL_TRAINING = Part("ml", 1200, (REAL_TRAINING_MONTHS,))
CORE = [
    Part("adapter", 640, ("-m", "core", "tests/adapter")),
    Part("conformance", 230, ("-m", "core", *SHORT, "tests/conformance")),
    Part("faults", 190, ("-m", "core", "tests/faults")),
    Part("ml", 170, ("-m", "core", "tests/ml")),
    Part("packages", 45, ("-m", "core", "tests/packages")),
    Part("reach", 250, ("-m", "core", "tests/reach")),
    Part("tutorials", 200, ("-m", "core", "tests/tutorials")),
]
GROUPS = {"test": ("lint", "unit", "integration"), "all": tuple(SUITES)}
NAMES = ("test", "core", "all", *SUITES)


def parts(names: Sequence[str]) -> list[Part]:
    """Return the processes of some suites or groups of suites, the longest first."""
    chosen: list[Part] = []
    for name in names:
        for suite in GROUPS.get(name, (name,)):
            chosen += CORE if suite == "core" else SUITES[suite]
            if suite == "ml" and os.environ.get("PENSTOCK_TLC_DATA"):
                chosen.append(REAL_TRAINING)
    return sorted(dict.fromkeys(chosen), key=lambda part: -part.seconds)
