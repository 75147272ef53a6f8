"""The main job's figures on this machine: first run, warm build, memory of landing a large file.

    .venv/bin/python bench/main_job.py [--rows 20000000]

Works on a copy of the project in a temporary folder, with a server of its own; prints seconds of
wall time and peak memory (MB) of whole processes. No ratio: nothing else does the same job.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PARTS = ["dbt_project.yml", "lake.yml", "penstock.yml", "profiles"]
PARTS += ["models", "python_models", "macros", "seeds", "tests/data"]


def run(folder: Path, *command: str) -> tuple[float, float]:
    """Wall seconds and peak resident memory (MB) of one command; ends the bench when it fails."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    begin = time.monotonic()
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], cwd=folder, env=environment, stdout=words, stderr=words
        )
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            words.seek(0)
            sys.exit(words.read().decode()[-3000:])
    peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
    return time.monotonic() - begin, peak


def project(folder: Path) -> None:
    """A copy of the project's files; jars and class-data archives are the checkout's."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    (folder / "profiles.yml").symlink_to("profiles/profiles.yml")
    (folder / ".penstock").mkdir()
    for shared in ("jars", "cds"):
        (ROOT / ".penstock" / shared).mkdir(parents=True, exist_ok=True)
        (folder / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000_000, help="rows of the file that is landed")
    parser.add_argument("--builds", type=int, default=5, help="warm builds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder)
        try:
            first, _ = run(folder, "penstock", "quickstart")
            print(f"penstock quickstart, nothing there but the environment  {first:7.1f} s", flush=True)
            builds = [run(folder, "dbt", "build")[0] for _ in range(arguments.builds)]
            words = ", ".join(f"{seconds:.1f}" for seconds in builds)
            print(f"dbt build on the sample, warm: median of {words}  {statistics.median(builds):7.1f} s", flush=True)
        finally:
            run(folder, "penstock", "down")
        if arguments.rows:
            sample = ("sample", "--dataset", "yellow", "--months", "2030-01", "--rows", str(arguments.rows))
            seconds, peak = run(folder, "penstock", *sample)
            print(f"making and landing {arguments.rows:,} rows: {seconds:.0f} s, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
