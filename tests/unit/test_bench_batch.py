"""What bench/batch.py reckons, and that docs/operations.md holds its figures."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations.md"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", autouse=True)
def bench() -> Iterator[ModuleType]:
    """bench/batch.py, which is a script beside the modules that it imports."""
    sys.path.insert(0, str(ROOT / "bench"))
    import batch

    yield batch
    sys.path.remove(str(ROOT / "bench"))


def results(bench: ModuleType, months: int = 36) -> dict[str, Any]:
    """Every part, as if measured: month k took 10 + k/10 seconds on the wall, the first two 90."""
    from batch_results import Memory, Months, NoChange, Peak, Peer, Threads, Way

    costs = [bench.Cost(90.0 if k <= 2 else 10 + k / 10, 20.0, 5.0) for k in range(1, months + 1)]
    names = [f"{bench.month(k):%Y-%m}" for k in range(1, months + 1)]
    peaks = [Peak(f"{rows} rows", 3, rows, 3, 1400 * 2**20, 900 * 2**20) for rows in (100, 1000, 100)]
    ways = {name: Way(count, [2.0], costs[-1:]) for name, count in (("interval", 1), ("microbatch", 2), ("table", 0))}
    return {
        "months": Months(60_000, "3g", names, costs, 6),
        "nochange": NoChange(months, costs[-5:], 14, 0, 0),
        "threads": Threads(3, 60_000, {count: costs[-3:] for count in bench.COUNTS}),
        "peer": Peer(300_000, 12, ways),
        "memory": Memory("1g", peaks),
    }


def shape(lines: list[str]) -> list[str]:
    """Lines without what a measurement decides."""
    return [re.sub(r"[+-]?[\d.,]*\d", "#", line) for line in lines]


def test_the_line_of_costs_that_grow_evenly_has_their_slope_and_leaves_the_warm_up_out() -> None:
    from batch_results import fitted

    line = fitted([500.0, 300.0, 16.0, 18.0, 20.0, 22.0])
    assert line.slope == pytest.approx(2)
    assert line.at(3) == pytest.approx(16)
    assert line.share == pytest.approx(2 / 19)


def test_the_line_is_the_one_of_least_squares() -> None:
    from batch_results import fitted

    # Points (3, 1), (4, 3), (5, 2): slope 0.5 through their middle.
    line = fitted([9.0, 9.0, 1.0, 3.0, 2.0])
    assert (line.slope, line.at(4)) == (pytest.approx(0.5), pytest.approx(2))


def test_costs_that_do_not_grow_have_no_slope() -> None:
    from batch_results import fitted

    assert fitted([40.0, 20.0] + [12.5] * 34).slope == 0


def test_a_line_needs_two_months_after_the_warm_up() -> None:
    from batch_results import fitted

    with pytest.raises(ValueError, match="needs 4 months, there are 3"):
        fitted([1.0, 2.0, 3.0])


def test_the_last_months_stand_beside_the_first_warm_ones() -> None:
    from batch_results import first, last

    costs = [99.0, 99.0, 1.0, 2.0, 3.0, 50.0, 10.0, 20.0, 30.0]
    assert (first(costs), last(costs)) == (2, 20)


def test_what_grows_shows_in_the_table(bench: ModuleType) -> None:
    rows = {
        cells[1].strip(): cells[2].strip()
        for line in bench.batch_docs.months(results(bench)["months"])
        if len(cells := line.split("|")) > 3
    }
    assert rows["mean of months 3 to 5"] == "10.4"
    assert rows["mean of months 34 to 36"] == "13.5"
    assert rows["the last by the first"] == "1.30"
    assert rows["what each month adds"] == "+0.100 (+0.84%)"


def test_results_are_read_as_they_were_written(bench: ModuleType) -> None:
    found = results(bench)
    text = json.loads(json.dumps({name: asdict(item) for name, item in found.items()}))
    assert {name: bench.read(name, item) for name, item in text.items()} == found


def test_months_follow_each_other_over_years(bench: ModuleType) -> None:
    assert [bench.month(k) for k in (0, 1, 12, 13)] == [
        date(2021, 12, 1),
        date(2022, 1, 1),
        date(2022, 12, 1),
        date(2023, 1, 1),
    ]


def test_the_peers_models_differ_by_their_strategy_alone(bench: ModuleType) -> None:
    files = bench.batch_peer.files(date(2024, 1, 1))
    assert len({text for name, text in files.items() if name.endswith(".sql")}) == 1
    models = {item["name"]: item["config"] for item in yaml.safe_load(files["models/peer.yml"])["models"]}
    interval, microbatch = models["revenue_interval"], models["revenue_microbatch"]
    assert (microbatch.pop("lookback"), microbatch.pop("begin"), microbatch.pop("batch_size")) == (
        1,
        "2024-01-01",
        "month",
    )
    assert {**microbatch, "incremental_strategy": "interval"} == interval


def test_the_picture_has_a_point_for_each_month_and_a_line_for_each_kind_of_cost(bench: ModuleType) -> None:
    tree = ET.fromstring(bench.batch_docs.svg(results(bench)["months"]))
    points = [item for item in tree.iter(f"{SVG}circle") if item.find(f"{SVG}title") is not None]
    assert len(points) == 3 * 36
    lines = [item for item in tree.iter(f"{SVG}line") if item.get("stroke")]
    assert len(lines) == 3
    low, high = (float(lines[0].get(end, "")) for end in ("y1", "y2"))
    assert low > high  # what grows rises: SVG counts from the top
    width, height = float(tree.get("width", 0)), float(tree.get("height", 0))
    assert all(0 < float(item.get("cx", -1)) < width and 0 < float(item.get("cy", -1)) < height for item in points)


@pytest.mark.parametrize(("highest", "wanted"), [(0.5, 0.1), (5, 1), (13.6, 5), (61, 20), (90, 20)])
def test_an_axis_has_at_most_six_steps(bench: ModuleType, highest: float, wanted: float) -> None:
    from batch_picture import step

    assert step(highest) == pytest.approx(wanted)


def test_a_page_that_has_no_section_gets_it_and_keeps_the_rest(bench: ModuleType) -> None:
    found = bench.batch_docs.blocks(results(bench))
    page = bench.batch_docs.filled("# Operations\n\nBy hand.\n", found)
    assert page.startswith("# Operations\n\nBy hand.\n\n## What a month costs\n")
    assert [match["name"] for match in bench.batch_docs.BLOCK.finditer(page)] == list(bench.batch_docs.PARTS)
    assert bench.batch_docs.filled(page, found) == page


def test_a_part_that_was_not_measured_keeps_its_block(bench: ModuleType) -> None:
    page = bench.batch_docs.filled("", bench.batch_docs.blocks(results(bench)))
    again = bench.batch_docs.filled(page, {"threads": ["new"]})
    texts = {match["name"]: match["text"] for match in bench.batch_docs.BLOCK.finditer(again)}
    assert texts.pop("threads") == "new\n"
    before = {match["name"]: match["text"] for match in bench.batch_docs.BLOCK.finditer(page)}
    assert texts == {name: text for name, text in before.items() if name != "threads"}


def test_a_page_whose_blocks_are_not_the_benchs_is_refused(bench: ModuleType) -> None:
    page = "## What a month costs\n<!-- batch: months -->\n<!-- end -->\n"
    with pytest.raises(SystemExit, match=r"found: months$"):
        bench.batch_docs.filled(page, {})


def test_the_docs_hold_the_tables_that_the_bench_writes(bench: ModuleType) -> None:
    text = PAGE.read_text()
    found = {match["name"]: match["text"].splitlines() for match in bench.batch_docs.BLOCK.finditer(text)}
    months = int(found["months"][0].split()[0])
    wanted = bench.batch_docs.blocks(results(bench, months))
    # Its rows are named by what was built.
    memory = found.pop("memory")
    assert shape(memory[:2]) == shape(wanted.pop("memory")[:2])
    assert len([line for line in memory if line.startswith("|")]) == 5
    assert {name: shape(lines) for name, lines in found.items()} == {n: shape(lines) for n, lines in wanted.items()}


def test_the_docs_picture_shows_the_months_of_the_docs(bench: ModuleType) -> None:
    text = PAGE.read_text()
    months = int(next(m for m in bench.batch_docs.BLOCK.finditer(text) if m["name"] == "months")["text"].split()[0])
    picture = (bench.batch_docs.DOCS / bench.batch_docs.PICTURE).read_text()
    assert picture.count("<title>month ") == 3 * months
