"""Copies of dbt's artifacts after each dbt command, if `artifacts.adapter_type` is set in penstock.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.events.logging import AdapterLogger
from dbt_common.events.event_manager_client import add_callback_to_manager

from penstock import artifacts
from penstock.config.settings import load
from penstock.errors import PenstockError

logger = AdapterLogger("penstock")
# The event that dbt fires at the end of each command, also of a failed one, when all artifacts are written.
LAST_EVENT = "CommandCompleted"


def write_after_command(config: Any) -> None:
    """Arrange that the copies are written at the end of the running dbt command.

    The function adds a callback to dbt's event manager. The adapter calls the function when dbt creates it, because
    dbt clears the list of callbacks at the start of each command, before that.

    Args:
        config: the adapter's configuration, dbt's RuntimeConfig or Profile.
    """
    # `dbt debug` has a profile instead of a project, and writes no artifacts.
    if not hasattr(config, "project_root") or not getattr(getattr(config, "args", None), "write_json", True):
        return

    def act(message: Any) -> None:
        if message.info.name == LAST_EVENT:
            _write(config, message.data.success)

    add_callback_to_manager(act)


def _write(config: Any, success: bool) -> None:
    """Write the copies, if the project wants them and has a manifest.

    Args:
        config: the adapter's configuration.
        success: whether the dbt command succeeded.

    Raises:
        ExceptionExit: the command succeeded, but the copies can't be written. For a failed command the error is only
            logged, because dbt's own failure must keep its exit code.
    """
    try:
        chosen = load(Path(config.project_root), config.target_name).artifacts.adapter_type
        target_dir = Path(config.project_root) / config.target_path
        if chosen and (target_dir / artifacts.MANIFEST).exists():
            artifacts.convert(target_dir, target_dir / chosen, chosen)
    except PenstockError as error:
        logger.error(f"copies of the artifacts: {error}")
        if success:
            # Part of dbt-core, which fires the event. Adapters don't import dbt-core otherwise.
            from dbt.cli.exceptions import ExceptionExit

            raise ExceptionExit(error) from None
