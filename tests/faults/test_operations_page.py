"""Run every command of docs/how-to/operations.md in order, and compare the output with the page."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from penstock.lake.sample import SampleMonth, write_raw
from tests.faults.trips_project import Trips

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "operations.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
MONTHS = ("2024-01", "2024-02")


def commands() -> list[tuple[str, list[str]]]:
    """Each command with the lines that the page shows below it."""
    found: list[tuple[str, list[str]]] = []
    for block in CONSOLE.findall(PAGE.read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip():
                found[-1][1].append(line)
    return found


def pattern(line: str) -> re.Pattern[str]:
    """A line of the page as what it stands for: `…` any text, any width of blanks."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
    return re.compile(r"\s*.*".join(parts))


def shows(printed: str, lines: list[str]) -> str | None:
    """The first line of the page that isn't printed below the one before it; None when all are."""
    rest = printed.splitlines()
    for line in lines:
        fits = [place for place, text in enumerate(rest) if pattern(line).search(text)]
        if not fits:
            return line
        rest = rest[fits[0] + 1 :]
    return None


def test_the_page_can_be_followed(trips: Trips, tmp_path: Path) -> None:
    """From the first command to the last, on an own lake of two months, one of them in two versions."""
    for seed, folder, months in ((5, "raw", MONTHS), (6, "corrected", MONTHS[1:])):
        (tmp_path / folder).mkdir()
        for month in months:
            path = tmp_path / folder / f"green_tripdata_{month}.parquet"
            write_raw(SampleMonth("green", date.fromisoformat(f"{month}-01"), 700, seed), path)
    quality = trips.project.root / "macros" / "quality" / "quality_rules.sql"
    before = quality.read_text()
    try:
        for command, lines in commands():
            done = trips.project.program("bash", "-c", command, HOME=str(tmp_path), DBT_USE_COLORS="false")
            wrong = "do: " in "".join(lines)
            assert (done.returncode != 0) == wrong, f"{command}\n{done.stdout}"
            assert "Traceback" not in done.stdout, done.stdout
            missing = shows(done.stdout, lines)
            assert missing is None, f"{command}\nis said to print: {missing}\nand printed:\n{done.stdout}"
    finally:
        quality.write_text(before)


@pytest.mark.parametrize(
    ("printed", "line", "found"),
    [
        ("3 of 8 OK created x [built 2024-01 in 3.1s]", "… OK created x … [built 2024-01 in …]", True),
        ("3 of 8 OK created x [built 2024-02 in 3.1s]", "… OK created x … [built 2024-01 in …]", False),
        ("a   b  c", "a b … c", True),
    ],
)
def test_a_line_is_compared(printed: str, line: str, found: bool) -> None:
    assert (shows(printed, [line]) is None) == found
