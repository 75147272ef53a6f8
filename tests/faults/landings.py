"""Landings in processes that tests kill, and checks of the lake afterwards."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from penstock.cli.main import main
from penstock.lake.manifest import Entry, Manifest
from penstock.lake.sample import SampleMonth, write_raw
from penstock.lake.verification import find_problems
from tests.support import forked_commands
from tests.support.paths import local_path

ROOT = Path(__file__).resolve().parents[2]
MONTH, NAME = date(2023, 1, 1), "yellow_tripdata_2023-01.parquet"
# Python's audit events for changes of names on the disk.
STEPS = ("os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir")
# Children of a fork server that has imported this module start at once and have one thread.
PROCESSES = forked_commands.CONTEXT
forked_commands.preload(__name__)


def penstock(root: Path, arguments: tuple[str, ...], ready: Connection, last_step: int, file_bytes: int) -> None:
    """Run penstock in this process, with its output in `output.txt`.

    Args:
        ready: told when everything is imported, and at the end how many steps there were.
        last_step: the step on the lake's disk to die before; 0 for none.
        file_bytes: what a file may grow to; 0 for any size.
    """
    os.chdir(root)
    os.environ |= {"COLUMNS": "200", "NO_COLOR": "1"}
    with Path("output.txt").open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.argv = ["penstock", *arguments]
    steps = 0

    def step(event: str, args: tuple[object, ...]) -> None:
        nonlocal steps
        if event in STEPS and "/lake/" in str(args[0]):
            steps += 1
            if steps == last_step:
                os.kill(os.getpid(), signal.SIGKILL)

    if file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    ready.send("ready")
    sys.addaudithook(step)
    try:
        main()
    finally:
        sys.stdout.flush()
        ready.send(steps)


@dataclass(frozen=True)
class Running:
    """A running penstock command."""

    process: BaseProcess
    pipe: Connection
    output: Path

    def end(self) -> tuple[int | None, str]:
        """(exit code, both streams)."""
        self.process.join(120)
        return self.process.exitcode, self.output.read_text()

    @property
    def steps(self) -> int:
        """The number of changes of names in the lake, once the command has ended by itself."""
        return int(self.pipe.recv())


@dataclass(frozen=True)
class Project:
    """A project folder with a lake."""

    root: Path

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    def start(self, *arguments: str, last_step: int = 0, file_bytes: int = 0) -> Running:
        """Start penstock and wait until its imports are done."""
        ours, theirs = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=penstock, args=(self.root, arguments, theirs, last_step, file_bytes))
        process.start()
        theirs.close()
        assert ours.recv() == "ready"
        return Running(process, ours, self.root / "output.txt")

    def run(self, *arguments: str, last_step: int = 0, file_bytes: int = 0) -> tuple[int | None, str]:
        """(exit code, both streams)."""
        return self.start(*arguments, last_step=last_step, file_bytes=file_bytes).end()

    def live(self) -> Entry | None:
        """Return the month's live entry, or None; fails on a damaged log."""
        return Manifest(self.lake).live().get(("yellow", MONTH))

    def damage(self) -> list[str]:
        """What is wrong with the files of all live months."""
        return [problem.found for problem in find_problems(self.lake, Manifest(self.lake).live().values())]

    def files(self) -> set[str]:
        """Return every file of the lake's folder."""
        return {path.relative_to(self.lake).as_posix() for path in self.lake.rglob("*") if path.is_file()}

    def check_clean(self) -> None:
        """Assert that `clean` without a grace period leaves only live files, the log and the lake's lock."""
        code, output = self.run("clean", "--grace", "0d")
        assert code == 0, output
        manifest = Manifest(self.lake)
        log = {f"manifest/log/{version:010d}.json" for version in range(1, manifest.version() + 1)}
        live = {entry.path(Path()).as_posix() for entry in manifest.live().values()}
        assert self.files() - {".publish.lock"} == {".lake.lock", *log, *live}


@dataclass(frozen=True)
class Sources:
    """Two files of the same month, with the project of an undisturbed landing of each and the seconds that it took."""

    old: Path
    new: Path
    undisturbed: dict[Path, Project]
    seconds: float

    def project(self, root: Path, scenario: str) -> Project:
        """Make a lake for a scenario: without the month, with the old file, or with a truncated new file."""
        project = make(root)
        if scenario != "landed":
            before = self.old if scenario == "replaced" else self.new
            shutil.copytree(self.undisturbed[before].lake, project.lake)
        if scenario == "repaired":
            os.truncate(local_path(self.landed(self.new).path(project.lake)), 1000)
        return project

    def landed(self, source: Path) -> Entry:
        """Return the entry of a source's undisturbed landing."""
        entry = self.undisturbed[source].live()
        assert entry is not None
        return entry


def make(root: Path) -> Project:
    root.mkdir(parents=True)
    shutil.copy(ROOT / "lake.yml", root / "lake.yml")
    (root / "dbt_project.yml").write_text("name: x\n")
    return Project(root)


def land(source: Path) -> tuple[str, ...]:
    return "land", "yellow", "2023-01", "--from", str(source.parent)


def month_of(entry: Entry | None) -> dict[str, object] | None:
    """Return the fields of an entry that do not depend on when it was committed."""
    if entry is None:
        return None
    fields: dict[str, object] = json.loads(entry.model_dump_json(exclude={"version", "landed_at"}))
    return fields


def make_sources(folder: Path, rows: int) -> Sources:
    undisturbed, seconds = {}, 0.0
    for seed in (1, 2):
        path = folder / str(seed) / NAME
        path.parent.mkdir(parents=True)
        write_raw(SampleMonth("yellow", MONTH, rows, seed), path)
        project = make(folder / f"undisturbed-{seed}")
        running = project.start(*land(path))
        begin = time.monotonic()
        assert running.end()[0] == 0
        seconds = time.monotonic() - begin
        entry = project.live()
        assert entry is not None and entry.rows == rows and project.damage() == []
        project.check_clean()
        undisturbed[path] = project
    old, new = undisturbed
    return Sources(old, new, undisturbed, seconds)
