"""`penstock quickstart`, behind `make run`: sample lake, server, `dbt build`, summary.

The sample is made, the server starts and dbt reads the project at the same time. A lake that already holds months
is left as it is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from penstock.config.settings import Settings, load
from penstock.spark.server import control
from penstock.workflows.dbt_build import DbtBuild, Progress
from penstock.workflows.progress import Phases

# Of models that learn, or that take a driver of their own: minutes, not the first one.
LEARNING = "ml"
PAUSE = 0.2
STOP_SECONDS = 60.0
STYLES = {"warn": "yellow", "error": "red"}


class Starting(threading.Thread):
    """The server's start, on a thread of its own."""

    def __init__(self, settings: Settings, phases: Phases) -> None:
        super().__init__(daemon=True)
        self._settings, self._phases = settings, phases
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Start the server; each thing that takes time is a phase."""
        try:
            with ExitStack() as stack:
                if running := control.current(self._settings):
                    stack.enter_context(self._phases.phase("server")).say(f"already up, {running.ui or 'no UI'}")
                    return
                control.up(self._settings, lambda text: self._next(stack, text))
        except BaseException as error:
            self._failure = error

    def _next(self, stack: ExitStack, text: str) -> None:
        """One thing has ended, the next one begins."""
        stack.close()
        phase = stack.enter_context(self._phases.phase("jars" if "jars" in text else "server"))
        phase.say(text)

    def wait(self) -> None:
        """Return when the server is up.

        Raises:
            PenstockError: it could not be started.
        """
        while self.is_alive():
            self.join(PAUSE)  # a wait without limit would not hear Ctrl-C
        if self._failure:
            raise self._failure


class Sampling(threading.Thread):
    """The sample, made by `penstock sample` in a process of its own: it and dbt need a processor each."""

    def __init__(self, settings: Settings, phases: Phases) -> None:
        super().__init__(daemon=True)
        self._settings, self._phases = settings, phases
        self._process: subprocess.Popen[str] | None = None
        self._failure: BaseException | None = None
        self._printed = ""

    def run(self) -> None:
        """Make it, unless the lake has months."""
        from penstock.lake.manifest import Manifest

        try:
            manifest = Manifest(self._settings.lake_dir)
            if live := manifest.live():
                with self._phases.phase("lake") as phase:
                    phase.say(f"{len(live)} live months; no sample is needed")
                return
            with self._phases.phase("sample") as phase:
                phase.say("making trips")
                self._make(lambda: phase.say(f"making trips; {manifest.version()} months landed"))
                live = manifest.live()
                phase.say(f"{len(live)} months, {sum(entry.rows for entry in live.values()):,} rows")
        except BaseException as error:
            self._failure = error

    def _make(self, tick: Callable[[], None]) -> None:
        """Run the command, with a call of `tick` now and then.

        Raises:
            typer.Exit: it failed, with its exit code.
        """
        command = [sys.executable, "-m", "penstock.cli.main", "sample", "--if-empty"]
        # A file, not a pipe: nobody reads while it runs.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            self._process = subprocess.Popen(command, cwd=self._settings.root, stdout=out, stderr=out, text=True)
            while self._process.poll() is None:
                tick()
                time.sleep(PAUSE)
            out.seek(0)
            self._printed = out.read()
        if self._process.returncode:
            raise typer.Exit(self._process.returncode)

    def wait(self) -> None:
        """Return when there are months.

        Raises:
            typer.Exit: the sample failed; what it printed is shown.
        """
        while self.is_alive():
            self.join(PAUSE)
        if self._failure:
            print(self._printed, end="", file=sys.stderr)
            raise self._failure

    def stop(self) -> None:
        """Interrupt what still runs, and wait for its end: a month is landed whole or not at all."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)


def build(settings: Settings, phases: Phases, verbose: bool, sample: Sampling, starting: Starting) -> int:
    """Read the project, wait for sample and server, build; dbt's exit code.

    Raises:
        PenstockError: the server did not start.
        typer.Exit: the sample failed.
    """
    dbt = DbtBuild(settings.root, verbose, lambda words, level: phases.note(words, STYLES[level]))
    with phases.phase("parse") as phase:
        phase.say("dbt reads the project")
        valid = dbt.parse()
        phase.say("the project is read" if valid else "the project is not valid")
    sample.wait()
    starting.wait()
    if not valid:
        return dbt.code
    with phases.phase("build") as phase:
        progress = Progress()

        def hear(event: Any) -> None:
            progress.hear(event)
            phase.say(str(progress))

        words = dbt.run(hear, "--exclude", f"tag:{LEARNING}")
        phase.say(f"{progress.done} nodes{', of them ' + words if words else ''}")
    return dbt.code


def run(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show all of dbt's own lines.")] = False,
) -> None:
    """Make the sample lake, start the server, build and test the warehouse, show what came out."""
    settings = load()
    control.refuse_remote(settings)
    begin = time.monotonic()
    # dbt runs in this process: in the project's folder, with this environment's programs.
    os.chdir(settings.root)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with Phases(Console(highlight=False), quiet=verbose) as phases:
        starting, sample = Starting(settings, phases), Sampling(settings, phases)
        starting.start()
        sample.start()
        from penstock.report import build_summary  # its imports take as long as the first steps of the server

        results = settings.root / build_summary.target_folder() / "run_results.json"
        results.unlink(missing_ok=True)  # what an earlier build left must not pass for this one's
        found: build_summary.Summary | None = None
        try:
            code = build(settings, phases, verbose, sample, starting)
        finally:
            sample.stop()
        if results.exists():
            with phases.phase("summary") as phase:
                phase.say("rows, tests, joins")
                found = build_summary.gather(settings)
    if found:
        build_summary.show(found, time.monotonic() - begin)
    if code:
        raise typer.Exit(code)


def last() -> None:
    """Show the summary of the last build again."""
    from penstock.report import build_summary

    build_summary.show(build_summary.gather(load()), None)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="quickstart")(run)
    app.command(name="summary")(last)
