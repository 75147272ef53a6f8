"""Errors of Python models, rendered for the model's author: file, line and message, without stack frames."""

from __future__ import annotations

import re
import traceback

from penstock.errors import PenstockError

STACK_FRAME = r"\n\s*at [\w$/<>]+(?:\.[\w$/<>]+)+\((?:[\w.$<>]+(?::\d+)?|Unknown Source|Native Method)\)"
STACK_START = re.compile(rf"\n\n?JVM stacktrace:|{STACK_FRAME}|\nDriver stacktrace:")
CAUSED_BY = re.compile(r"^Caused by: [\w.$]+: (.*?)(?=\n\s*at |\n\s*\.\.\. |\Z)", re.DOTALL | re.MULTILINE)
PYTHON_ERROR = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")


class ModelError(Exception):
    """A Python model failed. The message contains the file, the line and the error of the model's code."""


class RefusedModelError(ModelError, PenstockError):
    """The result of a Python model can't be written. The error has the three parts of a PenstockError."""


def without_stack(message: str) -> str:
    """Return Spark's message up to its first stack frame. If this part lacks the last cause, add the last cause."""
    summary = STACK_START.split(message, maxsplit=1)[0].strip()
    causes = [cause.group(1).strip() for cause in CAUSED_BY.finditer(message)]
    return summary if not causes or causes[-1] in summary else f"{summary}\nCaused by: {causes[-1]}"


def worker_error(message: str, path: str) -> str | None:
    """Return the line and message of an error that the model's code raised in a Python worker.

    Spark's message contains the worker's traceback as text.

    Args:
        message: Spark's message.
        path: the model's file.

    Returns:
        The file, line and message; None if no frame of the traceback is in the model's file.
    """
    frames = list(re.finditer(rf'File "{re.escape(path)}", line (\d+)', message))
    if not frames:
        return None
    for line in message[frames[-1].end() :].splitlines()[1:]:
        if line and not line[0].isspace() and (raised := PYTHON_ERROR.match(line)):
            error_class, text = raised.groups()
            error_class = error_class.rpartition(".")[2]
            return f"{path}, line {frames[-1].group(1)}: {error_class}" + (f": {text}" if text else "")
    return None


def describe_error(error: BaseException, path: str) -> str:
    """Return a message for an error: the model's file, the line and the error.

    Args:
        error: the exception of the model's code, or Spark's exception from computing or writing the rows.
        path: the model's file, which is also the file name of the compiled code.
    """
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"{path}, line {error.lineno}: SyntaxError: {error.msg}"
    message = str(error)
    if raised_in_worker := worker_error(message, path):
        return raised_in_worker
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    location = f"{path}, line {frames[-1].lineno}" if frames else path
    return f"{location}: {type(error).__name__}: {without_stack(message)}"
