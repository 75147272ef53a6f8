"""A write that lost to another writer's commit, sent again: for SQL models and Python models alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

Result = TypeVar("Result")

# Delta's error classes for a commit that lost to another one. Each is raised before the commit, so
# nothing was written: https://docs.delta.io/latest/concurrency-control.html
CONFLICTS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")
# What `create table if not exists` meets while another writer is about to make the same table: its
# folder is there and its first commit isn't, or the metastore has it by then.
MADE_MEANWHILE = (
    "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION",
    "TABLE_OR_VIEW_ALREADY_EXISTS",
    "DELTA_TABLE_ALREADY_EXISTS",
    "AlreadyExistsException",
)
ATTEMPTS = 6
FIRST_PAUSE = 0.2


def is_conflict(error: BaseException) -> bool:
    """Whether a write failed only because another writer's commit came first."""
    return any(text in str(error) for text in CONFLICTS)


def is_made_meanwhile(error: BaseException) -> bool:
    """Whether a table could not be made because another writer makes it at this moment."""
    return is_conflict(error) or any(text in str(error) for text in MADE_MEANWHILE)


def again_on_conflict(
    write: Callable[[], Result],
    sleep: Callable[[float], None] = time.sleep,
    lost: Callable[[BaseException], bool] = is_conflict,
) -> Result:
    """Write; after a conflict, once more, up to six times with longer and longer pauses.

    Args:
        write: sends the statement.
        sleep: pauses for some seconds; by chance, so that two writers don't meet again.
        lost: tells a conflict from other errors.

    Raises:
        Exception: what the write raised, when that was no conflict or each time one.
    """
    attempts = Retrying(
        retry=retry_if_exception(lost),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(FIRST_PAUSE),
        sleep=sleep,
        reraise=True,
    )
    return attempts(write)
