"""dbt run inside this process, one command after another, with a word after each node."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.config import profiles
from penstock.errors import PenstockError

# No line on the screen. dbt would take the level for its log file too.
SILENT = ("--log-level", "none", "--log-level-file", "debug", "--quiet", "--no-use-colors")


@dataclass(frozen=True)
class Done:
    """What became of a dbt command.

    Attributes:
        success: whether every node ended well.
        said: of each node that ended, its name and message.
        failed: names and messages of those that did not.
    """

    success: bool
    said: dict[str, str]
    failed: dict[str, str]


def _places(root: Path) -> list[str]:
    places = ["--project-dir", str(root), *profiles.chosen()]
    if "DBT_PROFILES_DIR" not in os.environ and (root / "profiles.yml").exists():
        places += ["--profiles-dir", str(root)]
    return places


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """A variable of the environment, for as long as a command runs."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name)
        else:
            os.environ[name] = before


def run(root: Path, arguments: list[str], ended: Callable[[str, str], None] = lambda name, status: None) -> Done:
    """Run a dbt command without output of its own; its log file is written as ever.

    Args:
        root: the project's folder.
        arguments: the command and its options.
        ended: called with each node's name and status as it ends.

    Raises:
        PenstockError: dbt could not begin: a project or profile that isn't valid.
    """
    from dbt.cli.main import dbtRunner

    def hear(event: Any) -> None:
        if event.info.name == "NodeFinished":
            node = event.data.node_info
            ended(str(node.node_name), str(node.node_status))

    done = dbtRunner(callbacks=[hear]).invoke([*SILENT, *arguments, *_places(root)])
    results = getattr(done.result, "results", None)
    if results is None:
        if isinstance(done.exception, KeyboardInterrupt):
            raise KeyboardInterrupt
        words = " ".join(str(done.exception or "it ended without a word").split())
        raise PenstockError("a dbt project that runs", words, f"see `dbt {' '.join(arguments)}`")
    said, failed = {}, {}
    for item in results:
        name, words = str(getattr(item.node, "name", item.node)), str(item.message or item.status)
        said[name] = words
        if str(item.status) in ("error", "fail", "runtime error"):
            failed[name] = words
    return Done(bool(done.success), said, failed)
