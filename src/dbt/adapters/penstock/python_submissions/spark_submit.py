"""`submission_method: spark_submit`: run the model in its own driver, with access to RDDs and the JVM."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.errors import AdapterError, as_dbt_errors, with_help
from dbt.adapters.penstock.physical_plans import pending_plans
from dbt.adapters.penstock.physical_plans.pending_plans import PendingPlan
from dbt.adapters.penstock.python_submissions import (
    connect,
    connect_session,
    driver_launch,
    executions,
    jobs,
    packages,
)
from dbt.adapters.penstock.python_submissions.config import PythonConfig
from penstock.plans import plan_store
from penstock.python_runtime import driver
from penstock.spark import class_archive
from penstock.spark.distribution import spark_home

logger = AdapterLogger("penstock")
TERM_SECONDS = 5.0


class SparkSubmitPythonJobHelper(PythonJobHelper):
    """Runs one model with spark-submit."""

    def __init__(self, parsed_model: dict[str, Any], credential: PenstockCredentials) -> None:
        self.node = parsed_model
        self.credentials = credential

    @as_dbt_errors()
    def submit(self, compiled_code: str) -> Any:
        """Run the model and write the rows that it returns.

        Args:
            compiled_code: the output of the macro `penstock_python_job`.

        Raises:
            DbtRuntimeError: the model's code or its driver failed, its configuration is not valid, a package is not
                installed, or the model was stopped by its timeout or cancelled. If the code failed, the error has the
                user's file, line and message.
        """
        name = self.node["name"]
        config = PythonConfig.parse(self.node, self.credentials.file_format)
        packages.require(config.packages, name)
        job = jobs.build(self.node, compiled_code, config, self.credentials)
        settings = self.credentials.settings
        driver_launch.check_master(settings, config, name)
        jvm, table_jars = driver_launch.resolve(settings)
        conf = driver_launch.spark_settings(self.credentials, settings, table_jars, job, config)
        conf = class_archive.driver_conf(conf, settings, jvm, table_jars)
        conf = class_archive.executor_conf(conf, settings, jvm, table_jars)
        (settings.state_dir / "tmp").mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="model-", dir=settings.state_dir / "tmp"))
        try:
            wait = driver_launch.executor_wait(settings, conf)
            file = driver_launch.prepare(folder, job, conf, self.credentials.keep_plans, wait)
            environment = driver_launch.environment(settings, jvm, folder, conf["spark.master"])
            driver_process = Driver(name, folder, file, environment)
            alone = job.write.target if job.write.alone else None
            executions.run(name, driver_process.follow, driver_process.end, config.timeout, alone)
            if plan := driver_process.plan:
                executed = plan_store.parse_executed_plan(plan["executed"])
                pending_plans.add(job.node, PendingPlan(plan["explained"], executed=executed))
        except DbtRuntimeError:
            with contextlib.suppress(DbtRuntimeError):
                connect.drop_temporary_table(self.credentials, job, connect_session.url(self.credentials, name))
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return None


class Driver:
    """A spark-submit process and its children, in their own process group.

    Args:
        name: the model's name.
        folder: the driver's folder, with its job, its result and its temporary files.
        properties: the file of Spark settings.
        environment: the environment variables of the process.
    """

    def __init__(self, name: str, folder: Path, properties: Path, environment: dict[str, str]) -> None:
        self.name, self.folder = name, folder
        command = [str(spark_home() / "bin" / "spark-submit"), "--properties-file", str(properties)]
        self._command, self._environment = [*command, driver.__file__, str(folder)], environment
        self._lock = threading.Lock()
        self._over = False
        # The driver's plan after a successful run, with the keys `explained` and `executed`.
        self.plan: dict[str, Any] | None = None
        self._process: subprocess.Popen[str] | None = None

    def _start(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._over:
                raise DbtRuntimeError(f"the Python model {self.name} was cancelled")
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=self._environment,
                start_new_session=True,
            )
            return self._process

    def follow(self) -> None:
        """Start the driver, log the model's output, and wait until the driver ends.

        Raises:
            DbtRuntimeError: the model failed, or its driver ended without a result.
        """
        process = self._start()
        assert process.stdout
        last: deque[str] = deque(maxlen=100)
        for line in map(str.rstrip, process.stdout):
            if line.startswith(driver.LINE_PREFIX):
                logger.info(f"{self.name}: {line.removeprefix(driver.LINE_PREFIX)}")
            elif line:
                last.append(line)
                logger.debug(f"{self.name}: {line}")
        code = process.wait()
        try:
            result = json.loads((self.folder / "result.json").read_text())
            error, self.plan = result["error"], result if result["explained"] else None
        except (OSError, ValueError):
            errors = [line for line in last if "Exception" in line or "Error" in line] or list(last)
            found = errors[-1].strip() if errors else "no output"
            raise AdapterError(
                f"a result of the Python model {self.name} from its spark-submit driver",
                f"it ended with {code}: {found}",
                "run dbt with --debug to see its log; check spark_conf and master",
            ) from None
        if error:
            raise DbtRuntimeError(with_help(error, error))

    def end(self) -> None:
        """End the driver and all its processes. Kill the processes that do not end in time."""
        with self._lock:
            self._over, process = True, self._process
        if process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TERM_SECONDS)
                return
