"""Writes of the SQL materializations: table formats, statements that write, and seeds."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.contracts.relation import RelationType
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import capabilities, databases, seeds, write_turns
from dbt.adapters.penstock.column_names import Names
from dbt.adapters.penstock.errors import AdapterError
from penstock.delta import duplicate_key_error
from penstock.delta import log as delta_log
from penstock.delta.conflicts import retry_on_conflict

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

# The formats for which dbt-spark's relations have a flag, such as `is_delta`.
FLAGS = ("delta", "hudi", "iceberg")


class TableWriter:
    """The writes of SQL materializations.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter

    def default_format(self, database: str | None) -> str:
        """Return the table format of nodes that set no `file_format`.

        Returns:
            The format of the node's catalog, if the catalog has only one format. Otherwise the profile's format.
        """
        catalog = databases.catalog_of(database)
        own = None
        if catalog.lower() != databases.SPARK_CATALOG:
            own = capabilities.only_format(self._adapter.catalogs.class_name(catalog) or "")
        return own or str(self._adapter.config.credentials.file_format)

    def table_format(self, name: str | None = None, database: str | None = None) -> capabilities.TableFormat:
        """Return a node's table format.

        Args:
            name: the node's `file_format`, or None for the default format of the node's catalog.
            database: the node's `database`.

        Raises:
            AdapterError: the format is unknown, or the node's catalog does not support it.
        """
        table_format = capabilities.table_format(name or self.default_format(database))
        catalog = databases.catalog_of(database)
        if table_format.catalog or catalog.lower() != databases.SPARK_CATALOG:
            class_name = self._adapter.catalogs.class_name(catalog)
            capabilities.check_catalog(table_format, catalog, class_name or "")
        return table_format

    def as_table(self, relation: BaseRelation, file_format: str | None) -> BaseRelation:
        """Return a relation as it will be after the write: as a table with this format."""
        name = self.table_format(file_format, relation.database).name
        flags = {f"is_{flag}": flag == name for flag in FLAGS}
        return relation.incorporate(type=RelationType.Table, information=None, **flags)

    def write_rows(
        self,
        sql: str,
        target: BaseRelation,
        alone: bool,
        source: str | None = None,
        keys: list[str] | None = None,
        key_names: list[str] | None = None,
    ) -> AdapterResponse:
        """Send a statement that writes to a table. After a conflict with another writer, send the statement again.

        Args:
            sql: the statement.
            target: the table.
            alone: whether this run's writes to the table must take turns, because they would conflict.
            source: the new rows of a merge, as SQL.
            keys: the key columns of a merge, as SQL.
            key_names: the names of a merge's keys in the configuration.

        Raises:
            DbtRuntimeError: the statement failed. If several new rows of a merge have the same key, the error names
                that key.
        """

        def write() -> AdapterResponse:
            try:
                return retry_on_conflict(lambda: self._adapter.execute(sql)[0])
            except DbtRuntimeError as error:
                if source is None or not keys or not duplicate_key_error.is_duplicate_key_error(error):
                    raise
                rows: Any = lambda query: self._adapter.execute(query, fetch=True)[1].rows  # noqa: E731
                parts = duplicate_key_error.error_parts(rows, target.render(), source, keys, key_names or ())
                if parts is None:
                    raise
                raise AdapterError(*parts) from None

        if not alone:
            return write()
        with write_turns.turn(target.render()):
            return write()

    def fill_temporary(self, sql: str, temporary: BaseRelation) -> AdapterResponse:
        """Send a statement that fills a temporary table. If the statement fails, drop the temporary table."""
        try:
            return self._adapter.execute(sql)[0]
        except DbtRuntimeError:
            with contextlib.suppress(DbtRuntimeError):
                self._adapter.drop_relation(temporary)
            raise

    def writes_alone(self, node: dict[str, Any]) -> bool:
        """Return whether the writes of a model's microbatches must take turns.

        Delta can commit several microbatches at the same time only if the event time is a partition column. Otherwise
        all but one of these commits would fail with a conflict.
        """
        config = node["config"]
        partitions = config.get("partition_by") or []
        columns = [partitions] if isinstance(partitions, str) else partitions
        parallel = self.table_format(config.get("file_format"), node.get("database")).parallel_batches
        return bool(node.get("batch")) and not (parallel and config.get("event_time") in Names(columns))

    def read_seed(self, node: dict[str, Any], empty: bool) -> seeds.Seed:
        """Return a seed's rows, ready for SQL.

        Args:
            node: the seed.
            empty: whether to leave out the rows (`--empty`).
        """
        project = self._adapter.config
        root = Path(project.project_root)
        if node["package_name"] != project.project_name:
            root = root / project.packages_install_path / node["package_name"]
        path = root / node["original_file_path"]
        if not path.exists() and node.get("root_path"):
            path = Path(node["root_path"]) / node["original_file_path"]
        config = node["config"]
        return seeds.read(path, config.get("column_types") or {}, config.get("delimiter", ","), 0 if empty else None)


def has_format(relation: BaseRelation, table_format: capabilities.TableFormat) -> bool:
    """Return whether a table has a format.

    The result is always False for formats other than Delta, Hudi and Iceberg, because dbt-spark's relations have no
    flags for them.
    """
    return bool(getattr(relation, f"is_{table_format.name}", False))


def seed_properties(node: dict[str, Any], empty: bool) -> dict[str, str]:
    """Return the table property with the fingerprint of a seed, or no properties if there is no fingerprint."""
    fingerprint = None if empty or node["resource_type"] != "seed" else seeds.fingerprint(node)
    return {seeds.FINGERPRINT: fingerprint} if fingerprint else {}


def seed_is_unchanged(relation: BaseRelation, node: dict[str, Any], empty: bool) -> bool:
    """Return whether a table was loaded from the seed's current file and configuration, and has not changed since.

    Only the log of a Delta table on this machine shows whether the table has changed. For any other table, the result
    is False, and the seed is loaded again.
    """
    log = delta_log.log_folder(getattr(relation, "information", None) or "")
    wanted = seed_properties(node, empty)
    # The properties are read from the Delta log, since the metastore's copy of them lacks the fingerprint until the
    # table is replaced for the first time.
    written = delta_log.properties_as_written(log) if log and wanted else None
    return written is not None and wanted.items() <= written.items()
