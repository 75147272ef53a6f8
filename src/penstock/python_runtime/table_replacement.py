"""Replacing a table: one commit where the format has it, otherwise written aside and swapped."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.delta import table_features
from penstock.delta.conflicts import create_if_missing
from penstock.delta.sorted_writes import arranged
from penstock.python_runtime.job import Layout, Write
from penstock.python_runtime.model_errors import ModelError
from penstock.python_runtime.schema_changes import types
from penstock.sql.names import column, quoted, text

ASIDE = "__dbt_aside"


def aside_of(target: str) -> str:
    """The name that a table is written under before it takes its own."""
    return f"{target[:-1]}{ASIDE}`" if target.endswith("`") else f"{target}{ASIDE}"


def clauses(layout: Layout, location: str | None, columns: Mapping[str, str] | None = None) -> str:
    """The clauses of `create table` between its name and `as`.

    Args:
        layout: the table's.
        location: its folder; None leaves it to the warehouse.
        columns: SQL types by name, of which some need table properties.

    Raises:
        ModelError: a layout that the format doesn't have.
    """
    partitions = list(map(column, layout.partition_by))
    parts = [f"using {layout.file_format}"]
    needed = table_features.properties(columns or {}, layout.properties) if layout.features else {}
    for word, pairs in (("options", layout.options), ("tblproperties", {**layout.properties, **needed})):
        if pairs:
            parts.append(f"{word} ({', '.join(f'{text(k)} = {text(v)}' for k, v in pairs.items())})")
    if partitions:
        parts.append(f"partitioned by ({', '.join(partitions)})")
    # In a partitioned table of a format that clusters, it means Z-order, which maintenance does.
    if layout.clustered_by and not (layout.clusters and layout.partition_by):
        parts.append(_clustering(layout))
    if location:
        parts.append(f"location {text(location)}")
    if layout.comment:
        parts.append(f"comment {text(layout.comment)}")
    return " ".join(parts)


def in_order(select: str, layout: Layout) -> str:
    """A query of the rows, in the order in which the table's files are to hold them."""
    return arranged(select, layout.partition_by, layout.rebalanced, layout.sorted_within)


def _clustering(layout: Layout) -> str:
    names = ", ".join(map(column, layout.clustered_by))
    if not layout.clusters:
        if layout.buckets is None:
            raise ModelError.of(f"buckets for clustered_by on {layout.file_format}", "none", "set buckets: a number")
        return f"clustered by ({names}) into {layout.buckets} buckets"
    return f"cluster by ({names})"


@dataclass(frozen=True)
class Standing:
    """What stands at the target's name: a table's format, folder and clustering columns."""

    file_format: str
    location: str
    clustered: bool


def standing(session: Any, write: Write, layout: Layout) -> Standing | None:
    """The table at the target's name; None when there is none, or a view."""
    if not write.exists or write.drop == "view" or not session.catalog.tableExists(write.target.replace("`", "")):
        return None
    rows = {row[0]: row[1] for row in session.sql(f"describe table extended {write.target}").collect()}
    found = Standing(str(rows.get("Provider") or "").lower(), str(rows.get("Location") or ""), False)
    if not (layout.clusters and layout.partition_by and found.file_format == layout.file_format):
        return found
    detail = session.sql(f"describe detail {write.target}").first().asDict()
    return Standing(found.file_format, found.location, bool(detail.get("clusteringColumns")))


def location_aside(layout: Layout, old: Standing | None) -> str | None:
    """The new table's folder: the configured one, or one beside it where the old table's files lie there."""
    if layout.location is None or old is None:
        return layout.location
    name = layout.location.rpartition("/")[2]
    return f"{layout.location}{ASIDE}" if old.location.rstrip("/").endswith(f"/{name}") else layout.location


def create_empty(session: Any, target: str, layout: Layout, schema: Any) -> None:
    """Make the table of some columns, unless it is there: who makes it at the same time meets the same one."""
    columns = types(schema)
    listed = {quoted(name): words for name, words in columns.items()}
    create_if_missing(session.sql, target, listed, clauses(layout, layout.location, columns))


def replace(session: Any, write: Write, layout: Layout, schema: Any) -> None:
    """Put the rows of the write's view in place of the target, whatever was there.

    The old table stays as it was when the rows can't be computed. What has to give way (a view, a
    table of another format or of one without atomic replacement, a clustered one that becomes
    partitioned) does so only once the new table lies whole beside it.
    """
    old = standing(session, write, layout)
    view = write.drop == "view"
    columns = types(schema)
    if layout.atomic and not view and (old is None or (old.file_format == layout.file_format and not old.clustered)):
        in_place = old.location if old and layout.location else layout.location
        source = in_order(f"select * from {quoted(write.view)}", layout)
        session.sql(f"create or replace table {write.target} {clauses(layout, in_place, columns)} as {source}")
        return
    aside = aside_of(write.target)
    session.sql(f"drop table if exists {aside}")
    # The table first, then its rows: a run that dies in between leaves a table, which the next one drops.
    listed = ", ".join(f"{quoted(name)} {words}" for name, words in columns.items())
    session.sql(f"create table {aside} ({listed}) {clauses(layout, location_aside(layout, old), columns)}")
    try:
        names = ", ".join(quoted(item.name) for item in session.table(aside).schema.fields)
        session.sql(f"insert overwrite table {aside} {in_order(f'select {names} from {quoted(write.view)}', layout)}")
    except BaseException:
        with contextlib.suppress(Exception):
            session.sql(f"drop table if exists {aside}")
        raise
    # From here on the new table is whole: an error must leave it, since the old one is gone.
    session.sql(f"drop {'view' if view else 'table'} if exists {write.target}")
    session.sql(f"alter table {aside} rename to {write.target}")
