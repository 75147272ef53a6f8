"""What bench/scale.py reckons, and that docs/scaling.md holds its figures and names settings that there are."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penstock.config.sections import Executors, ServerSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "scaling.md"
MB = 2**20


@pytest.fixture(scope="module", autouse=True)
def bench() -> Iterator[ModuleType]:
    """bench/scale.py, which is a script beside the modules that it imports."""
    sys.path.insert(0, str(ROOT / "bench"))
    import scale

    yield scale
    sys.path.remove(str(ROOT / "bench"))


def build(rows: int, workers: int = 0) -> Any:
    """A build as if measured: 3 CPU seconds of its own, 10 for each million rows in each of two layers of SQL."""
    from scale_results import CHECKED, LAYERS, TRIPS, Build, Layer, Table

    python = 99.0 if rows == 5_000_000 and not workers else 0.0
    cpu = {"staging": 0.0, "intermediate": 10 * rows / 1e6 + 3, "marts": 10 * rows / 1e6, LAYERS[3]: python}
    layers = [Layer(name, int(cpu[name] > 0), cpu[name], cpu[name], cpu[name], cpu[name], 4 * rows, 0) for name in cpu]
    tables = [Table(TRIPS, 12, 24, 50 * rows), Table(CHECKED, 12, 36, 70 * rows)]
    sizes = (1000 * MB, 500 * MB, 300 * MB * workers, 32 * MB, 2 * rows, 8 * rows)
    return Build(workers, 12, rows, 30 * rows, "4g", 99.0, 80.0, 9.0, *sizes, layers, tables)


def results(rows: tuple[int, ...] = (5_000_000, 10_000_000), rounds: int = 1) -> Any:
    """Every part."""
    from scale_results import Files, Fixed, Lake, Results

    files = [Files(count, 900 * count, 300 * count, 500 * count + 1000, 1.0, 0.2) for count in (300, 1200, 5000)]
    fixed = Fixed(60, 6000, 6, 120.0, 90.0, 3.0, 122, 122 * 2000, 0.1, 9.0, 1500 * MB)
    lakes = [Lake(count, 1 + count / 200_000, 300 * MB) for count in rows]
    workers = [build(rows[0], count) for count in (1, 2) for _ in range(rounds)]
    return Results("2026-01-31", lakes, [build(count) for count in rows], workers, fixed, files)


def shape(lines: list[str]) -> list[str]:
    """Lines without what a measurement decides."""
    told = [re.sub(r"[\d.,]*\d( (million|billion))?( (B|KB|MB|GB|TB))?", "#", line) for line in lines]
    return [re.sub(r"\| (none|) *(?=\|)", "| # ", line) for line in told]


def test_a_line_is_the_one_of_least_squares() -> None:
    from scale_results import line

    found = line([(1, 1.0), (2, 3.0), (3, 2.0)])
    assert (found.fixed, found.each) == (pytest.approx(1.0), pytest.approx(0.5))


def test_a_line_needs_two_sizes() -> None:
    from scale_results import line

    with pytest.raises(ValueError, match="two sizes"):
        line([(1, 1.0), (1, 2.0)])


def test_between_two_looks_the_cpu_seconds_are_on_a_straight_line_and_outside_the_ends() -> None:
    from scale_watch import at

    instants, used = [10.0, 12.0, 16.0], [0.0, 4.0, 5.0]
    assert [at(instants, used, when) for when in (9.0, 10.0, 11.0, 14.0, 99.0)] == [0.0, 0.0, 2.0, 4.5, 5.0]


def test_the_rates_are_those_of_the_measured_rows() -> None:
    from scale_plan import rates

    found = rates(results())
    assert (found.cpu, found.cpu_fixed) == (pytest.approx(20), pytest.approx(3))
    assert (found.shuffled, found.stage, found.sent) == (12, 8, 2)
    assert (found.lake, found.trips, found.checked, found.stored) == (30, 50, 70, 120)
    assert found.landed == pytest.approx(200_000)
    assert (found.log, found.checkpoint, found.state) == tuple(map(pytest.approx, (900, 300, 500)))
    assert found.month == 2
    assert found.busy == pytest.approx(0.5)


def test_a_plan_follows_the_formulas() -> None:
    from scale_plan import plan, rates

    found = plan(rates(results()), 1_000_000_000, 100, 1.0)
    # 20 CPU seconds for each of a thousand million, and cores that are busy half of the time.
    assert found.core_hours == pytest.approx((20_000 + 3) / 3600)
    assert (found.cores, found.executors) == (12, 3)
    # 2 bytes for each of 10 million rows a month: 12 months stay far below 1 GB.
    assert (found.intervals, found.commits) == (12, 9)
    assert found.sent == pytest.approx(240e6)
    # 8 bytes for each of 120 million rows, 128 MB each, but two partitions a core.
    assert found.partitions == 24
    # 500 MB and 700 MB a month in files of 128 MB.
    assert found.files == 100 * (4 + 6)
    assert found.state == pytest.approx(1000 * 500)
    assert (found.overhead, found.landing) == (200, pytest.approx(1000 / 0.2 / 3600))


def test_fewer_months_go_into_a_commit_whose_broadcast_would_not_fit() -> None:
    from scale_plan import plan, rates

    found = rates(results())
    months = [plan(found, rows, 120, 24.0).intervals for rows in (1_000_000_000, 10_000_000_000, 100_000_000_000)]
    assert months == [12, 6, 0]
    assert plan(found, 10_000_000_000, 120, 24.0).commits == 20


def test_a_plan_needs_every_part() -> None:
    from scale_plan import rates

    with pytest.raises(ValueError, match="every part"):
        rates(replace(results(), fixed=None))


def test_results_are_read_as_they_were_written() -> None:
    from scale_results import read

    found = results()
    assert read(json.loads(json.dumps(asdict(found)))) == found
    part = replace(found, workers=None, fixed=None, files=None)
    assert read(json.loads(json.dumps(asdict(part)))) == part


def test_a_stage_belongs_to_the_layer_of_the_model_that_ran_when_it_began() -> None:
    from scale_project import Span, by_layer
    from scale_watch import Watch

    watch = Watch([])
    watch.instants, watch.used = [0.0, 100.0], [0.0, 50.0]
    spans = [Span("intermediate", True, 10, 20), Span("marts", True, 20, 40), Span("staging", False, 0, 1)]
    stage = {"executorRunTime": 2000, "executorCpuTime": 1_000_000_000, "shuffleWriteBytes": 7, "diskBytesSpilled": 3}
    stages = [{**stage, "submissionTime": f"1970-01-01T00:00:{second}.500GMT"} for second in (12, 20, 39, 55)]
    found = {item.name: item for item in by_layer(spans, stages, watch)}
    assert (found["intermediate"].shuffled, found["marts"].shuffled, found["staging"].shuffled) == (7, 14, 0)
    assert (found["marts"].cpu, found["marts"].wall, found["marts"].task) == (pytest.approx(10), 20, 4)
    assert (found["staging"].models, found["marts"].models) == (0, 1)


def test_a_tables_files_are_those_that_its_log_has_not_removed(tmp_path: Path) -> None:
    from scale_project import WARM, table

    log = tmp_path / "_delta_log"
    log.mkdir()

    def add(path: str, month: str, size: int) -> str:
        return json.dumps({"add": {"path": path, "size": size, "partitionValues": {"month": month}}})

    first = [add("a", "2024-01-01", 10), add("b", "2024-02-01", 20), add("w", WARM, 99)]
    (log / "00.json").write_text("\n".join(first))
    (log / "01.json").write_text("\n".join([json.dumps({"remove": {"path": "a"}}), add("c", "2024-02-01", 5)]))
    found = table("t", tmp_path)
    assert (found.partitions, found.files, found.size) == (1, 2, 25)


def test_a_part_that_was_not_measured_keeps_its_block(bench: ModuleType) -> None:
    page = bench.scale_docs.filled(PAGE.read_text(), bench.scale_docs.blocks(results()))
    assert bench.scale_docs.filled(page, {}) == page
    again = bench.scale_docs.filled(page, {"workers": ["new"]})
    changed = {m["name"]: m["text"] for m in bench.scale_docs.BLOCK.finditer(again)}
    before = {m["name"]: m["text"] for m in bench.scale_docs.BLOCK.finditer(page)}
    assert {name for name in before if before[name] != changed[name]} == {"workers"}
    assert changed["workers"] == "new\n"


def test_a_page_without_its_blocks_is_refused(bench: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"found: none$"):
        bench.scale_docs.filled("# Plan for size\n", {})


def test_the_docs_hold_the_tables_that_the_bench_writes(bench: ModuleType) -> None:
    found = {m["name"]: m["text"].splitlines() for m in bench.scale_docs.BLOCK.finditer(PAGE.read_text())}
    sizes = [line for line in found["builds"] if "| `staging` |" in line]
    wanted = bench.scale_docs.blocks(results(tuple(5_000_000 * k for k in range(1, len(sizes) + 1))))
    assert list(found) == list(wanted)
    # Its rows of tables are named by what was built.
    tables = ("| `warehouse.", "| `intermediate.")
    assert sum(line.startswith(tables) for line in found["builds"]) >= 5
    named, others = ([line for line in item["builds"] if not line.startswith(tables)] for item in (found, wanted))
    assert shape(named) == shape(others)
    for name in ("fixed", "rates", "plan"):
        assert shape(found[name]) == shape(wanted[name]), name
    # The one part that other parts aren't reckoned from may say that it is still to be done.
    assert shape(found["workers"]) in (shape(wanted["workers"]), ["Not measured yet."])


def test_the_docs_plan_is_reckoned_from_the_docs_rates(bench: ModuleType) -> None:
    """The cells that need one rate alone come out again from the printed one."""
    found = {m["name"]: m["text"].splitlines() for m in bench.scale_docs.BLOCK.finditer(PAGE.read_text())}
    rates = {c[1].strip(" `"): c[3].strip() for line in found["rates"][2:] if len(c := line.split("|")) > 3}
    plan = {c[1].strip(): [x.strip() for x in c[3:-1]] for line in found["plan"][2:] if (c := line.split("|"))}
    for cell, (rows, _, _) in zip(plan["landing by one process"], bench.scale_docs.WANTED, strict=True):
        hours = rows / float(rates["w"].replace(",", "")) / 3600
        assert float(cell.removesuffix(" h").replace(",", "")) == pytest.approx(hours, rel=0.02, abs=0.06)
    for cell, (_, months, _) in zip(plan["what months take besides"], bench.scale_docs.WANTED, strict=True):
        assert float(cell.removesuffix(" s").replace(",", "")) == pytest.approx(float(rates["m"]) * months, abs=2)


def test_the_pages_settings_are_there() -> None:
    text = PAGE.read_text()
    for key in re.findall(r"`server\.executors\.(\w+)`", text):
        assert key in Executors.model_fields, key
    for key in re.findall(r"`server\.(\w+)`", text):
        assert key in ServerSettings.model_fields, key
    code = "".join(path.read_text() for path in (ROOT / "src" / "dbt").rglob("*.py"))
    code += "".join(path.read_text() for path in (ROOT / "macros").rglob("*.sql"))
    for name in ("intervals_per_commit", "target_file_size_mb", "target_file_size", "monthly_partitions"):
        assert name in text and name in code, name
    assert "broadcast('shared_keys')" in (ROOT / "models/intermediate/int_trips_windowed.sql").read_text()
