"""Python models on a real server: what they return, how it is written, how they fail and are stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from penstock.plans.rest_api import SparkRestApi
from penstock.spark import jars, java
from penstock.spark.class_archive import Archive
from penstock.spark.server import control
from tests.adapter import python_project
from tests.support import intruder
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import Project

BUILT = {name for name in python_project.MODELS if not name.startswith(("f_", "slow_"))}
WINDOW = ("--event-time-start", "2024-01-01", "--event-time-end", "2024-01-04")
SELECT = ("--exclude", "tag:wrong", "tag:slow")


@dataclass(frozen=True)
class Run:
    """A project after a run of dbt, with what that printed."""

    project: Project
    code: int
    text: str

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a statement."""
        return self.project.sql(query)

    def failure(self, model: str) -> str:
        """What dbt said of a model that failed, on one line."""
        end = self.text[self.text.index(f"in model {model} (") :]
        return " ".join(re.sub(r"\d\d:\d\d:\d\d", "", end.partition("compiled code at")[0]).split())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The small project."""
    return python_project.make(tmp_path_factory.mktemp("python") / "small", host)


@pytest.fixture(scope="module")
def archived(project: Project) -> bool:
    """Whether the server's classes lie in an archive already: the first server to end in order leaves one."""
    settings, found = project.settings, java.find(None)
    path = jars.class_path(jars.server_jars(settings, found))
    return Archive.find(settings.shared_dir, "spark", found, path).file.exists()


@pytest.fixture(scope="module")
def first(project: Project, archived: bool) -> Run:
    """Every model that can be built, once."""
    done = project.dbt("run", *SELECT, *WINDOW)
    assert done.returncode == 0, done.stdout[-8000:]
    return Run(project, done.returncode, done.stdout)


@pytest.fixture(scope="module")
def again(first: Run) -> Run:
    """A second run, in which incremental models add to their tables and one refuses its new columns."""
    done = first.project.dbt(
        "run",
        *WINDOW,
        "--select",
        "i_append",
        "i_merge",
        "i_overwrite",
        "i_overwrite_parquet",
        "i_sync",
        "i_fail",
        "batched",
        "r_arrow",
        "r_pandas",
    )
    return Run(first.project, done.returncode, done.stdout)


@pytest.fixture(scope="module")
def failed(again: Run) -> Run:
    """A run in which everything fails that can."""
    done = again.project.dbt("run", "--select", "tag:wrong", "h_delta", "h_parquet", "r_rdd", FAIL="1")
    assert done.returncode == 1, done.stdout[-8000:]
    return Run(again.project, done.returncode, done.stdout)


def tables(project: Project) -> set[str]:
    """All tables and views of the schema."""
    return {row[1] for row in project.sql("show tables in w")}


def detail(run: Run, table: str) -> str:
    """DESCRIBE DETAIL as text."""
    return str(run.sql(f"describe detail w.{table}")[0])


def test_every_kind_of_frame_becomes_a_table(first: Run) -> None:
    """Spark with a UDF and a dataclass, pandas, pandas-on-Spark and pyarrow."""
    assert first.sql("select * from w.r_spark order by id") == [(i, "A!") for i in range(4)]
    assert first.sql("select k, v from w.r_pandas order by k") == [("a", 1), ("b", 2)]
    assert first.sql("select k, v from w.r_on_spark order by k") == [("a", 3), ("b", 3)]
    assert first.sql("select a, p from w.r_arrow order by a") == [(1, 7), (2, 7)]
    assert first.sql("select price from w.enforced order by id")[1][0] == 1


def test_the_layout_is_as_configured(first: Run) -> None:
    """Clustering and properties of a Delta table, partitions; partitions, buckets and folder of a parquet one."""
    assert '["id"]' in detail(first, "r_spark") and "s me" in detail(first, "r_spark")
    assert '["k"]' in detail(first, "r_pandas")
    arrow = {row[0]: row[1] for row in first.sql("describe table extended w.r_arrow")}
    assert (arrow["Provider"], arrow["Num Buckets"], arrow["Bucket Columns"]) == ("parquet", "2", "[`a`]")
    assert arrow["# Partition Information"] == "" and arrow["Location"].endswith("/elsewhere/r_arrow")


