"""dbt, Spark and the metastore killed at random moments of a month's run: one command, and every table is right."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.trips_project import INCREMENTAL, WAIT, Reader, Trips, kill_and_wait, moments
from tests.support.paths import local_path

# By victim: how often a run is killed before the one command that recovers, in each round. With the kills of
# landings they are thirty.
ROUNDS = {"dbt": (5, 4), "spark": (2, 1), "metastore": (2,)}
CASES = [(victim, place) for victim, kills in ROUNDS.items() for place in range(len(kills))]


@pytest.fixture(scope="module")
def reader(trips: Trips) -> Iterator[Reader]:
    """A reader that polls through all of it, and knows both versions of the month."""
    reads = Reader(trips)
    reads.start()
    yield reads
    reads.stop()


def disturbed(trips: Trips, victim: str, after: float) -> int | None:
    """Begin a run, kill the victim after some seconds; dbt's exit code, None when dbt was the victim."""
    assert trips.project.penstock("up").returncode == 0
    dbt = trips.begin(*INCREMENTAL)
    deadline = time.monotonic() + after
    while time.monotonic() < deadline and dbt.poll() is None:
        time.sleep(0.05)
    if victim == "dbt":
        dbt.kill()
        dbt.communicate(timeout=WAIT)
        return None
    kill_and_wait(trips.server(victim))
    output, _ = dbt.communicate(timeout=WAIT)
    assert "Traceback" not in output, output
    return dbt.returncode


@pytest.mark.parametrize(("victim", "place"), CASES)
def test_one_command_recovers(trips: Trips, reader: Reader, victim: str, place: int) -> None:
    """The month changes its version; runs are killed on the way to it; afterwards it is as if nothing had been."""
    trips.change()
    code = None
    for after in moments(100 * CASES.index((victim, place)) + 7, ROUNDS[victim][place], trips.seconds):
        code = disturbed(trips, victim, after)
    # A run that ended in failure left results, so that dbt itself knows what is missing; a killed one did not.
    failed = code == 1 and place % 2 == 0
    done = trips.run("retry") if failed else trips.run()
    assert trips.is_clean(), done.stdout


def test_nothing_is_left_to_build(trips: Trips, reader: Reader) -> None:
    """After all that the ledger counts every month as built."""
    assert "built" not in trips.run(*INCREMENTAL).stdout


def test_the_reader_saw_whole_months_only(reader: Reader) -> None:
    assert reader.reads > 30
    assert reader.wrong == []


def test_ledger_and_data_agree(trips: Trips) -> None:
    """Every data commit of every table names its batch, and the ledger has that batch with that version."""
    for table in ("warehouse.fct_trips", "warehouse.trip_features", "intermediate.int_trips_checked"):
        table_id = trips.project.sql(f"describe detail {table}")[0][1]
        commits = {
            json.loads(row[13])["batch"]: int(row[0])
            for row in trips.project.sql(f"describe history {table}")
            if row[13]
        }
        ledger = trips.project.sql(
            "select distinct batch_id, delta_version from warehouse.batch_runs "
            f"where relation = '{table}' and table_id = '{table_id}' and outcome = 'built'"
        )
        known = {str(batch): int(version) for batch, version in ledger}
        # A replaced table keeps its history under a new id.
        assert known and {batch: at for batch, at in commits.items() if at >= min(known.values())} == known


def test_no_file_is_left_unreferenced(trips: Trips) -> None:
    """After the maintenance command, with no time of grace and no writer, every data file belongs to its table."""
    macro = trips.project.root / "macros" / "maintenance" / "vacuum.sql"
    macro.write_text(macro.read_text().replace("retention_hours < 168", "retention_hours < 0"))
    trips.run("run-operation", "vacuum", "--args", "{retention_hours: 0}")
    cleaned = trips.project.penstock("clean", "--grace", "0d")
    assert cleaned.returncode == 0, cleaned.stdout
    warehouse = local_path(trips.project.settings.warehouse_dir)
    for name in [path.parent for path in sorted(warehouse.glob("*/*/_delta_log"))]:
        there = {path for path in name.rglob("*.parquet") if "_delta_log" not in path.parts}
        table = f"{name.parent.name.removesuffix('.db')}.{name.name}"
        if trips.project.sql(f"show tables in {table.split('.')[0]} like '{name.name}'"):
            files = trips.project.sql(f"select distinct _metadata.file_path from {table}")
            used = {Path(str(row[0]).removeprefix("file:").replace("///", "/").replace("%3D", "=")) for row in files}
            assert there == used, table


def test_no_process_and_no_note_is_left(trips: Trips) -> None:
    assert list((trips.project.root / "target" / "intervals").glob("*")) == []
    root = str(trips.project.root)
    mine = [p for p in psutil.process_iter(["cmdline"]) if any(root in word for word in p.info["cmdline"] or ())]
    assert len(mine) <= 3, "supervisor, metastore and Spark"
