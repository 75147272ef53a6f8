"""Tests of bench/batch.py: figures from costs, the chart, and the tables of docs/explanation/cost-of-a-month.md."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.batch import COUNTS, PAGES, measure, month
from bench.batch_peer import project_files
from bench.batch_results import (
    Memory,
    Months,
    NoChange,
    Peak,
    Peer,
    Threads,
    Way,
    fit,
    mean_of_first,
    mean_of_last,
    read,
)
from bench.batch_tables import PARTS, PICTURE, chart, months, report
from bench.charts import axis_step
from bench.projects import Cost
from bench.report import DOCS
from bench.run import parse

(PAGE,) = PAGES
SVG = "{http://www.w3.org/2000/svg}"


def results(count: int = 36) -> dict[str, Any]:
    """Return results of every part: month k took 10 + k/10 wall seconds, the first two 90."""
    costs = [Cost(90.0 if k <= 2 else 10 + k / 10, 20.0, 5.0) for k in range(1, count + 1)]
    names = [f"{month(k):%Y-%m}" for k in range(1, count + 1)]
    peaks = [Peak(f"{rows} rows", 3, rows, 3, 1400 * 2**20, 900 * 2**20) for rows in (100, 1000, 100)]
    ways = {name: Way(built, [2.0], costs[-1:]) for name, built in (("interval", 1), ("microbatch", 2), ("table", 0))}
    return {
        "months": Months(60_000, "3g", names, costs, 6),
        "nochange": NoChange(count, costs[-5:], 14, 0, 0),
        "threads": Threads(3, 60_000, {number: costs[-3:] for number in COUNTS}),
        "peer": Peer(300_000, 12, ways),
        "memory": Memory("1g", peaks),
    }


def shape(lines: list[str]) -> list[str]:
    """Return lines without the measured figures."""
    return [re.sub(r"[+-]?[\d.,]*\d", "#", line) for line in lines]


def test_the_line_of_costs_that_grow_evenly_has_their_slope_and_leaves_the_warm_up_out() -> None:
    line = fit([500.0, 300.0, 16.0, 18.0, 20.0, 22.0])
    assert line.slope == pytest.approx(2)
    assert line.start + 3 * line.slope == pytest.approx(16)
    assert line.share == pytest.approx(2 / 19)


def test_the_line_is_the_one_of_least_squares() -> None:
    # Points (3, 1), (4, 3), (5, 2): slope 0.5 through their middle.
    line = fit([9.0, 9.0, 1.0, 3.0, 2.0])
    assert (line.slope, line.start + 4 * line.slope) == (pytest.approx(0.5), pytest.approx(2))


def test_costs_that_do_not_grow_have_no_slope() -> None:
    assert fit([40.0, 20.0] + [12.5] * 34).slope == 0


def test_a_line_needs_two_months_after_the_warm_up() -> None:
    with pytest.raises(ValueError, match="needs 4 months, there are 3"):
        fit([1.0, 2.0, 3.0])


def test_means_are_those_of_the_first_warm_months_and_of_the_last() -> None:
    costs = [99.0, 99.0, 1.0, 2.0, 3.0, 50.0, 10.0, 20.0, 30.0]
    assert (mean_of_first(costs), mean_of_last(costs)) == (2, 20)


def test_growing_costs_show_in_the_table() -> None:
    rows = {
        cells[1].strip(): cells[2].strip() for line in months(results()["months"]) if len(cells := line.split("|")) > 3
    }
    assert rows["mean of months 3 to 5"] == "10.4"
    assert rows["mean of months 34 to 36"] == "13.5"
    assert rows["the last by the first"] == "1.30"
    assert rows["what each month adds"] == "+0.100 (+0.84%)"


def test_results_are_read_as_they_were_written() -> None:
    found = results()
    text = json.loads(json.dumps({name: asdict(item) for name, item in found.items()}))
    assert {name: read(name, item) for name, item in text.items()} == found


def test_months_follow_each_other_over_years() -> None:
    assert [month(k) for k in (0, 1, 12, 13)] == [
        date(2021, 12, 1),
        date(2022, 1, 1),
        date(2022, 12, 1),
        date(2023, 1, 1),
    ]


def test_the_peers_models_differ_by_their_strategy_alone() -> None:
    files = project_files(date(2024, 1, 1))
    assert len({text for name, text in files.items() if name.endswith(".sql")}) == 1
    models = {item["name"]: item["config"] for item in yaml.safe_load(files["models/peer.yml"])["models"]}
    interval, microbatch = models["revenue_interval"], models["revenue_microbatch"]
    assert (microbatch.pop("lookback"), microbatch.pop("begin"), microbatch.pop("batch_size")) == (
        1,
        "2024-01-01",
        "month",
    )
    assert {**microbatch, "incremental_strategy": "interval"} == interval


def test_the_picture_has_a_point_for_each_month_and_a_line_for_each_kind_of_cost() -> None:
    tree = ET.fromstring(chart(results()["months"]))
    points = [item for item in tree.iter(f"{SVG}circle") if item.find(f"{SVG}title") is not None]
    assert len(points) == 3 * 36
    lines = [item for item in tree.iter(f"{SVG}line") if item.get("stroke")]
    assert len(lines) == 3
    low, high = (float(lines[0].get(end, "")) for end in ("y1", "y2"))
    assert low > high  # what grows rises: SVG counts from the top
    width, height = float(tree.get("width", 0)), float(tree.get("height", 0))
    assert all(0 < float(item.get("cx", -1)) < width and 0 < float(item.get("cy", -1)) < height for item in points)


@pytest.mark.parametrize(("highest", "wanted"), [(0.5, 0.1), (5, 1), (13.6, 5), (61, 20), (90, 20)])
def test_an_axis_has_at_most_six_steps(highest: float, wanted: float) -> None:
    assert axis_step(highest) == pytest.approx(wanted)


def test_the_docs_have_the_tables_that_the_benchmark_writes() -> None:
    found = PAGE.blocks(PAGE.path.read_text())
    count = int(found["months"][0].split()[0])
    wanted = dict(report(results(count)).blocks)
    assert list(found) == list(PARTS)
    # The rows of this table are named by what was built.
    memory = found.pop("memory")
    assert shape(memory[:2]) == shape(list(wanted.pop("memory"))[:2])
    assert len([line for line in memory if line.startswith("|")]) == 5
    assert {name: shape(lines) for name, lines in found.items()} == {n: shape(list(x)) for n, x in wanted.items()}


def test_a_part_that_was_not_measured_has_no_block() -> None:
    some = {name: result for name, result in results().items() if name in ("threads", "peer")}
    made = report(some)
    assert list(made.blocks) == ["threads", "peer"]
    assert made.pictures == {}


def test_the_docs_picture_shows_the_months_of_the_docs() -> None:
    count = int(PAGE.blocks(PAGE.path.read_text())["months"][0].split()[0])
    assert (DOCS / PICTURE).read_text().count("<title>month ") == 3 * count


def test_parts_of_earlier_results_are_written_without_measuring(tmp_path: Path) -> None:
    earlier = tmp_path / "results.json"
    earlier.write_text(json.dumps({name: asdict(item) for name, item in results().items()}))
    _, options = parse(["batch", "--only", "", "--results", str(earlier)])
    made = measure(options, tmp_path)
    assert list(made.blocks) == list(PARTS)
    assert list(made.pictures) == [PICTURE]
