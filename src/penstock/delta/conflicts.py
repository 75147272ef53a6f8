"""Retry a write to a Delta or an Iceberg table if the write conflicted with a concurrent commit.

SQL models and Python models share this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

Result = TypeVar("Result")

# Delta raises these error classes before the commit, so the failed write has changed nothing:
# https://docs.delta.io/latest/concurrency-control.html
# Iceberg raises its own errors before the commit too (https://iceberg.apache.org/docs/latest/reliability/).
CONFLICTS = (
    "DELTA_CONCURRENT_",
    "DELTA_METADATA_CHANGED",
    "DELTA_PROTOCOL_CHANGED",
    "org.apache.iceberg.exceptions.CommitFailedException",
    "Found conflicting files that can contain records",
    "Cannot determine history between starting snapshot",
)
# An error with this text is not retried: Iceberg's commit may have succeeded, although the catalog didn't answer.
STATE_UNKNOWN = "CommitStateUnknownException"
# `create table if not exists` fails with these errors while another writer creates the same table. At this moment,
# either the table's folder exists without a first commit, or the other writer has just registered the table in the
# metastore.
NON_EMPTY_LOCATION = "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"
CONCURRENT_CREATION = (
    NON_EMPTY_LOCATION,
    "TABLE_OR_VIEW_ALREADY_EXISTS",
    "DELTA_TABLE_ALREADY_EXISTS",
    "AlreadyExistsException",
)
ATTEMPTS = 6
FIRST_PAUSE = 0.2


def is_conflict(error: BaseException) -> bool:
    """Return whether a write failed only because another writer committed first."""
    return any(text in str(error) for text in CONFLICTS) and STATE_UNKNOWN not in str(error)


def is_concurrent_creation(error: BaseException) -> bool:
    """Return whether creating a table failed because another writer was creating the same table."""
    return is_conflict(error) or any(text in str(error) for text in CONCURRENT_CREATION)


def retry_on_conflict(
    write: Callable[[], Result],
    sleep: Callable[[float], None] = time.sleep,
    is_retryable: Callable[[BaseException], bool] = is_conflict,
) -> Result:
    """Call `write` until it doesn't conflict, up to six times, with growing random pauses between the calls.

    Args:
        write: sends the statement.
        sleep: pauses for some seconds. The pauses are random so that two writers don't conflict again.
        is_retryable: returns whether an error is a conflict.

    Raises:
        Exception: the error of the last call.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_retryable),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(FIRST_PAUSE),
        sleep=sleep,
        reraise=True,
    )
    return retrying(write)


def create_if_missing(
    run: Callable[[str], Any],
    table: str,
    columns: Mapping[str, str],
    clauses: str,
    sleep: Callable[[float], None] = time.sleep,
    comments: Mapping[str, str] | None = None,
) -> None:
    """Create an empty Delta table, unless it exists or another writer creates it at the same time.

    A writer that is killed between Delta's first commit and the registration in the metastore leaves a folder without
    a table. In such a folder `create table` fails, and only `create or replace table … as select` works. So if `create
    table` still fails after all attempts, this function sends `create or replace table`. If another writer commits at
    the same time, `create or replace table` conflicts and is retried.

    Args:
        run: sends a statement.
        table: the table's name as SQL.
        columns: column names as SQL, with their types.
        clauses: the clauses of `create table` between the columns and `as`.
        sleep: see `retry_on_conflict`.
        comments: column comments as SQL literals. A table created in a leftover folder gets no comments.
    """
    comment_clauses = {name: f" comment {comment}" for name, comment in (comments or {}).items()}
    definitions = ", ".join(f"{name} {kind}{comment_clauses.get(name, '')}" for name, kind in columns.items())
    try:
        create = f"create table if not exists {table} ({definitions}) {clauses}"
        retry_on_conflict(lambda: run(create), sleep, is_concurrent_creation)
    except Exception as error:
        if NON_EMPTY_LOCATION not in str(error):
            raise
        nulls = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
        create_over = f"create or replace table {table} {clauses} as select {nulls} where false"
        retry_on_conflict(lambda: run(create_over), sleep)
