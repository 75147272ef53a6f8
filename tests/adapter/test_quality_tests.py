"""The tests of a quality report on a real server: what they find, what they let pass, what they say.

The report here is written by hand, so that every series has a reason to be there; macros and tests
are the project's own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest

from tests.support.projects import ROOT, Project, small_project

# (service, rule): (bad rows, all rows) of the months from 2023-01 on.
SERIES: dict[tuple[str, str], list[tuple[int, int]]] = {
    # Far from the months before in 2023-06 only: the month after is compared with a median.
    ("green", "null_passengers"): [(500, 10_000), (510, 10_000), (490, 10_000), (505, 10_000), (495, 10_000),
                                   (2_000, 10_000), (500, 10_000)],
    ("yellow", "null_vendor"): [(700, 10_000), (705, 10_000), (695, 10_000), (0, 10_000)],
    # Steady, with its own spread.
    ("green", "zero_distance"): [(n, 10_000) for n in (400, 450, 520, 430, 480, 560, 500, 440)],
    # A jump, but two months before it are no history.
    ("yellow", "null_passengers"): [(500, 10_000), (500, 10_000), (2_000, 10_000)],
    # Noise: small months, and one small month after large equal ones.
    ("yellow", "voided"): [(0, 40), (0, 40), (1, 40), (0, 40), (1, 40)],
    ("yellow", "zero_distance"): [(1_500, 50_000)] * 5 + [(4, 50)],
    # Many times its usual share, yet less than a percentage point.
    ("green", "fare_negative"): [(10, 100_000)] * 5 + [(400, 100_000)],
    # Limits of the list: at the first (1 %), above it, above the second (5 %).
    ("fhvhv", "longer_than_12_hours"): [(100, 10_000), (101, 10_000), (501, 10_000)],
}  # fmt: skip
YML = """
models:
  - name: quality_report
    data_tests:
      - shares_allowed: {name: allowed, arguments: {level: error_above}}
      - shares_allowed: {name: expected, arguments: {level: warn_above}, config: {severity: warn}}
      - share_is_steady: {name: steady, config: {severity: warn}}
      - share_is_steady: {name: steady_of_late, arguments: {since: "2023-06-01"}, config: {severity: warn}}
      - share_is_steady: {name: steady_of_two, arguments: {least_months: 2}, config: {severity: warn}}
      - share_is_steady: {name: any_change, arguments: {least_change: 0}, config: {severity: warn}}
"""


def report() -> str:
    """The report as a model."""
    rows = [
        f"('{service}', date'2023-{place + 1:02}-01', '{rule}', {bad}, {every}, {bad}D / {every})"
        for (service, rule), months in SERIES.items()
        for place, (bad, every) in enumerate(months)
    ]
    return f"select * from values {', '.join(rows)} as r (service_type, month, rule, rows, checked_rows, share)"


@dataclass(frozen=True)
class Outcome:
    """A run of dbt: its exit code, what it wrote, and (status, rows found) by test."""

    code: int
    text: str
    results: dict[str, tuple[str, int]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The report, with the project's own quality macros and tests."""
    own = [
        *(ROOT / "macros" / "quality").glob("*.sql"),
        ROOT / "macros/layout/penstock__refuse.sql",
        ROOT / "macros/layout/penstock__shown.sql",
    ]
    tests = [ROOT / "tests/data/generic" / f"{name}.sql" for name in ("shares_allowed", "share_is_steady")]
    files = {f"macros/{path.name}": path.read_text() for path in own}
    files |= {f"tests/generic/{path.name}": path.read_text() for path in tests}
    files |= {"models/quality_report.sql": report(), "models/quality_report.yml": YML}
    return small_project(tmp_path_factory.mktemp("quality") / "project", files, host=host)


@pytest.fixture(scope="module")
def tested(project: Project) -> Outcome:
    """What `dbt build` says of the report."""
    done = project.dbt("build")
    found = json.loads((project.root / "target" / "run_results.json").read_text())["results"]
    results = {r["unique_id"].split(".")[2]: (r["status"], r["failures"]) for r in found if r["failures"] is not None}
    return Outcome(done.returncode, done.stdout, results)


def lines(text: str, test: str) -> set[str]:
    """What a kind of test logged, each line once."""
    return set(re.findall(rf"{test}: (needed: .*)", text))


def test_a_share_above_its_limit_fails_or_warns(tested: Outcome) -> None:
    """Above the second limit: an error. Above the first alone: a warning. At it: neither."""
    assert tested.code == 1, tested.text
    assert tested.results["allowed"] == ("fail", 1)
    assert tested.results["expected"] == ("warn", 1)
    look = (
        "do: look at the rows (int_fhvhv_trips_checked where file_month = date'2023-0{}-01' and "
        "array_contains(reasons, 'longer_than_12_hours')); then land a corrected file, or change the rule or its limit "
        "in macros/quality/quality_rules.sql"
    )
    assert lines(tested.text, "shares_allowed") == {
        "needed: longer_than_12_hours in at most 1.0 % of the fhvhv rows of 2023-02-01 (warn_above). "
        "found: 1.01 % (101 of 10000). " + look.format(2),
        "needed: longer_than_12_hours in at most 5.0 % of the fhvhv rows of 2023-03-01 (error_above). "
        "found: 5.01 % (501 of 10000). " + look.format(3),
    }


def test_a_jump_and_a_drop_are_found_and_nothing_else(tested: Outcome) -> None:
    """Steady series, noise of small months, short histories and small changes are let pass."""
    assert tested.results["steady"] == ("warn", 2)
    output = lines(tested.text, "share_is_steady")
    assert (
        "needed: null_passengers in 5.0 % of the green rows of 2023-06-01, plus or minus 1.09 %, as in the 5 previous "
        "months. found: 20.0 % (2000 of 10000). do: look at the rows (int_trips_checked where file_month = "
        "date'2023-06-01' and service_type = 'green' and array_contains(flags, 'null_passengers')); land a corrected "
        "file, or, if the change is real, exclude the month with `since`"
    ) in output
    assert any("null_vendor in 7.0 % of the yellow rows of 2023-04-01" in line for line in output)


def test_arguments_move_what_is_far(tested: Outcome) -> None:
    """Judged from a month on, with a shorter history, and without the least change."""
    assert tested.results["steady_of_late"] == ("warn", 1)
    assert tested.results["steady_of_two"] == ("warn", 4), "yellow null_passengers and fhvhv too"
    assert tested.results["any_change"] == ("warn", 3), "green fare_negative too"


def test_a_wrong_rule_is_refused_before_anything_is_sent(project: Project) -> None:
    """dbt parse names the entry, in three parts and without a stack."""
    path = project.root / "macros" / "quality_rules.sql"
    before = path.read_text()
    path.write_text(before.replace("'warn_above': 0.005", "'warn_over': 0.005", 1))
    try:
        done = project.dbt("parse", "--no-partial-parse")
    finally:
        path.write_text(before)
    assert done.returncode != 0, done.stdout
    text = " ".join(done.stdout.split())
    assert "found: 'warn_over' in rule 'pickup_outside_month'. do: correct rule 'pickup_outside_month' in" in text
    assert "Traceback" not in done.stdout