def test_prints_settings_and_config_reach_the_log(first: Run) -> None:
    """`print`, spark_conf, dbt.batch, dbt.this and dbt.config as the model sees them."""
    assert "r_spark: partitions 3 None w.r_spark" in first.text
    assert "r_spark: meta 3 {'level': 3}" in first.text


def test_sparks_ui_names_jobs_after_their_node(first: Run) -> None:
    """In the job's description and its tags."""
    found = [job for job in jobs(first.project) if "model.small.r_spark" in job.get("description", "")]
    assert found
    assert any(tag.endswith("_Tag_model.small.r_spark") for job in found for tag in job["jobTags"])


def test_a_driver_of_its_own_has_rdds_and_the_jvm(first: Run) -> None:
    """It shares the tables, has the model's master and memory, and its jobs bear the node's name."""
    assert first.sql("select * from w.r_rdd") == [(90, 4, 4)]
    assert "r_rdd: application model.small.r_rdd local[1] 900m" in first.text
    assert "r_rdd: described model.small.r_rdd" in first.text


def test_a_driver_loads_its_classes_from_the_servers_archive(first: Run, archived: bool) -> None:
    """Where there is one: the Java machine has it in its memory."""
    assert f"r_rdd: archive {archived}" in first.text or not archived


def test_nothing_else_is_left(first: Run) -> None:
    """No temporary table or view, no file of a driver."""
    assert tables(first.project) == BUILT
    root = first.project.root
    known = {"models", "profiles.yml", "dbt_project.yml", "penstock.yml", "elsewhere", "target", "logs"}
    assert {path.name for path in root.iterdir()} - {".user.yml"} == known
    assert not list((first.project.settings.state_dir / "tmp").glob("model-*"))


def test_batches_read_their_own_window(again: Run) -> None:
    """Of a TIMESTAMP, a TIMESTAMP_NTZ and a DATE; twice run, the rows are the same."""
    rows = again.sql("select id, cast(began as string), ntz, date from w.batched order by id")
    assert [row[:2] for row in rows] == [
        (1, "2024-01-01 00:00:00"),
        (2, "2024-01-01 00:00:00"),
        (3, "2024-01-02 00:00:00"),
        (4, "2024-01-03 00:00:00"),
    ]
    assert [row[2:] for row in rows] == [(2, 2), (2, 2), (1, 1), (1, 1)]


def test_strategies(again: Run) -> None:
    """Append, merge, insert_overwrite: the second run's rows beside or in place of the first's."""
    assert again.sql("select id, added from w.i_append order by id") == [(0, None), (1, None), (2, "n"), (3, "n")]
    assert again.sql("select id, later from w.i_merge order by id") == [(0, False), (1, True), (2, True)]
    for table in ("i_overwrite", "i_overwrite_parquet"):
        assert again.sql(f"select p, v from w.{table} order by p") == [("a", 1), ("b", 10)]


def test_schema_changes(again: Run) -> None:
    """A column more, one less, a wider type; and a refusal that names the difference."""
    assert again.sql("select * from w.i_sync order by id") == [(1, None), (5, "n")]
    types = {row[0]: row[1] for row in again.sql("describe w.i_sync")}
    assert types == {"id": "bigint", "fresh": "string"}
    assert again.code == 1
    assert "fresh (int) is new; id is missing" in again.failure("i_fail")
    assert again.sql("select * from w.i_fail") == [(0,)]
    assert "ERROR=1 " in again.text


