"""Tests of bench/against.py: the threads of /proc, dbt's log, ratios, aims, results."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from bench import against, run
from bench.against import PAGES
from bench.against_copies import entry_point, other_versions
from bench.against_side import Side, count_statements, free_ports, merge_settings
from bench.against_tables import Cost, Results, aims, other_threads, read, report_tables, steps, threads
from bench.threads import (
    ENDED,
    FORKED,
    TICK,
    ServerSampler,
    group_of,
    parse_stat,
    read_process,
    server_processes,
)
from penstock.config.settings import load

(PAGE,) = PAGES
ROOT = Path(__file__).resolve().parents[2]
LOG = """\
============================== 14:29:57.284207 | a6454964 ==============================
14:30:40.250470 [debug] [ThreadPool]: Using penstock connection "list_schemas"
14:30:40.251098 [debug] [ThreadPool]: On list_schemas: /* {"app": "dbt"} */
show databases
  -- Using penstock connection "in a statement's own text"
14:30:40.300000 [debug] [ThreadPool]: SQL status: OK in 0.049 seconds
\x1b[0m14:30:41.000000 [debug] [Thread-3 (]: Using penstock connection "unit_test.penstock.a.b"
14:30:46.221433 [debug] [MainThread]: On master: ROLLBACK
14:30:46.221863 [debug] [MainThread]: On master: Close
"""


def cost(spark: float, statements: int = 234, **more: Any) -> Cost:
    cpu_of_threads = {"C2 CompilerThre": spark / 2, "Executor task l": spark / 4, "Thread-7": spark / 4}
    processes = {"spark": spark, "metastore": 8.0, "supervisor": 1.0, "dbt": 12.0}
    return Cost(
        **{**dict(wall=60.0, built=0, nodes=116), **more},
        processes=processes,
        threads=cpu_of_threads,
        statements=statements,
    )


def results(halved: bool = True) -> Results:
    """Return two rounds of two sides; ours takes 0.4 of the base's seconds, or all of them."""
    share = 0.4 if halved else 1.0

    def side(share: float, statements: int) -> dict[str, list[Any]]:
        found = {}
        for step, seconds in (("build 1", 179.0), ("build 2", 79.0), ("build 3", 29.0), ("run", 29.0), ("month", 79.0)):
            items = [cost((seconds + 21 + extra) * share - 21, statements, built=6) for extra in (-2.0, 2.0)]
            found[step] = items
        return found

    sides = {"345e71b": side(1.0, 234), "checkout": side(share, 110 if halved else 234)}
    return Results(160_000, 60_000, "2 cores, 24 GiB", sides)


def cells(lines: list[str]) -> dict[str, list[str]]:
    """Return a Markdown table's rows by their first cell."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows}


def test_a_threads_name_may_have_spaces_and_brackets() -> None:
    fields = ["S", *["0"] * 10, str(3 * TICK), str(TICK), *["0"] * 6, "4711", "0"]
    assert parse_stat(f"12 (GC Thread) #0)) {' '.join(fields)}\n") == ("GC Thread) #0)", 4.0, "4711")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("C2 CompilerThre", "C2 compiler"),
        ("Executor task l", "tasks"),
        ("HiveServer2-Han", "Thrift handlers"),
        ("GC Thread#0", "garbage collection"),
        ("G1 Conc#0", "garbage collection"),
        ("SparkUI-55", "listeners and UI"),
        ("dispatcher-even", "scheduler"),
        ("Sweeper thread", "code sweeper"),
        ("java", "main thread (start)"),
        ("Thread-7", "other"),
    ],
)
def test_threads_belong_to_groups(name: str, wanted: str) -> None:
    assert group_of(name) == wanted


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_cpu_of_threads_that_live_and_that_ended_adds_up_to_the_process(tmp_path: Path) -> None:
    work = "import threading\ndef work(): sum(range(8_000_000))\n"
    work += "t = threading.Thread(target=work); t.start(); t.join(); work(); print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    try:
        with ServerSampler(tmp_path) as sampler:
            (tmp_path / ".penstock").mkdir()
            record = {"state": "ready", "spark": {"pid": process.pid, "started": 1.0}, "metastore": None}
            (tmp_path / ".penstock" / "server.json").write_text(json.dumps(record))
            process.stdout.readline()
        whole = psutil.Process(process.pid).cpu_times()
    finally:
        process.communicate(b"\n")
    assert set(sampler.by_process()) == {"spark"}
    by_thread = sampler.by_thread()
    assert sum(by_thread.values()) == pytest.approx(sampler.by_process()["spark"])
    assert sampler.by_process()["spark"] == pytest.approx(whole.user + whole.system, abs=0.05)
    assert by_thread[FORKED] == 0
    assert by_thread[ENDED] >= -0.05


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_the_supervisors_cpu_is_without_the_servers_other_processes() -> None:
    work = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'sum(range(8_000_000))'])\n"
    work += "print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        process.stdout.readline()
        own, forked = read_process(process.pid)
        assert forked > 0
        assert read_process(process.pid, forks=False) == (own, 0.0)
    finally:
        process.communicate(b"\n")


def test_a_project_without_a_server_has_no_processes(tmp_path: Path) -> None:
    assert server_processes(tmp_path) == {}


def test_statements_are_counted_in_dbts_log() -> None:
    assert count_statements(LOG) == 2


def test_a_lock_that_pins_other_versions_needs_a_separate_environment() -> None:
    lock = (
        "adbc==1.0 \\\n    --hash=sha256:00\n"
        "pyspark[connect]==4.1.4 ; python_version >= '3.10' \\\n    --hash=sha256:00\n"
        "numpy==1.0 ; python_full_version < '3.2' \\\n    --hash=sha256:00\nnot-installed==3 \\\n    --hash=sha256:00\n"
    )
    assert other_versions(lock, {"adbc": "1.0", "pyspark": "4.1.4", "numpy": "2.0"}) == []
    assert other_versions(lock, {"adbc": "1.1", "pyspark": "4.1.3"}) == [
        "adbc 1.1, pinned 1.0",
        "pyspark 4.1.3, pinned 4.1.4",
    ]


def test_the_docs_tables_have_the_columns_of_the_report() -> None:
    """Only the names of the sides and the figures differ."""
    page = [line for line in PAGE.blocks(PAGE.path.read_text())[""] if line.startswith("|")]
    written = [line for line in report_tables(results()) if line.startswith("|")]
    heads = {line.split("|")[1].strip(): line.count("|") for line in written}
    for name in ("step", "aim", "CPU s", "Spark's CPU s"):
        (line,) = (line for line in page if line.split("|")[1].strip() == name)
        assert line.count("|") == heads[name]


def test_this_checkouts_lock_fits_its_own_environment() -> None:
    locks = list(ROOT.glob("requirements*.lock"))
    assert locks
    assert [other for lock in locks for other in other_versions(lock.read_text())] == []


def test_the_command_of_a_commit_is_the_one_that_it_declares() -> None:
    declared = '[project.scripts]\npenstock = "penstock.cli:main"\n\n[tool.x]\n'
    assert entry_point(declared) == ("penstock.cli", "main")
    module, function = entry_point((ROOT / "pyproject.toml").read_text())
    assert callable(getattr(importlib.import_module(module), function))
    with pytest.raises(SystemExit, match="found: none"):
        entry_point("[project]\n")


def test_options_of_the_server_join_those_of_the_settings_file() -> None:
    settings = {"version": 1, "server": {"memory": "4g", "spark_conf": {"a": "1"}, "java_options": ["-Xa"]}}
    server = {"memory": "4g", "spark_conf": {"a": "1", "b": "2=3"}, "java_options": ["-Xa", "-Xb", "-Xc"]}
    wanted = {"version": 1, "server": {**server, "ports": {"ui": 5000}}}
    assert merge_settings(settings, {"ui": 5000}, "-Xb -Xc", ["b=2=3"]) == wanted


def test_the_ports_of_a_copy_are_free_and_not_the_usual_ones(tmp_path: Path) -> None:
    ports = free_ports()
    assert len(set(ports.values())) == 4
    (tmp_path / "penstock.yml").write_text(yaml.safe_dump(merge_settings({"version": 1}, ports)))
    assert load(tmp_path).server.ports.model_dump() == ports


def test_ratios_are_those_of_the_medians_of_all_processes() -> None:
    rows = cells(steps(results()))
    assert rows["`dbt build`, starts the server"][:3] == ["200.0", "80.0", "0.40"]
    assert rows["`dbt run`, one more month"] == [
        *["100.0", "40.0", "0.40", "234", "110", "60.0", "60.0", "116", "116"],
    ]
    assert "`dbt build`, 3rd on this server" in rows


@pytest.mark.parametrize(("halved", "met"), [(True, "yes"), (False, "no")])
def test_each_aim_says_whether_it_is_met(halved: bool, met: str) -> None:
    rows = cells(aims(results(halved)))
    assert {row[-1] for name, row in rows.items() if name.startswith(("CPU", "statements"))} == {met}
    assert len(rows) == 2 + 5


def test_groups_of_threads_add_up_to_spark() -> None:
    rows = cells(threads(results()))
    assert rows["C2 compiler"][0] == "89.5"
    assert rows["other"][0] == "44.8"
    assert rows["all of Spark"][:2] == ["179.0", "59.0"]
    whole = sum(
        float(row[0])
        for name, row in rows.items()
        if name not in ("Spark's CPU s", "all of Spark") and "-" not in row[0]
    )
    assert whole == pytest.approx(179.0, abs=0.2)


def test_one_side_alone_has_no_ratio_and_no_aims() -> None:
    both = results()
    alone = Results(both.rows, both.month_rows, both.machine, {"checkout": both.sides["checkout"]})
    assert not [line for line in report_tables(alone) if "ratio" in line or "aim" in line]


def test_results_are_read_as_they_were_written() -> None:
    found = results()
    assert read(json.loads(json.dumps(asdict(found)))) == found


def test_the_docs_have_the_block() -> None:
    text = PAGE.path.read_text()
    assert list(PAGE.blocks(text)) == [""]
    assert PAGE.blocks(PAGE.fill(text, {"": ["x"]})) == {"": ["x"]}


def test_earlier_results_are_printed_and_written_into_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, earlier = tmp_path / "speed.md", tmp_path / "results.json"
    page.write_text("<!-- made by bench/against.py -->\nold\n<!-- end -->\nBy hand.\n")
    earlier.write_text(json.dumps(asdict(results())))
    monkeypatch.setattr(against, "PAGES", (replace(PAGE, path=page),))
    before = signal.getsignal(signal.SIGTERM)
    try:
        run.main(["against", "--from-results", str(earlier), "--write-docs"])
    finally:
        signal.signal(signal.SIGTERM, before)
    tables = "\n".join(report_tables(results()))
    printed = capsys.readouterr().out
    assert tables in printed
    assert "other threads of checkout: Thread-7 " in printed
    assert page.read_text() == f"<!-- made by bench/against.py -->\n{tables}\n<!-- end -->\nBy hand.\n"


def test_a_run_without_builds_has_its_tables() -> None:
    both = results()
    few = {name: {"run": measured["run"]} for name, measured in both.sides.items()}
    found = Results(both.rows, both.month_rows, both.machine, few)
    assert cells(report_tables(found))["CPU seconds, `dbt run`, nothing changed"] == ["≤ 0.5", "0.40", "yes"]
    assert not [line for line in report_tables(found) if "statements, `dbt build`" in line]
    assert other_threads(found)[0].startswith("other threads of 345e71b: Thread-7 ")


def test_a_command_ends_with_the_benchmark(tmp_path: Path) -> None:
    side = Side.__new__(Side)
    side.name, side.folder, side.bin, side.logs = "checkout", tmp_path, tmp_path, tmp_path
    started = tmp_path / "started"
    (tmp_path / "dbt").write_text(
        f"#!/bin/sh\necho $$ > {started}.part\nmv {started}.part {started}\nexec sleep 1000\n"
    )
    (tmp_path / "dbt").chmod(0o755)

    def end(*_: object) -> None:
        raise SystemExit(1)

    def send_signal() -> None:
        while not started.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, end)
    try:
        threading.Thread(target=send_signal, daemon=True).start()
        with pytest.raises(SystemExit):
            side.run("dbt")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not psutil.pid_exists(int(started.read_text()))
