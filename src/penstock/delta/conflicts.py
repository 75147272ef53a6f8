"""A write that lost to another writer's commit, sent again: for SQL models and Python models alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

Result = TypeVar("Result")

# Delta's error classes for a commit that lost to another one. Each is raised before the commit, so
# nothing was written: https://docs.delta.io/latest/concurrency-control.html
CONFLICTS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")
# What `create table if not exists` meets while another writer is about to make the same table: its
# folder is there and its first commit isn't, or the metastore has it by then.
FOLDER_THERE = "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"
MADE_MEANWHILE = (
    FOLDER_THERE,
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


def create_if_missing(
    run: Callable[[str], Any],
    table: str,
    columns: Mapping[str, str],
    clauses: str,
    sleep: Callable[[float], None] = time.sleep,
    comments: Mapping[str, str] | None = None,
) -> None:
    """Make an empty Delta table, unless it is there or another writer makes it at this moment.

    A folder that is still there without its table after all attempts is what a killed writer left, dead
    between Delta's first commit and the metastore. Delta refuses to make a table in it, except from a
    query; a writer whose commit comes in between makes that a conflict.

    Args:
        run: sends a statement.
        table: its name, as SQL.
        columns: names, as SQL, with their types.
        clauses: of `create table`, between the columns and `as`.
        sleep: see `again_on_conflict`.
        comments: of columns, as SQL literals; a folder that is taken over goes without.
    """
    said = {name: f" comment {words}" for name, words in (comments or {}).items()}
    listed = ", ".join(f"{name} {kind}{said.get(name, '')}" for name, kind in columns.items())
    try:
        made = f"create table if not exists {table} ({listed}) {clauses}"
        again_on_conflict(lambda: run(made), sleep, is_made_meanwhile)
    except Exception as error:
        if FOLDER_THERE not in str(error):
            raise
        nothing = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
        over = f"create or replace table {table} {clauses} as select {nothing} where false"
        again_on_conflict(lambda: run(over), sleep)
