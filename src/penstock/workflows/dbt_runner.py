"""Run dbt commands in this process.

Importing dbt takes seconds, so this module imports it only when a command starts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.config import profiles
from penstock.errors import PenstockError

# Options that make dbt print nothing. Without `--log-level-file`, `--log-level` would also apply to the log file.
SILENT = ("--log-level", "none", "--log-level-file", "debug", "--quiet", "--no-use-colors")
NODE_STARTED = "NodeStart"
NODE_FINISHED = "NodeFinished"
FAILED = ("error", "fail", "runtime error")
# Levels of the events to show. Omit stack traces, which are in dbt's log, and the empty messages after Ctrl-C.
SHOWN_LEVELS = ("warn", "error")
STACK_TRACE = "MainStackTrace"
EMPTY_MESSAGES = ("", "Encountered an error:")
MAX_NAMES = 2


@dataclass(frozen=True)
class CommandResult:
    """The result of a dbt command.

    Attributes:
        success: whether every node succeeded.
        messages: dbt's message for each finished node, by the node's name.
        failed: dbt's message for each failed node, by the node's name.
    """

    success: bool
    messages: dict[str, str]
    failed: dict[str, str]


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable while the block runs."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name)
        else:
            os.environ[name] = before


def run_command(
    root: Path, arguments: list[str], node_finished: Callable[[str, str], None] = lambda name, status: None
) -> CommandResult:
    """Run a dbt command without output on the terminal. dbt still writes its log file.

    Args:
        root: the project's folder.
        arguments: the command and its options.
        node_finished: called with the name and status of each node that finishes.

    Raises:
        PenstockError: dbt could not start the command, because the project or the profile is invalid.
    """
    from dbt.cli.main import dbtRunner

    def handle_event(event: Any) -> None:
        if event.info.name == NODE_FINISHED:
            node = event.data.node_info
            node_finished(str(node.node_name), str(node.node_status))

    outcome = dbtRunner(callbacks=[handle_event]).invoke([*SILENT, *arguments, *profiles.dbt_options(root)])
    results = getattr(outcome.result, "results", None)
    if results is None:
        if isinstance(outcome.exception, KeyboardInterrupt):
            raise KeyboardInterrupt
        message = " ".join(str(outcome.exception or "dbt ended without a message").split())
        raise PenstockError("a dbt project that runs", message, f"see `dbt {' '.join(arguments)}`")
    messages, failed = {}, {}
    for item in results:
        name, message = str(getattr(item.node, "name", item.node)), str(item.message or item.status)
        messages[name] = message
        if str(item.status) in FAILED:
            failed[name] = message
    return CommandResult(bool(outcome.success), messages, failed)


@dataclass
class BuildProgress:
    """The progress of a build.

    Attributes:
        total: number of nodes; 0 until dbt has counted them.
        done: number of finished nodes.
        running: names of the running nodes by unique id, in order of their start.
    """

    total: int = 0
    done: int = 0
    running: dict[str, str] = field(default_factory=dict)

    def update(self, event: Any) -> None:
        """Update the progress from a dbt event."""
        name, data = event.info.name, event.data
        if name in (NODE_STARTED, NODE_FINISHED):
            node = data.node_info
            # dbt does not count hooks as nodes.
            if str(node.resource_type) == "operation":
                return
            if name == NODE_STARTED:
                self.running[node.unique_id] = str(node.node_name)
            else:
                self.running.pop(node.unique_id, None)
                self.done += 1
        elif name == "LogStartLine":
            self.total = int(data.total)

    def __str__(self) -> str:
        names = list(self.running.values())
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        count = f"{self.done}/{self.total}" if self.total else "starting"
        return f"{count}  {', '.join(names[:MAX_NAMES])}{more}".rstrip()


class DbtBuild:
    """A dbt build whose first step, parsing, is a separate method. The server can start while dbt parses the project.

    Args:
        root: the project's folder, which is also the working folder.
        verbose: whether dbt prints its own output.
        show: called with the message and level of each warning and error. Not called if `verbose` is true.
    """

    def __init__(self, root: Path, verbose: bool, show: Callable[[str, str], None]) -> None:
        self._root, self._verbose, self._show = root, verbose, show
        self._manifest: Any = None
        self.exit_code = 0

    def _invoke(self, handle_event: Callable[[Any], None], *arguments: str) -> Any:
        from dbt.cli.main import dbtRunner

        def handle_and_show(event: Any) -> None:
            handle_event(event)
            info, message = event.info, str(event.info.msg).strip()
            is_shown = info.level in SHOWN_LEVELS and info.name != STACK_TRACE and message not in EMPTY_MESSAGES
            if is_shown and not self._verbose:
                self._show(message, str(info.level))

        options = () if self._verbose else SILENT
        runner = dbtRunner(manifest=self._manifest, callbacks=[handle_and_show])
        outcome = runner.invoke([*options, *arguments, *profiles.dbt_options(self._root)])
        if isinstance(outcome.exception, KeyboardInterrupt):
            raise KeyboardInterrupt
        # Use dbt's exit codes: 1 if a node failed, 2 if dbt could not start the command.
        self.exit_code = 2 if outcome.exception else 0 if outcome.success else 1
        return outcome.result

    def parse(self) -> bool:
        """Parse the project, and return whether it is valid. Parsing needs no server."""
        self._manifest = self._invoke(lambda event: None, "parse")
        return self.exit_code == 0

    def run(self, handle_event: Callable[[Any], None], *arguments: str) -> str:
        """Run `dbt build` on the parsed project.

        Args:
            handle_event: called with each dbt event.
            arguments: options of `dbt build`.

        Returns:
            the number of nodes by status, without the successful nodes, for example `2 error, 1 skipped`.
        """
        result = self._invoke(handle_event, "build", *arguments)
        statuses = Counter(str(item.status) for item in getattr(result, "results", None) or ())
        for succeeded in ("success", "pass"):
            statuses.pop(succeeded, None)
        return ", ".join(f"{number} {status}" for status, number in statuses.most_common())
