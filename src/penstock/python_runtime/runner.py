"""Run a job: load the model's code, call `model(dbt, session)`, then convert, check and write the result."""

from __future__ import annotations

import builtins
import itertools
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from penstock.python_runtime import contract, frames, inputs
from penstock.python_runtime.job import Job
from penstock.python_runtime.model_errors import ModelError, describe_error
from penstock.python_runtime.writer import write
from penstock.sql.names import quote_identifier

_numbers = itertools.count()


def print_function(log: Callable[[str], None]) -> Callable[..., None]:
    """Return a `print` function. It passes each line to `log` or, if `file` isn't standard output, prints to `file`."""

    def print_to_log(
        *values: object, sep: str | None = " ", end: str | None = "\n", file: Any = None, **rest: Any
    ) -> None:
        if file is not None and file is not sys.stdout:
            builtins.print(*values, sep=sep, end=end, file=file, **rest)
            return
        for line in (" " if sep is None else sep).join(map(str, values)).split("\n"):
            log(line)

    return print_to_log


@contextmanager
def model_module(job: Job, session: Any, print_: Callable[..., None]) -> Iterator[ModuleType]:
    """Create a module for the model's code, and remove it after the run.

    The module is in `sys.modules`, because dataclasses and pickle look up a class's module there. The functions of the
    module are pickled by value, because Python workers can't import the module.
    """
    from pyspark import cloudpickle

    module = ModuleType(f"dbt_model_{next(_numbers)}_{job.name}")
    module.__file__ = job.path
    # `print` is a builtin here and not a global. Otherwise pickling a function that prints would pickle the logger too.
    module.__dict__["__builtins__"] = {**vars(builtins), "print": print_}
    module.__dict__["spark"] = session
    sys.modules[module.__name__] = module
    cloudpickle.register_pickle_by_value(module)
    try:
        yield module
    finally:
        cloudpickle.unregister_pickle_by_value(module)
        sys.modules.pop(module.__name__, None)


def silence_pyspark_loggers() -> None:
    """Stop PySpark from repeating each error as JSON with stack frames on standard error."""
    from pyspark.logger import PySparkLogger

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)


def explain_rows(session: Any, frame: Any, view: str) -> str:
    """Return the output of EXPLAIN FORMATTED for the rows to write; empty if EXPLAIN fails."""
    frame.createOrReplaceTempView(view)
    try:
        return str(session.sql(f"explain formatted select * from {quote_identifier(view)}").collect()[0][0])
    except Exception:
        # The write fails with the same error and reports it.
        return ""


def run(job: Job, session: Any, log: Callable[[str], None], on_plan: Callable[[str], None] | None = None) -> None:
    """Run a model and write the frame that it returns.

    Args:
        job: the description of the run.
        session: a Connect or classic Spark session that only this model uses.
        log: called with each line that the model prints.
        on_plan: called with the plan of the rows before they are written; None skips the EXPLAIN.

    Raises:
        ModelError: the model's code failed, or its result can't be written.
    """
    silence_pyspark_loggers()
    try:
        with model_module(job, session, print_function(log)) as module:
            exec(compile(job.code, job.path, "exec"), module.__dict__)
            context = module.dbtObj(lambda relation: inputs.read_relation(session, relation, job.inputs))
            context.batch = job.microbatch()
            context.intervals = job.interval_starts()
            context.code = job.fingerprint
            context.lake = job.lake
            context.reads_all = not job.inputs
            context.log = log
            frame = frames.to_spark(session, module.model(context, session), job.name)
            declared: dict[str, str] = {}
            if job.columns is not None:
                declared = contract.enforce(session, job.columns, frame.schema, job.name)
            if job.write.mode == "replace" or not job.write.exists:
                frame = frames.storable(frame, declared)
            if on_plan:
                on_plan(explain_rows(session, frame, job.write.view))
            write(session, frame, job)
    except ModelError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(describe_error(error, job.path)) from error
