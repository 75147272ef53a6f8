"""Errors of a model in words for its author: their file, line and message, no frame of ours or Spark's."""

from __future__ import annotations

import re
import traceback

FRAME = r"\n\s*at [\w$/<>]+(?:\.[\w$/<>]+)+\((?:[\w.$<>]+(?::\d+)?|Unknown Source|Native Method)\)"
STACK = re.compile(rf"\n\n?JVM stacktrace:|{FRAME}|\nDriver stacktrace:")
CAUSED = re.compile(r"^Caused by: [\w.$]+: (.*?)(?=\n\s*at |\n\s*\.\.\. |\Z)", re.DOTALL | re.MULTILINE)
RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")


class ModelError(Exception):
    """A model that can't be run or written; the text is all a person needs."""

    @classmethod
    def of(cls, needed: str, found: str, do: str) -> ModelError:
        """An error in the project's three parts."""
        return cls(f"needed: {needed}. found: {found}. do: {do}")


def without_stack(message: str) -> str:
    """Spark's message up to its first stack frame, and the last cause below it when that says more."""
    words = STACK.split(message, maxsplit=1)[0].strip()
    causes = [cause.group(1).strip() for cause in CAUSED.finditer(message)]
    return words if not causes or causes[-1] in words else f"{words}\nCaused by: {causes[-1]}"


def in_worker(message: str, path: str) -> str | None:
    """An error that a worker raised in the user's own function: its line and words; None for any other.

    A worker's traceback arrives as text inside Spark's message.
    """
    places = list(re.finditer(rf'File "{re.escape(path)}", line (\d+)', message))
    if not places:
        return None
    for line in message[places[-1].end() :].splitlines()[1:]:
        if line and not line[0].isspace() and (raised := RAISED.match(line)):
            kind, words = raised.groups()
            kind = kind.rpartition(".")[2]
            return f"{path}, line {places[-1].group(1)}: {kind}" + (f": {words}" if words else "")
    return None


def explain(error: BaseException, path: str) -> str:
    """The user's file, line and message.

    Args:
        error: what the model raised, or Spark raised later while it evaluated or wrote the rows.
        path: the user's file, which is the file name that its code was compiled with.
    """
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"{path}, line {error.lineno}: SyntaxError: {error.msg}"
    message = str(error)
    if worker := in_worker(message, path):
        return worker
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    place = f"{path}, line {frames[-1].lineno}" if frames else path
    return f"{place}: {type(error).__name__}: {without_stack(message)}"