def test_a_failure_half_way_leaves_the_old_table(failed: Run) -> None:
    """On Delta, on parquet, in a driver of its own; and nothing beside it."""
    for table in ("h_delta", "h_parquet"):
        assert failed.sql(f"select * from w.{table} order by id") == [(0,), (1,), (2,)]
    assert failed.sql("select * from w.r_rdd") == [(90, 4, 4)]
    assert tables(failed.project) == BUILT
    assert not list((failed.project.settings.state_dir / "tmp").glob("model-*"))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("f_line", "models/f_line.py, line 5: KeyError: 'fare'"),
        ("h_delta", "models/h_delta.py, line 7: ValueError: no such fare"),
        ("h_parquet", "models/h_parquet.py: "),
        ("h_parquet", "[DIVIDE_BY_ZERO]"),
        ("r_rdd", "models/r_rdd.py, line 7: ZeroDivisionError: integer division or modulo by zero"),
        ("f_kind", "found: list. do: return one from model()"),
        ("f_packages", "no-such-package-here>=2 (not installed). do: pip install 'no-such-package-here>=2'"),
        (
            "f_conf",
            "spark.executor.memory, which is fixed at its start or unknown to it. do: set submission_method: sp",
        ),
        ("f_timeout", "within 2 s (timeout)"),
        ("f_columns", "lost is missing; extra (int) is not declared; id is int, declared bigint"),
    ],
)
def test_errors_name_what_to_change(failed: Run, model: str, words: str) -> None:
    """The user's file, line and message; or what was needed, found and is to be done."""
    assert words in failed.failure(model)


def test_errors_have_no_stack(failed: Run) -> None:
    """Neither the adapter's nor Spark's; a print before the error is in the log."""
    assert "Traceback" not in failed.text and "\tat org." not in failed.text and "JVM stacktrace" not in failed.text
    assert "stacktrace" not in failed.text
    assert "f_line: rows 3" in failed.text


@pytest.mark.parametrize("reads", ["dbt.ref('events_at')", "dbt.source('outside', 'events_at')"])
def test_empty_and_sample_reach_python_models(failed: Run, reads: str) -> None:
    """dbt itself leaves a Python model's refs whole, and takes a source's limit for its name."""
    project = failed.project
    model, source = (project.root / "models" / name for name in ("sampled.py", "outside.yml"))
    model.write_text(f"def model(dbt, session):\n    dbt.config(materialized='table')\n    return {reads}\n")
    table = {"name": "events_at", "config": {"event_time": "at"}}
    source.write_text(yaml.safe_dump({"sources": [{"name": "outside", "schema": "w", "tables": [table]}]}))
    try:
        for flags, expected in (
            (("--empty",), []),
            (("--sample", "{'start': '2024-01-02', 'end': '2024-01-03'}"), [(3,)]),
        ):
            done = project.dbt("run", "--select", "sampled", *flags)
            assert done.returncode == 0, done.stdout
            assert project.sql("select id from w.sampled") == expected
    finally:
        model.unlink()
        source.unlink()
        project.sql("drop table if exists w.sampled")


def jobs(project: Project, query: str = "") -> list[dict[str, Any]]:
    """Spark's jobs as its UI's REST API gives them."""
    server = control.current(project.settings)
    assert server
    return list(SparkRestApi(server.ui_link).get(f"jobs{query}"))


def drivers(project: Project) -> list[str]:
    """Processes of this project's spark_submit drivers."""
    mark = str(project.settings.state_dir / "tmp" / "model-")
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if mark in line]


def test_an_interrupt_ends_running_models(failed: Run) -> None:
    """Ctrl-C: the server's job ends, the driver of its own too, no table appears, dbt leaves with an error."""
    root, log = failed.project.root, failed.project.root / "logs" / "interrupted.txt"
    with log.open("w") as out:
        dbt = subprocess.Popen(
            [str(Path(sys.executable).parent / "dbt"), "--no-use-colors", "run", "--select", "tag:slow"],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(
            lambda: "slow_submit: it waits" in log.read_text() and jobs(failed.project, "?status=running"),
            "both models at work",
        )
        assert drivers(failed.project)
        if os.getuid() == 0:  # who can become another user
            served = intruder.listening([dbt.pid])
            assert len(served) >= 4, "of a driver: messages, blocks, pages, Py4J"
            for port, result in intruder.intrude(served)["ports"].items():
                assert result["refused"] and not result["through"], (port, served[int(port)], result)
        dbt.send_signal(signal.SIGINT)
        assert dbt.wait(LIMIT) != 0
    finally:
        dbt.kill()
    wait_until(lambda: not jobs(failed.project, "?status=running"), "the end of the server's jobs")
    wait_until(lambda: not drivers(failed.project), "the end of the driver")
    assert tables(failed.project) == BUILT
    assert not list((failed.project.settings.state_dir / "tmp").glob("model-*"))
