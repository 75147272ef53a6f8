"""Write copies of dbt's artifacts after each dbt command, if `artifacts.adapter_type` is set in penstock.yml.

The copies have this adapter type instead of `penstock`, for tools that do not know `penstock`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.events.logging import AdapterLogger
from dbt_common.events.event_manager_client import add_callback_to_manager

from penstock import artifacts
from penstock.config.settings import load
from penstock.errors import PenstockError

logger = AdapterLogger("penstock")
# dbt fires this event at the end of each command, also of a failed command. All artifacts are written by then.
LAST_EVENT = "CommandCompleted"


def write_after_command(config: Any) -> None:
    """Arrange that the copies are written at the end of the running dbt command.

    The function adds a callback to dbt's event manager. At the start of each command, dbt clears the list of callbacks
    and then creates an adapter. So each adapter calls this function when it is created.

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
    """Write the copies, if penstock.yml configures them and dbt has written a manifest.

    Args:
        config: the adapter's configuration.
        success: whether the dbt command succeeded.

    Raises:
        ExceptionExit: the command succeeded, but the copies can't be written. If the command failed, the error is only
            logged, because dbt must exit with the code of the command's failure.
    """
    try:
        chosen = load(Path(config.project_root), config.target_name).artifacts.adapter_type
        target_dir = Path(config.project_root) / config.target_path
        if chosen and (target_dir / artifacts.MANIFEST).exists():
            artifacts.convert(target_dir, target_dir / chosen, chosen)
    except PenstockError as error:
        logger.error(f"copies of the artifacts: {error}")
        if success:
            # Adapters usually don't import dbt-core. It fires the event that leads here, so it is already loaded.
            from dbt.cli.exceptions import ExceptionExit

            raise ExceptionExit(error) from None
