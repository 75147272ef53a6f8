"""The page about landing your own files works as written."""

from __future__ import annotations

import gzip
import re
import shlex
from datetime import datetime
from decimal import Decimal

import yaml

from .conftest import REPOSITORY, Project

PAGE = (REPOSITORY / "docs" / "how-to" / "your-own-files.md").read_text()
JANUARY = """ride_id,started_at,ended_at,member,station,price,colour
a1,2021-01-01 00:15:56,2021-01-01 00:25:00,true,17,3.5,red
a2,2021-01-31T23:59:59Z,2021-02-01T00:10:00Z,false,,,blue
"""
FEBRUARY = """Trip ID,Start Time,Stop Time,Member,Station
"b,1",2021-02-01 08:00:00,2021-02-01 08:10:00,1,4
"""


def test_the_page_works_as_written(project: Project) -> None:
    entry, source = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (commands,) = re.findall(r"```shell\n(.*?)```", PAGE, re.DOTALL)
    path = project.root / "lake.yml"
    path.write_text(path.read_text().rstrip() + "\n" + entry)
    folder = project.root / "downloads"
    folder.mkdir()
    (folder / "rides-2021-01.csv").write_text(JANUARY)
    (folder / "rides-2021-02-final.csv.gz").write_bytes(gzip.compress(FEBRUARY.encode()))
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "penstock"
        answer = project.penstock(*arguments)
        assert answer.code == 0, answer.text
    assert "2 live months, 3 rows" in answer.text
    first, second = project.rows("bike_rides", "2021-01"), project.rows("bike_rides", "2021-02")
    assert first.schema.equals(second.schema)
    (declared,) = yaml.safe_load(source)["sources"]
    assert (declared["schema"], declared["tables"]) == ("lake", [{"name": "bike_rides"}])
    (selected,) = re.findall(r"^select (.*)$", PAGE, re.MULTILINE)
    assert set(selected.split(", ")) <= {*first.schema.names, declared["config"]["event_time"]}
    assert first.to_pylist() == [
        {
            "ride_id": "a1", "started_at": datetime(2021, 1, 1, 0, 15, 56), "ended_at": datetime(2021, 1, 1, 0, 25),
            "member": True, "station": 17, "price": Decimal("3.50"),
            "source_file": "rides-2021-01.csv", "source_row": 1,
        },
        {
            "ride_id": "a2", "started_at": datetime(2021, 1, 31, 23, 59, 59), "ended_at": datetime(2021, 2, 1, 0, 10),
            "member": False, "station": None, "price": None, "source_file": "rides-2021-01.csv", "source_row": 2,
        },
    ]  # fmt: skip
    assert second.column("ride_id").to_pylist() == ["b,1"]
    assert second.column("price").null_count == 1


def test_the_page_names_every_type_and_key() -> None:
    from penstock.lake.arrow_types import ARROW
    from penstock.lake.catalog import LINEAGE, Column, Dataset

    for word in (*ARROW, *LINEAGE, *(set(Dataset.model_fields) - {"name", "description"}), *Column.model_fields):
        assert f"`{word}`" in PAGE or word == "description", word
