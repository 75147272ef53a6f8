"""Run dbt commands in this process. They write no artifacts, so `dbt retry` still finds the results of the last run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.config import profiles
from penstock.errors import PenstockError

QUIET = ("--quiet", "--no-write-json", "--log-level", "none")
PASSED = ("success", "skipped")
# Error messages shorten a command that has more characters, for example because the command names all models.
SHOWN_CHARACTERS = 60


def invoke(root: Path, manifest: Any, needed: str, *arguments: str) -> Any:
    """Run a dbt command, and return its result.

    Args:
        root: the project's folder.
        manifest: the manifest of an earlier command, so that dbt doesn't parse again; None to parse.
        needed: the first part of the error message, as in `a dbt project that can be parsed`.
        arguments: the command and its options. The option `--target` takes precedence over PENSTOCK_TARGET.

    Raises:
        PenstockError: the command failed.
    """
    from dbt.cli.main import dbtRunner

    command, *options = arguments
    outcome = dbtRunner(manifest=manifest).invoke([*QUIET, command, *profiles.dbt_options(root), *options])
    if outcome.success:
        return outcome.result
    results = getattr(outcome.result, "results", [])
    messages = [str(item.message) for item in results if str(item.status) not in PASSED and item.message]
    found = " ".join(" ".join(messages or [str(outcome.exception or "dbt failed")]).split())
    typed = " ".join(arguments)
    raise PenstockError(needed, found, f"see `dbt {typed if len(typed) <= SHOWN_CHARACTERS else command}`") from None
