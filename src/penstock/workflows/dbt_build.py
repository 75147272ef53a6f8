"""Run `dbt build` inside this process: parse ahead of the run, then report progress node by node.

dbt takes seconds to import: this module does so only when a build begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.config import profiles
from penstock.workflows import dbt_runner

# Levels of the events that are shown; the stack of an error is in dbt's log, and Ctrl-C has no words of its own.
SHOWN = ("warn", "error")
TRACE = "MainStackTrace"
EMPTY = ("", "Encountered an error:")
BEGUN = "NodeStart"
ENDED = "NodeFinished"
RUNNING = 2


@dataclass
class Progress:
    """How far a build is.

    Attributes:
        total: nodes; 0 until dbt has counted them.
        done: how many have ended.
        running: names of those that run, in the order of their beginning.
    """

    total: int = 0
    done: int = 0
    running: dict[str, str] = field(default_factory=dict)

    def hear(self, event: Any) -> None:
        """Take one of dbt's events into account."""
        name, data = event.info.name, event.data
        if name in (BEGUN, ENDED):
            node = data.node_info
            # A hook is no node of the count.
            if str(node.resource_type) == "operation":
                return
            if name == BEGUN:
                self.running[node.unique_id] = str(node.node_name)
            else:
                self.running.pop(node.unique_id, None)
                self.done += 1
        elif name == "LogStartLine":
            self.total = int(data.total)

    def __str__(self) -> str:
        names = list(self.running.values())
        more = f" and {len(names) - RUNNING} more" if len(names) > RUNNING else ""
        count = f"{self.done}/{self.total}" if self.total else "starting"
        return f"{count}  {', '.join(names[:RUNNING])}{more}".rstrip()


class DbtBuild:
    """A build of a project.

    Args:
        root: the project's folder, which is the working folder too.
        verbose: whether dbt prints its own lines.
        show: called with each warning and error that dbt has: its words and level.
    """

    def __init__(self, root: Path, verbose: bool, show: Callable[[str, str], None]) -> None:
        self._root, self._verbose, self._show = root, verbose, show
        self._manifest: Any = None
        self.code = 0

    def _invoke(self, hear: Callable[[Any], None], *arguments: str) -> Any:
        from dbt.cli.main import dbtRunner

        def heard(event: Any) -> None:
            hear(event)
            words = str(event.info.msg).strip()
            if not self._verbose and event.info.level in SHOWN and event.info.name != TRACE and words not in EMPTY:
                self._show(words, str(event.info.level))

        options = () if self._verbose else dbt_runner.SILENT
        runner = dbtRunner(manifest=self._manifest, callbacks=[heard])
        done = runner.invoke([*options, *arguments, "--project-dir", str(self._root), *profiles.chosen()])
        if isinstance(done.exception, KeyboardInterrupt):
            raise KeyboardInterrupt
        # As dbt's own exit codes: 1 when a node failed, 2 when dbt could not begin.
        self.code = 2 if done.exception else 0 if done.success else 1
        return done.result

    def parse(self) -> bool:
        """Read the project; whether it is valid. No server is needed for it."""
        self._manifest = self._invoke(lambda event: None, "parse")
        return self.code == 0

    def run(self, hear: Callable[[Any], None], *arguments: str) -> str:
        """Run `dbt build` on what was parsed; what came of the nodes, in words."""
        result = self._invoke(hear, "build", *arguments)
        statuses = Counter(str(item.status) for item in getattr(result, "results", None) or ())
        for good in ("success", "pass"):
            statuses.pop(good, None)
        return ", ".join(f"{number} {status}" for status, number in statuses.most_common())
