"""The tutorial "Batch processing with Spark, hands on": its lessons in order, in one project."""

from __future__ import annotations

from pathlib import Path

from tests.tutorials import shell
from tests.tutorials.test_your_own_project import INSTALLATION

LESSONS = ("batch-processing.md", "batch-files-and-sql.md", "batch-plans.md")
INIT = "penstock init trips --template trips"


def test_the_lessons_can_be_followed(bin_: Path, tmp_path: Path) -> None:
    reader = shell.reader(tmp_path, bin_, {**INSTALLATION, INIT: shell.init(INIT, "trips")})
    try:
        for lesson in LESSONS:
            reader.follow((shell.TUTORIALS / lesson).read_text())
    finally:
        reader.follow("```console\n$ penstock down\n```\n")
