"""Tests of bench/scale.py: rates and estimates, and its tables and settings in pages of docs/explanation."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bench.measure import CpuTimeline, interpolate
from bench.report import DOCS, MB
from bench.scale import PAGES
from bench.scale_plan import compute_rates, fit, make_plan
from bench.scale_project import WARM, Span, by_layer, live_files
from bench.scale_results import CHECKED, LAYERS, TRIPS, Build, Files, Fixed, Lake, Layer, Results, Table, read
from bench.scale_tables import WANTED, report
from penstock.config.sections import Executors, ServerSettings

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = {name: lines for page in PAGES for name, lines in page.blocks(page.path.read_text()).items()}


def build(rows: int, workers: int = 0) -> Build:
    """Return a build of 3 CPU seconds, and 10 more for each million rows in each of two layers of SQL."""
    python = 99.0 if rows == 5_000_000 and not workers else 0.0
    cpu = {"staging": 0.0, "intermediate": 10 * rows / 1e6 + 3, "marts": 10 * rows / 1e6, LAYERS[3]: python}
    layers = [Layer(name, int(cpu[name] > 0), cpu[name], cpu[name], cpu[name], cpu[name], 4 * rows, 0) for name in cpu]
    tables = [Table(TRIPS, 12, 24, 50 * rows), Table(CHECKED, 12, 36, 70 * rows)]
    sizes = (1000 * MB, 500 * MB, 300 * MB * workers, 32 * MB, 2 * rows, 8 * rows)
    return Build(workers, 12, rows, 30 * rows, "4g", 99.0, 80.0, 9.0, *sizes, layers, tables)


def results(rows: tuple[int, ...] = (5_000_000, 10_000_000), rounds: int = 1) -> Results:
    """Return results of every part."""
    files = [Files(count, 900 * count, 300 * count, 500 * count + 1000, 1.0, 0.2) for count in (300, 1200, 5000)]
    fixed = Fixed(60, 6000, 6, 120.0, 90.0, 3.0, 122, 122 * 2000, 0.1, 9.0, 1500 * MB)
    lakes = [Lake(count, 1 + count / 200_000, 300 * MB) for count in rows]
    workers = [build(rows[0], count) for count in (1, 2) for _ in range(rounds)]
    return Results("2026-01-31", lakes, [build(count) for count in rows], workers, fixed, files)


def shape(lines: Sequence[str]) -> list[str]:
    """Return lines without the measured figures."""
    masked = [re.sub(r"[\d.,]*\d( (million|billion))?( (B|KB|MB|GB|TB))?", "#", line) for line in lines]
    return [re.sub(r"\| (none|) *(?=\|)", "| # ", line) for line in masked]


def test_a_line_is_the_one_of_least_squares() -> None:
    assert fit([(1, 1.0), (2, 3.0), (3, 2.0)]) == (pytest.approx(0.5), pytest.approx(1.0))


def test_a_line_needs_two_sizes() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        fit([(1, 1.0), (1, 2.0)])


def test_cpu_seconds_are_interpolated_between_readings() -> None:
    instants, used = [10.0, 12.0, 16.0], [0.0, 4.0, 5.0]
    assert [interpolate(instants, used, when) for when in (9.0, 10.0, 11.0, 14.0, 99.0)] == [0.0, 0.0, 2.0, 4.5, 5.0]


def test_the_rates_are_those_of_the_measured_rows() -> None:
    found = compute_rates(results())
    assert (found.cpu, found.cpu_fixed) == (pytest.approx(20), pytest.approx(3))
    assert (found.shuffled, found.stage, found.sent) == (12, 8, 2)
    assert (found.lake, found.trips, found.checked, found.stored) == (30, 50, 70, 120)
    assert found.landed == pytest.approx(200_000)
    assert found.state == pytest.approx(500)
    assert found.month == 2
    assert found.busy == pytest.approx(0.5)


def test_a_plan_follows_the_formulas() -> None:
    found = make_plan(compute_rates(results()), 1_000_000_000, 100, 1.0)
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
    found = compute_rates(results())
    months = [make_plan(found, rows, 120, 24.0).intervals for rows in (1_000_000_000, 10_000_000_000, 100_000_000_000)]
    assert months == [12, 6, 0]
    assert make_plan(found, 10_000_000_000, 120, 24.0).commits == 20


def test_a_plan_needs_every_part() -> None:
    with pytest.raises(ValueError, match="every part"):
        compute_rates(replace(results(), fixed=None))


def test_results_are_read_as_they_were_written() -> None:
    found = results()
    assert read(json.loads(json.dumps(asdict(found)))) == found
    part = replace(found, workers=None, fixed=None, files=None)
    assert read(json.loads(json.dumps(asdict(part)))) == part


def test_a_stage_belongs_to_the_layer_of_the_model_that_ran_when_it_began() -> None:
    timeline = CpuTimeline([])
    timeline.instants, timeline.used = [0.0, 100.0], [0.0, 50.0]
    spans = [Span("intermediate", True, 10, 20), Span("marts", True, 20, 40), Span("staging", False, 0, 1)]
    stage = {"executorRunTime": 2000, "executorCpuTime": 1_000_000_000, "shuffleWriteBytes": 7, "diskBytesSpilled": 3}
    stages = [{**stage, "submissionTime": f"1970-01-01T00:00:{second}.500GMT"} for second in (12, 20, 39, 55)]
    found = {item.name: item for item in by_layer(spans, stages, timeline)}
    assert (found["intermediate"].shuffled, found["marts"].shuffled, found["staging"].shuffled) == (7, 14, 0)
    assert (found["marts"].cpu, found["marts"].wall, found["marts"].task) == (pytest.approx(10), 20, 4)
    assert (found["staging"].models, found["marts"].models) == (0, 1)


def test_a_tables_files_are_those_that_its_log_has_not_removed(tmp_path: Path) -> None:
    log = tmp_path / "_delta_log"
    log.mkdir()

    def add(path: str, month: str, size: int) -> str:
        return json.dumps({"add": {"path": path, "size": size, "partitionValues": {"month": month}}})

    first = [add("a", "2024-01-01", 10), add("b", "2024-02-01", 20), add("w", WARM, 99)]
    (log / "00.json").write_text("\n".join(first))
    (log / "01.json").write_text("\n".join([json.dumps({"remove": {"path": "a"}}), add("c", "2024-02-01", 5)]))
    found = live_files("t", tmp_path)
    assert (found.partitions, found.files, found.size) == (1, 2, 25)


def test_a_part_that_was_not_measured_has_no_block() -> None:
    assert list(report(replace(results(), workers=None)).blocks) == ["builds", "fixed", "rates", "plan"]
    # Estimates need every part.
    assert list(report(replace(results(), fixed=None)).blocks) == ["builds", "workers"]


def test_the_docs_have_the_tables_that_the_benchmark_writes() -> None:
    found = BLOCKS
    sizes = [line for line in found["builds"] if "| `staging` |" in line]
    wanted = report(results(tuple(5_000_000 * k for k in range(1, len(sizes) + 1)))).blocks
    assert list(found) == list(wanted)
    # The rows of the table of files are named by what was built.
    tables = ("| `warehouse.", "| `intermediate.")
    assert sum(line.startswith(tables) for line in found["builds"]) >= 5
    named, others = ([line for line in item["builds"] if not line.startswith(tables)] for item in (found, wanted))
    assert shape(named) == shape(others)
    for name in ("fixed", "rates", "plan"):
        assert shape(found[name]) == shape(wanted[name]), name
    # No estimate depends on this part, so that it may be missing.
    assert shape(found["workers"]) in (shape(wanted["workers"]), ["Not measured yet."])


def test_the_docs_plan_follows_from_the_docs_rates() -> None:
    """Cells that need one rate alone follow from the printed rate."""
    rates = {c[1].strip(" `"): c[3].strip() for line in BLOCKS["rates"][2:] if len(c := line.split("|")) > 3}
    plan = {c[1].strip(): [x.strip() for x in c[3:-1]] for line in BLOCKS["plan"][2:] if (c := line.split("|"))}
    for cell, (rows, _, _) in zip(plan["landing by one process"], WANTED, strict=True):
        hours = rows / float(rates["w"].replace(",", "")) / 3600
        assert float(cell.removesuffix(" h").replace(",", "")) == pytest.approx(hours, rel=0.02, abs=0.06)
    for cell, (_, months, _) in zip(plan["what months take besides"], WANTED, strict=True):
        assert float(cell.removesuffix(" s").replace(",", "")) == pytest.approx(float(rates["m"]) * months, abs=2)


def test_the_pages_settings_are_there() -> None:
    text = "".join((DOCS / "explanation" / page).read_text() for page in ("scaling.md", "limits.md"))
    for key in re.findall(r"`server\.executors\.(\w+)`", text):
        assert key in Executors.model_fields, key
    for key in re.findall(r"`server\.(\w+)`", text):
        assert key in ServerSettings.model_fields, key
    code = "".join(path.read_text() for path in (ROOT / "src" / "dbt").rglob("*.py"))
    code += "".join(path.read_text() for path in (ROOT / "macros").rglob("*.sql"))
    for name in ("intervals_per_commit", "target_file_size_mb", "target_file_size", "monthly_partitions"):
        assert name in text and name in code, name
    assert "broadcast('shared_keys')" in (ROOT / "models/intermediate/int_trips_windowed.sql").read_text()
