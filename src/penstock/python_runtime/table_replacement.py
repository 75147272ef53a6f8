"""Replace a table: in one commit if its format supports this, otherwise by renaming a temporary table."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.delta import table_features
from penstock.delta.conflicts import create_if_missing
from penstock.delta.sorted_writes import sorted_query
from penstock.python_runtime.job import Layout, Write
from penstock.python_runtime.model_errors import RefusedModelError
from penstock.python_runtime.schema_changes import column_types
from penstock.sql.names import column_expression, quote_identifier, string_literal, without_catalog

TEMPORARY_SUFFIX = "__dbt_aside"


def temporary_name(target: str) -> str:
    """Return the name of the temporary table that is later renamed to the target."""
    return f"{target[:-1]}{TEMPORARY_SUFFIX}`" if target.endswith("`") else f"{target}{TEMPORARY_SUFFIX}"


def create_clauses(layout: Layout, location: str | None, columns: Mapping[str, str] | None = None) -> str:
    """Return the clauses of `create table` between the table's name and `as`.

    Args:
        layout: the table's layout.
        location: the table's folder; None uses the warehouse's default.
        columns: SQL types by column name. Some types require table properties.

    Raises:
        RefusedModelError: the format doesn't support the layout.
    """
    partitions = list(map(column_expression, layout.partition_by))
    clauses = [f"using {layout.file_format}"]
    required = table_features.required_properties(columns or {}, layout.properties) if layout.features else {}
    for keyword, pairs in (("options", layout.options), ("tblproperties", {**layout.properties, **required})):
        if pairs:
            rendered = (f"{string_literal(key)} = {string_literal(value)}" for key, value in pairs.items())
            clauses.append(f"{keyword} ({', '.join(rendered)})")
    if partitions:
        clauses.append(f"partitioned by ({', '.join(partitions)})")
    # For a partitioned table of a format with clustering, clustered_by means Z-order. The maintenance applies Z-order,
    # so the statement needs no clause.
    if layout.clustered_by and not (layout.clusters and layout.partition_by):
        clauses.append(_clustering_clause(layout))
    if location:
        clauses.append(f"location {string_literal(location)}")
    if layout.comment:
        clauses.append(f"comment {string_literal(layout.comment)}")
    return " ".join(clauses)


def sorted_by_layout(select: str, layout: Layout) -> str:
    """Return a query that sorts the rows of another query as the table's layout requires."""
    return sorted_query(select, layout.partition_by, layout.rebalanced, layout.sorted_within)


def _clustering_clause(layout: Layout) -> str:
    names = ", ".join(map(column_expression, layout.clustered_by))
    if layout.clusters:
        return f"cluster by ({names})"
    if layout.buckets is None:
        raise RefusedModelError(f"buckets for clustered_by on {layout.file_format}", "none", "set buckets: a number")
    return f"clustered by ({names}) into {layout.buckets} buckets"


@dataclass(frozen=True)
class ExistingTable:
    """The existing table with the target's name: its format, its folder, and whether it is clustered."""

    file_format: str
    location: str
    clustered: bool


def existing_table(session: Any, write: Write, layout: Layout) -> ExistingTable | None:
    """Return the existing table with the target's name; None if the name is unused or belongs to a view."""
    if not write.exists or write.drop == "view" or not session.catalog.tableExists(write.target.replace("`", "")):
        return None
    details = {row[0]: row[1] for row in session.sql(f"describe table extended {write.target}").collect()}
    file_format, location = str(details.get("Provider") or "").lower(), str(details.get("Location") or "")
    clustered = False
    if layout.clusters and layout.partition_by and file_format == layout.file_format:
        detail = session.sql(f"describe detail {write.target}").first().asDict()
        clustered = bool(detail.get("clusteringColumns"))
    return ExistingTable(file_format, location, clustered)


def temporary_location(layout: Layout, old: ExistingTable | None) -> str | None:
    """Return the new table's folder: the configured path, with a suffix if the old table uses that path."""
    if layout.location is None or old is None:
        return layout.location
    folder = layout.location.rpartition("/")[2]
    in_use = old.location.rstrip("/").endswith(f"/{folder}")
    return f"{layout.location}{TEMPORARY_SUFFIX}" if in_use else layout.location


def create_empty(session: Any, target: str, layout: Layout, schema: Any) -> None:
    """Create the table without rows, unless it exists or another writer creates it at the same time."""
    columns = column_types(schema)
    definitions = {quote_identifier(name): data_type for name, data_type in columns.items()}
    create_if_missing(session.sql, target, definitions, create_clauses(layout, layout.location, columns))


def replace_table(session: Any, write: Write, layout: Layout, schema: Any) -> None:
    """Replace the target, a table or a view, with a table that has the rows of the write's view.

    If the rows can't be computed, the target is unchanged. Some targets can't be replaced in one commit: a view, a
    table of another format, a table of a format without atomic replacement, and a clustered table that becomes
    partitioned. Such a target is dropped only after a temporary table with the new rows is complete.
    """
    old = existing_table(session, write, layout)
    is_view = write.drop == "view"
    same_kind = old is None or (old.file_format == layout.file_format and not old.clustered)
    if layout.atomic and not is_view and same_kind:
        location = old.location if old and layout.location else layout.location
        source = sorted_by_layout(f"select * from {quote_identifier(write.view)}", layout)
        clauses = create_clauses(layout, location, column_types(schema))
        session.sql(f"create or replace table {write.target} {clauses} as {source}")
        return
    temporary = temporary_name(write.target)
    _write_temporary(session, temporary, write, layout, temporary_location(layout, old), column_types(schema))
    # From here on, an error must not drop the new table: it is complete, and the old table may no longer exist.
    # Without PURGE, an Iceberg catalog keeps the files of a dropped table.
    purge = " purge" if old and old.file_format == "iceberg" else ""
    session.sql(f"drop {'view' if is_view else 'table'} if exists {write.target}{purge}")
    session.sql(f"alter table {temporary} rename to {without_catalog(write.target)}")


def _write_temporary(
    session: Any, temporary: str, write: Write, layout: Layout, location: str | None, columns: Mapping[str, str]
) -> None:
    """Create the temporary table and insert the rows. If the rows can't be computed, drop the temporary table again."""
    session.sql(f"drop table if exists {temporary}")
    # CREATE and INSERT are two statements. So a killed run leaves a registered table, which the next run can drop.
    definitions = ", ".join(f"{quote_identifier(name)} {data_type}" for name, data_type in columns.items())
    session.sql(f"create table {temporary} ({definitions}) {create_clauses(layout, location, columns)}")
    try:
        names = ", ".join(quote_identifier(item.name) for item in session.table(temporary).schema.fields)
        source = sorted_by_layout(f"select {names} from {quote_identifier(write.view)}", layout)
        session.sql(f"insert overwrite table {temporary} {source}")
    except BaseException:
        with contextlib.suppress(Exception):
            session.sql(f"drop table if exists {temporary}")
        raise
