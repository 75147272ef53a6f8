"""Create the sample lake, start the server and build the warehouse.

Creating the sample, starting the server and parsing the dbt project begin at the same time. If the lake already has
months, no sample is created.
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
from typing import TYPE_CHECKING, Any

from penstock.config.profiles import target_folder
from penstock.config.settings import Settings
from penstock.spark.server import control
from penstock.workflows.dbt_runner import BuildProgress, DbtBuild
from penstock.workflows.progress import Phases

if TYPE_CHECKING:
    from penstock.report.build_summary import Summary

# The first build excludes models with this tag: training, and models with a separate Spark driver, take minutes.
EXCLUDED_TAG = "ml"
POLL_SECONDS = 0.2
STOP_SECONDS = 60.0
STYLES = {"warn": "yellow", "error": "red"}


class SampleError(Exception):
    """`penstock sample` failed.

    Attributes:
        exit_code: the exit code of the command.
        output: the text that the command printed.
    """

    def __init__(self, exit_code: int, output: str) -> None:
        super().__init__(f"penstock sample exited with {exit_code}")
        self.exit_code, self.output = exit_code, output


class BackgroundStep(threading.Thread):
    """A step of the quickstart on its own thread. Subclasses implement `_work`."""

    def __init__(self, settings: Settings, phases: Phases) -> None:
        super().__init__(daemon=True)
        self._settings, self._phases = settings, phases
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Do the work. If the work fails, keep the exception, which `wait` then raises."""
        try:
            self._work()
        except BaseException as error:
            self._failure = error

    def _work(self) -> None:
        """Do the work of the step. Each subclass overrides this method, so this body never runs."""
        raise NotImplementedError

    def wait(self) -> None:
        """Wait until the work has ended. If the work failed, raise its exception."""
        while self.is_alive():
            self.join(POLL_SECONDS)  # A join without a timeout would block Ctrl-C.
        if self._failure:
            raise self._failure


class ServerStart(BackgroundStep):
    """The start of the server. Each step of the start is shown as a phase."""

    def _work(self) -> None:
        with ExitStack() as stack:
            if running := control.current(self._settings):
                phase = stack.enter_context(self._phases.phase("server"))
                phase.update(f"already up, {running.ui or 'no UI'}")
                return
            control.up(self._settings, lambda text: self._next_phase(stack, text))

    def _next_phase(self, stack: ExitStack, text: str) -> None:
        """End the current phase and begin a new one, which shows `text`."""
        stack.close()
        phase = stack.enter_context(self._phases.phase("jars" if "jars" in text else "server"))
        phase.update(text)


class SampleCreation(BackgroundStep):
    """The creation of the sample by `penstock sample`, in a separate process, so that dbt can use another CPU core."""

    _process: subprocess.Popen[str] | None = None

    def _work(self) -> None:
        from penstock.lake.manifest import Manifest

        manifest = Manifest(self._settings.lake_dir)
        if live := manifest.live():
            with self._phases.phase("lake") as phase:
                phase.update(f"{len(live)} live months; no sample is needed")
            return
        with self._phases.phase("sample") as phase:
            phase.update("making trips")
            self._run_command(lambda: phase.update(f"making trips; {manifest.version()} months landed"))
            live = manifest.live()
            phase.update(f"{len(live)} months, {sum(entry.rows for entry in live.values()):,} rows")

    def _run_command(self, on_poll: Callable[[], None]) -> None:
        """Run `penstock sample`, and call `on_poll` several times per second.

        Raises:
            SampleError: the command failed.
        """
        command = [sys.executable, "-m", "penstock.cli.main", "sample", "--if-empty"]
        # Write the output to a file, because a pipe that nothing reads before the command ends could fill up.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            self._process = subprocess.Popen(command, cwd=self._settings.root, stdout=output, stderr=output, text=True)
            while self._process.poll() is None:
                on_poll()
                time.sleep(POLL_SECONDS)
            if self._process.returncode:
                output.seek(0)
                raise SampleError(self._process.returncode, output.read())

    def stop(self) -> None:
        """Interrupt the command and wait until it ends. Each month is then either completely landed or not at all."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)


def run(settings: Settings, phases: Phases, verbose: bool) -> tuple[int, Summary | None]:
    """Create the sample, start the server, and build and test the warehouse.

    This function changes the working folder of the current process to the project's folder, because dbt runs in this
    process.

    Args:
        settings: the settings of a target whose server penstock manages.
        phases: the display of the progress.
        verbose: whether dbt prints its own output.

    Returns:
        (dbt's exit code, the summary of the build, or None if dbt built nothing).

    Raises:
        PenstockError: the server did not start.
        SampleError: `penstock sample` failed.
    """
    os.chdir(settings.root)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    server, sample = ServerStart(settings, phases), SampleCreation(settings, phases)
    server.start()
    sample.start()
    from penstock.report import build_summary  # A slow import: it runs here, while the server and the sample start.

    results = target_folder(settings.root) / "run_results.json"
    results.unlink(missing_ok=True)  # The summary must not read the results of an earlier build.
    try:
        exit_code = _build(settings, phases, verbose, sample, server)
    finally:
        sample.stop()
    if not results.exists():
        return exit_code, None
    with phases.phase("summary") as phase:
        phase.update("rows, tests, joins")
        return exit_code, build_summary.gather(settings)


def _build(settings: Settings, phases: Phases, verbose: bool, sample: SampleCreation, server: ServerStart) -> int:
    """Parse the project, wait for the sample and the server, build the warehouse, and return dbt's exit code."""
    dbt = DbtBuild(settings.root, verbose, lambda message, level: phases.print(message, STYLES[level]))
    with phases.phase("parse") as phase:
        phase.update("dbt reads the project")
        is_valid = dbt.parse()
        phase.update("the project is read" if is_valid else "the project is not valid")
    sample.wait()
    server.wait()
    if not is_valid:
        return dbt.exit_code
    with phases.phase("build") as phase:
        progress = BuildProgress()

        def update(event: Any) -> None:
            progress.update(event)
            phase.update(str(progress))

        unsuccessful = dbt.run(update, "--exclude", f"tag:{EXCLUDED_TAG}")
        phase.update(f"{progress.done} nodes{', of them ' + unsuccessful if unsuccessful else ''}")
    return dbt.exit_code
