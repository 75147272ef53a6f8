"""Run every command of docs/how-to/operations.md and recovery.md in order, and compare the output with the pages."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from penstock.lake.sample import SampleMonth, write_raw
from tests.faults.trips_project import Trips
from tests.support.pages import Command, first_missing, steps

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
PAGES = (HOW_TO / "operations.md", HOW_TO / "recovery.md")
MONTHS = ("2024-01", "2024-02")


def test_the_pages_can_be_followed(trips: Trips, tmp_path: Path) -> None:
    """From the first command to the last, on an own lake of two months, one of them in two versions."""
    for seed, folder, months in ((5, "raw", MONTHS), (6, "corrected", MONTHS[1:])):
        (tmp_path / folder).mkdir()
        for month in months:
            path = tmp_path / folder / f"green_tripdata_{month}.parquet"
            write_raw(SampleMonth("green", date.fromisoformat(f"{month}-01"), 700, seed), path)
    quality = trips.project.root / "macros" / "quality" / "quality_rules.sql"
    before = quality.read_text()
    commands = [step for page in PAGES for step in steps(page.read_text()) if isinstance(step, Command)]
    assert len(commands) > 15
    try:
        for command in commands:
            done = trips.project.program("bash", "-c", command.text, HOME=str(tmp_path), DBT_USE_COLORS="false")
            assert (done.returncode != 0) == command.fails, f"{command.text}\n{done.stdout}"
            assert "Traceback" not in done.stdout, done.stdout
            missing = first_missing(done.stdout, command.shown)
            assert missing is None, f"{command.text}\nthe page shows: {missing}\nprinted:\n{done.stdout}"
    finally:
        quality.write_text(before)
