"""Writing a model's rows from a temporary view of its own session: no temporary table exists at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.delta import merge_keys, replace_where
from penstock.delta.conflicts import again_on_conflict
from penstock.python_runtime import schema_changes, table_replacement
from penstock.python_runtime.job import Job
from penstock.python_runtime.model_errors import ModelError
from penstock.sql.data_types import parse
from penstock.sql.names import quoted

COMMIT_INFO = "spark.databricks.delta.commitInfo.userMetadata"
# Where a merge's text leaves its columns to the writer, which knows the rows.
ALL = "/* all columns */ *"
DYNAMIC = "spark.sql.sources.partitionOverwriteMode"


def write(session: Any, frame: Any, job: Job) -> None:
    """Write a data frame as the job says.

    A table of an atomic format is as it was until the one commit that ends the write, except that
    `on_schema_change` alters its columns before.

    Raises:
        ModelError: columns that `on_schema_change` refuses, or an unknown mode.
    """
    frame.createOrReplaceTempView(job.write.view)
    if job.write.commit_info:
        session.conf.set(COMMIT_INFO, job.write.commit_info)
    if job.write.mode == "replace":
        table_replacement.replace(session, job.write, job.layout, frame.schema)
        return
    if not job.write.exists:
        table_replacement.create_empty(session, job.write.target, job.layout, frame.schema)
    target, rows = job.write.target, schema_changes.types(frame.schema)
    present = schema_changes.types(session.table(target).schema)
    if unreadable := [f"{name} is {words}" for name, words in present.items() if parse(words).has_void]:
        words = f"{', '.join(unreadable)}, the type of a NULL literal"
        raise ModelError.of(f"columns of {target} that can be read", words, "build the table anew with --full-refresh")
    change = schema_changes.compare(present, rows)
    added = job.layout.features and change.added
    properties = [row[0] for row in session.sql(f"show tblproperties {target}").collect()] if added else []
    plan = schema_changes.plan(target, change, job.write.on_schema_change, job.layout, properties)
    for statement in plan.before:
        session.sql(statement)
    source = table_replacement.in_order(
        f"select {selected(session, target, rows)} from {quoted(job.write.view)}", job.layout
    )
    again_on_conflict(lambda: _insert(session, job, source, rows))
    for statement in plan.after:
        session.sql(statement)


def _insert(session: Any, job: Job, source: str, rows: Mapping[str, str]) -> None:
    target = job.write.target
    if job.write.mode == "append":
        session.sql(f"insert into {target} {source}")
    elif job.write.mode == "merge":
        try:
            session.sql(merged(str(job.write.merge_sql), session.table(target).schema.names, rows))
        except Exception as error:
            _explain_duplicates(session, job, error)
            raise
    elif job.write.mode == "replace_where":
        try:
            session.sql(f"insert into {target} replace where {job.write.condition} {source}")
        except Exception as error:
            if parts := replace_where.in_parts(error, job.write.condition):
                raise ModelError.of(*parts) from None
            raise
    elif job.write.mode == "insert_overwrite":
        session.conf.set(DYNAMIC, "dynamic" if job.layout.partition_by else "static")
        session.sql(f"insert overwrite table {target} {source}")
    else:
        raise ModelError(f"the write mode {job.write.mode} is not known to the Python models of penstock")


def merged(sql: str, table: Iterable[str], rows: Iterable[str]) -> str:
    """Return a merge with the columns that its rows and the table have in place of its marked stars.

    Delta itself reads a name that a star stands for as SQL, so that one with a backtick in it fails.
    """
    have = {name.casefold() for name in rows}
    shared = [quoted(name) for name in table if name.casefold() in have]
    updates = ", ".join(f"{name} = DBT_INTERNAL_SOURCE.{name}" for name in shared)
    values = ", ".join(f"DBT_INTERNAL_SOURCE.{name}" for name in shared)
    return sql.replace(f"update set {ALL}", f"update set {updates}").replace(
        f"insert {ALL}", f"insert ({', '.join(shared)}) values ({values})"
    )


def _explain_duplicates(session: Any, job: Job, error: BaseException) -> None:
    """Raise the error of a merge with a key that several new rows have.

    Raises:
        ModelError: names the key.
    """
    if merge_keys.is_duplicate(error):
        view = quoted(job.write.view)
        if parts := merge_keys.in_parts(lambda sql: session.sql(sql).collect(), job.write.target, view, job.write.keys):
            raise ModelError.of(*parts) from None


def selected(session: Any, target: str, rows: Mapping[str, str]) -> str:
    """The select list that puts the rows in the target's order, null for a column that they lack."""
    names = {name.lower(): name for name in rows}
    return ", ".join(
        quoted(names[name.lower()]) if name.lower() in names else f"cast(null as {words}) as {quoted(name)}"
        for name, words in schema_changes.types(session.table(target).schema).items()
    )
