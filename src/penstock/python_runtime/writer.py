"""Write a model's rows from a temporary view in the model's session, without a staging table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.delta import duplicate_key_error, replace_where_error
from penstock.delta.conflicts import retry_on_conflict
from penstock.iceberg import row_check
from penstock.intervals.commit_metadata import SETTINGS
from penstock.python_runtime import schema_changes, table_replacement
from penstock.python_runtime.job import Job
from penstock.python_runtime.model_errors import ModelError, RefusedModelError
from penstock.sql.data_types import parse
from penstock.sql.names import quote_identifier

# The merge macro's placeholder for the list of columns. The writer replaces the placeholder, because the writer
# knows the columns of the rows.
ALL_COLUMNS = "/* all columns */ *"
OVERWRITE_MODE = "spark.sql.sources.partitionOverwriteMode"


def write(session: Any, frame: Any, job: Job) -> None:
    """Write a DataFrame to the job's target.

    If the format commits atomically, all rows change in one commit. `on_schema_change` may alter the table's columns
    before and after that commit.

    Raises:
        RefusedModelError: `on_schema_change` refuses the columns, several rows have the same key, or rows are outside
            the intervals to replace.
        ModelError: the write mode is unknown.
    """
    _create_view(session, frame, job)
    if job.write.commit_info:
        session.conf.set(SETTINGS[job.layout.file_format], job.write.commit_info)
    if job.write.mode == "replace":
        table_replacement.replace_table(session, job.write, job.layout, frame.schema)
        return
    if not job.write.exists:
        table_replacement.create_empty(session, job.write.target, job.layout, frame.schema)
    target, rows = job.write.target, schema_changes.column_types(frame.schema)
    statements = _alter_statements(session, job, rows)
    for statement in statements.before:
        session.sql(statement)
    select = f"select {target_select_list(session, target, rows)} from {quote_identifier(job.write.view)}"
    select += f" where {job.write.row_check}" if job.write.row_check else ""
    source = table_replacement.sorted_by_layout(select, job.layout)
    retry_on_conflict(lambda: _insert(session, job, source, rows))
    for statement in statements.after:
        session.sql(statement)


def _create_view(session: Any, frame: Any, job: Job) -> None:
    """Create the temporary view of the model's rows, which the statements read.

    Spark 4.1 can't plan a MERGE into an Iceberg table if the MERGE reads the view of a DataFrame of Iceberg tables
    (SPARK-54873). So for each merge, this function defines a second view in SQL, which reads the first view.
    """
    if job.write.mode != "merge":
        frame.createOrReplaceTempView(job.write.view)
        return
    rows = f"{job.write.view}_rows"
    frame.createOrReplaceTempView(rows)
    view, rows = quote_identifier(job.write.view), quote_identifier(rows)
    session.sql(f"create or replace temporary view {view} as select * from {rows}")


def _alter_statements(session: Any, job: Job, rows: Mapping[str, str]) -> schema_changes.AlterStatements:
    target = job.write.target
    present = schema_changes.column_types(session.table(target).schema)
    if unreadable := [f"{name} is {data_type}" for name, data_type in present.items() if parse(data_type).has_void]:
        found = f"{', '.join(unreadable)}, the type of a NULL literal"
        do = "rebuild the table with --full-refresh"
        raise RefusedModelError(f"columns of {target} that can be read", found, do)
    change = schema_changes.compare_columns(present, rows)
    properties = []
    if job.layout.features and change.added:
        properties = [row[0] for row in session.sql(f"show tblproperties {target}").collect()]
    return schema_changes.alter_statements(target, change, job.write.on_schema_change, job.layout, properties)


def _insert(session: Any, job: Job, source: str, rows: Mapping[str, str]) -> None:
    target = job.write.target
    if job.write.mode == "append":
        session.sql(f"insert into {target} {source}")
    elif job.write.mode == "merge":
        try:
            session.sql(list_merge_columns(str(job.write.merge_sql), session.table(target).schema.names, rows))
        except Exception as error:
            _raise_for_duplicate_keys(session, job, error)
            raise
    elif job.write.mode == "replace_where":
        try:
            session.sql(f"insert into {target} replace where {job.write.condition} {source}")
        except Exception as error:
            for module in (replace_where_error, row_check):
                if parts := module.error_parts(error, job.write.condition):
                    raise RefusedModelError(*parts) from None
            raise
    elif job.write.mode == "insert_overwrite":
        session.conf.set(OVERWRITE_MODE, "dynamic" if job.layout.partition_by else "static")
        session.sql(f"insert overwrite table {target} {source}")
    else:
        raise ModelError(f"penstock doesn't know the write mode {job.write.mode} of a Python model")


def list_merge_columns(sql: str, table: Iterable[str], rows: Iterable[str]) -> str:
    """Return a merge statement with each ALL_COLUMNS replaced by the columns that the table and the rows share.

    The list avoids `*`: Delta parses the names that `*` expands to as SQL, so a name with a backtick would fail.
    """
    row_names = {name.casefold() for name in rows}
    shared = [quote_identifier(name) for name in table if name.casefold() in row_names]
    updates = ", ".join(f"{name} = DBT_INTERNAL_SOURCE.{name}" for name in shared)
    values = ", ".join(f"DBT_INTERNAL_SOURCE.{name}" for name in shared)
    return sql.replace(f"update set {ALL_COLUMNS}", f"update set {updates}").replace(
        f"insert {ALL_COLUMNS}", f"insert ({', '.join(shared)}) values ({values})"
    )


def _raise_for_duplicate_keys(session: Any, job: Job, error: BaseException) -> None:
    """Check whether a merge failed because of a duplicate key.

    Raises:
        RefusedModelError: several new rows have the same key. The error names the key.
    """
    if duplicate_key_error.is_duplicate_key_error(error):
        view = quote_identifier(job.write.view)
        parts = duplicate_key_error.error_parts(
            lambda sql: session.sql(sql).collect(), job.write.target, view, job.write.keys
        )
        if parts:
            raise RefusedModelError(*parts) from None


def target_select_list(session: Any, target: str, rows: Mapping[str, str]) -> str:
    """Return a select list of the target's columns in their order, with NULL for columns that the rows lack."""
    names = {name.lower(): name for name in rows}
    return ", ".join(
        quote_identifier(names[name.lower()])
        if name.lower() in names
        else f"cast(null as {data_type}) as {quote_identifier(name)}"
        for name, data_type in schema_changes.column_types(session.table(target).schema).items()
    )
