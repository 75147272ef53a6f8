"""The manifest: concurrent commits, damaged entries, and processes that are killed during a commit."""

from __future__ import annotations

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from penstock.errors import PenstockError
from penstock.lake.arrow_types import ARROW
from penstock.lake.manifest import Entry, Manifest
from penstock.lake.manifest_table import COLUMNS, write_snapshot

from .conftest import GREEN_NEW, GreenFile, Project


def entry(month: int = 1, folder: str = "a", **other: object) -> Entry:
    values = {
        "dataset": "green", "file_month": date(2021, month, 1), "folder": folder, "source": "s", "source_file": "f",
        "sha256": "0", "schema_fingerprint": "0", "bytes": 1, "rows": 2, **other,
    }  # fmt: skip
    return Entry.model_validate(values)


def test_replay(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    assert (manifest.version(), manifest.entries(), manifest.live()) == (0, [], {})
    manifest.commit(entry(1, "a"))
    manifest.commit(entry(2, "b"))
    manifest.commit(entry(1, "c"))
    manifest.commit(entry(2, "b", action="remove"))
    assert manifest.version() == 4
    assert {key: e.folder for key, e in manifest.live().items()} == {("green", date(2021, 1, 1)): "c"}
    assert [e.folder for e in manifest.live(2).values()] == ["a", "b"]
    assert [e.version for e in manifest.entries()] == [1, 2, 3, 4]


def _commit_many(lake: Path, month: int) -> None:
    for number in range(25):
        Manifest(lake).commit(entry(month, f"{month}-{number}"))


def test_concurrent_commits_are_all_kept(tmp_path: Path) -> None:
    workers = [
        multiprocessing.get_context("spawn").Process(target=_commit_many, args=(tmp_path, m)) for m in (1, 2, 3, 4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    entries = Manifest(tmp_path).entries()
    assert [e.version for e in entries] == list(range(1, 101))
    assert {e.folder for e in entries} == {f"{m}-{n}" for m in (1, 2, 3, 4) for n in range(25)}
    assert [e.folder for e in Manifest(tmp_path).live().values()].count("1-24") == 1
    assert not list(Manifest(tmp_path).log_dir.glob(".*"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\xff\xfe"])
def test_a_damaged_entry_is_named(tmp_path: Path, content: bytes) -> None:
    manifest = Manifest(tmp_path)
    manifest.commit(entry())
    path = manifest.log_dir / "0000000001.json"
    path.write_bytes(content)
    with pytest.raises(PenstockError, match=r"0000000001\.json"):
        manifest.live()


def test_a_missing_or_swapped_entry_is_named(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    for month in (1, 2, 3):
        manifest.commit(entry(month))
    second = manifest.log_dir / "0000000002.json"
    text = second.read_bytes()
    second.unlink()
    with pytest.raises(PenstockError, match=r"0000000002.json: no such file"):
        manifest.version()
    second.write_bytes(text.replace(b'"version": 2', b'"version": 3').replace(b'"version":2', b'"version":3'))
    with pytest.raises(PenstockError, match=r"0000000002\.json: the entry of version 3"):
        manifest.entries()


def test_the_snapshot_has_every_commit(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    version, path = write_snapshot(manifest)
    assert (version, pq.read_table(str(path)).num_rows) == (0, 0)
    manifest.commit(entry(1, "a", schema_found=["x:int64"]))
    manifest.commit(entry(1, "b"))
    version, path = write_snapshot(manifest)
    table = pq.read_table(str(path))
    assert version == 2
    assert {f.name: f.type for f in table.schema} == {name: ARROW[kind] for name, (kind, _, _) in COLUMNS.items()}
    assert table.column("is_live").to_pylist() == [False, True]
    assert table.column("schema_found").to_pylist() == ['["x:int64"]', "[]"]
    stamp = path.stat().st_mtime_ns
    assert write_snapshot(manifest) == (2, path)
    assert path.stat().st_mtime_ns == stamp
    assert [p.name for p in path.parent.iterdir()] == ["manifest.parquet"]


def test_a_kill_at_any_point_leaves_the_lake_consistent(project: Project, green_file: GreenFile) -> None:
    """A process lands two files as the same month in turn until it is killed; one of them is live at any time."""
    one, two = green_file(rows=60_000), green_file("2021-02", rows=70_000, types=GREEN_NEW)
    two = two.rename(two.parent / "other.parquet")
    loop = (
        "import itertools, sys, typer; from typer.testing import CliRunner\n"
        "from penstock.cli.lake import register\n"
        "app = typer.Typer(); register(app)\n"
        "for path in itertools.cycle(sys.argv[1:]):\n"
        "    r = CliRunner().invoke(app, ['land', 'green', '--file', path, '--month', '2021-01'])\n"
        "    assert r.exit_code == 0, r.output\n"
        "    print('turn', flush=True)\n"
    )
    chance = random.Random(1)
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", loop, str(one), str(two)], cwd=project.root, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0, 0.6))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        (live,) = project.manifest.live().values()
        assert project.rows("green", "2021-01").num_rows == live.rows
        assert live.rows in (60_000, 70_000)
    assert project.penstock("clean", "--grace", "0d").code == 0
    assert [p.name for p in (project.lake / ".staging").iterdir() if p.name != "downloads"] == []
    assert project.penstock("land", "green", "--file", str(one), "--month", "2021-01").code == 0
    assert project.rows("green", "2021-01").num_rows == 60_000
