"""Run a job: load the user's code, call `model(dbt, session)`, convert, check and write its result."""

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
from penstock.python_runtime.model_errors import ModelError, explain
from penstock.python_runtime.writer import write
from penstock.sql.names import quoted

_numbers = itertools.count()


def printer(out: Callable[[str], None]) -> Callable[..., None]:
    """A `print` whose lines go to `out`, one by one; one to another file goes there."""

    def show(*values: object, sep: str | None = " ", end: str | None = "\n", file: Any = None, **rest: Any) -> None:
        if file is not None and file is not sys.stdout:
            builtins.print(*values, sep=sep, end=end, file=file, **rest)
            return
        for line in (" " if sep is None else sep).join(map(str, values)).split("\n"):
            out(line)

    return show


@contextmanager
def module_of(job: Job, session: Any, show: Callable[..., None]) -> Iterator[ModuleType]:
    """The user's code as a module of its own for as long as the job runs.

    It is registered, since dataclasses and pickle look a class's module up, and pickled by value,
    since a worker has no such module to import.
    """
    from pyspark import cloudpickle

    module = ModuleType(f"dbt_model_{next(_numbers)}_{job.name}")
    module.__file__ = job.path
    # Not a global of the user's: a function that prints would drag it along to the workers.
    module.__dict__["__builtins__"] = {**vars(builtins), "print": show}
    module.__dict__["spark"] = session
    sys.modules[module.__name__] = module
    cloudpickle.register_pickle_by_value(module)
    try:
        yield module
    finally:
        cloudpickle.unregister_pickle_by_value(module)
        sys.modules.pop(module.__name__, None)


def quiet() -> None:
    """Keep PySpark from writing each error a second time, as JSON with stack frames, to standard error."""
    from pyspark.logger import PySparkLogger

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)


def explained(session: Any, frame: Any, view: str) -> str:
    """EXPLAIN FORMATTED of the rows about to be written; empty when Spark can't say."""
    frame.createOrReplaceTempView(view)
    try:
        return str(session.sql(f"explain formatted select * from {quoted(view)}").collect()[0][0])
    except Exception:
        # The write itself meets the same error, and says so.
        return ""


def run(job: Job, session: Any, out: Callable[[str], None], plan: Callable[[str], None] | None = None) -> None:
    """Run a model and write what it returns.

    Args:
        job: what to run.
        session: a Spark session of the model's own, Connect or classic.
        out: takes each line that the model prints.
        plan: takes the plan of the rows just before they are written; None spares the question.

    Raises:
        ModelError: with the user's file, line and message when their code failed.
    """
    quiet()
    try:
        with module_of(job, session, printer(out)) as module:
            exec(compile(job.code, job.path, "exec"), module.__dict__)
            context = module.dbtObj(lambda relation: inputs.load(session, relation, job.inputs))
            context.batch = job.window()
            context.intervals = job.days()
            context.code = job.fingerprint
            context.lake = job.lake
            context.reads_all = not job.inputs
            context.log = out
            frame = frames.to_spark(session, module.model(context, session), job.name)
            declared: dict[str, str] = {}
            if job.columns is not None:
                declared = contract.enforce(session, job.columns, frame.schema, job.name)
            if job.write.mode == "replace" or not job.write.exists:
                frame = frames.storable(frame, declared)
            if plan:
                plan(explained(session, frame, job.write.view))
            write(session, frame, job)
    except ModelError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(explain(error, job.path)) from error
