"""Follow the running dbt command, if the command runs nodes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.events.logging import AdapterLogger
from dbt_common.events.event_manager_client import add_callback_to_manager
from dbt_common.exceptions import EventCompilationError

from dbt.adapters.penstock.run_records import event_sender
from dbt.adapters.penstock.run_records.datasets import DatasetNames
from dbt.adapters.penstock.run_records.event_sender import EventSender
from dbt.adapters.penstock.run_records.lineage_observer import LineageObserver
from dbt.adapters.penstock.run_records.progress import Command, Observer, Progress
from dbt.adapters.penstock.run_records.recorder import Recorder
from dbt.adapters.penstock.run_records.written_rows import written_rows
from penstock.errors import PenstockError
from penstock.runs.run_record import NodeRun, RunRecord

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter
    from dbt.adapters.penstock.run_records.lineage_events import LineageEvents

logger = AdapterLogger("penstock")
# dbt's commands that build or check nodes. `freshness` is `dbt source freshness`.
COMMANDS = {"build", "run", "test", "seed", "snapshot", "retry", "freshness", "clone"}


def follow(adapter: PenstockAdapter, config: Any) -> None:
    """Record the running dbt command, and send OpenLineage events about it. Settings can turn off each of the two.

    The function adds a callback to dbt's event manager. At the start of each command, dbt clears the list of callbacks
    and then creates an adapter. So each adapter calls this function when it is created.

    Args:
        adapter: the adapter of this command.
        config: the adapter's configuration, dbt's RuntimeConfig or Profile.
    """
    if getattr(getattr(config, "args", None), "which", None) not in COMMANDS:
        return
    target = Path(config.project_root) / config.target_path
    rows = partial(written_rows, adapter, target)
    observers: list[Observer] = []
    progress = Progress(Command(config, target, adapter.get_macro_resolver, rows), observers)
    try:
        settings = config.credentials.settings
    except PenstockError:
        # Opening a connection, or copying the artifacts, reports the same error.
        return
    if settings.runs.keep and getattr(config.args, "write_json", True):
        observers.append(Recorder(target, settings.runs.keep, progress.record))
    if event_sender.is_configured():
        observers.append(LineageObserver(EventSender(), partial(_events, adapter, target, rows), adapter.plans.wait))
    if observers:
        add_callback_to_manager(_Guard(progress))


def _events(
    adapter: PenstockAdapter, target: Path, rows: Callable[[NodeRun], int | None], record: RunRecord
) -> LineageEvents:
    # These two imports load the OpenLineage client, which is an optional package.
    from dbt.adapters.penstock.run_records.dataset_facets import COLUMN_LINEAGE, Columns
    from dbt.adapters.penstock.run_records.lineage_events import LineageEvents

    credentials = adapter.config.credentials
    manifest = adapter.get_macro_resolver()
    names = DatasetNames(credentials, credentials.settings)
    columns = Columns(adapter, manifest, target)
    lineage = next((entry.load()(manifest, columns.types) for entry in entry_points(group=COLUMN_LINEAGE)), None)
    return LineageEvents(record, manifest, names, columns, rows, lineage)


class _Guard:
    """Passes dbt's events to a Progress.

    The first error of the Progress is logged, and no error is raised, because a dbt command must not fail because of
    its record.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._has_failed = False

    def __call__(self, message: Any) -> None:
        try:
            self._progress.handle(message)
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                # With `--warn-error`, dbt raises an exception for a warning.
                with suppress(EventCompilationError):
                    logger.warning(f"the record of this command lacks {message.info.name}: {error!r}")
