"""What the materializations ask of the adapter: relations with their format, a query's columns, writes."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.contracts.relation import RelationType
from dbt.adapters.spark.impl import SparkAdapter
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import capabilities, column_types, seeds, statement_text, unit_test_values, write_turns
from dbt.adapters.penstock.column_names import Names
from dbt.adapters.penstock.error_messages import in_three
from penstock.delta import log as delta_log
from penstock.delta import merge_keys
from penstock.delta.conflicts import again_on_conflict
from penstock.sql import names

# The formats that dbt-spark's relations have a flag for.
FLAGS = ("delta", "hudi", "iceberg")


class TableWriting(SparkAdapter):
    """dbt-spark's adapter, with the methods that penstock's materializations call."""

    # The class of the server's catalog, once a format asked for it.
    _catalog_class: str | None = None

    @classmethod
    def quote(cls, identifier: str) -> str:
        """An identifier as SQL takes it. A method of the class, since dbt renders constraints by it."""
        return names.quoted(str(identifier))

    @available
    def column_name(self, name: str, columns: list[Any] | None = None) -> str:
        """Return a column that a configuration names, as SQL takes it.

        Args:
            name: as its author wrote it.
            columns: those of the table or query, where they are known.
        """
        return names.column(str(name), None if columns is None else [item.name for item in columns])

    @available
    def distinct_names(self, columns: list[Any]) -> list[str]:
        """Return names for a query's columns, as SQL, when some share theirs; else nothing."""
        taken: set[str] = set()
        found = []
        for column in columns:
            name, number = column.name, 1
            while name.lower() in taken:
                number += 1
                name = f"{column.name}_{number}"
            taken.add(name.lower())
            found.append(name)
        return [] if found == [column.name for column in columns] else list(map(names.quoted, found))

    @available
    def fixture_value(self, value: Any, data_type: str, column: str) -> str:
        """Return a unit test's value as SQL; see fixtures.py."""
        return unit_test_values.value(value, data_type, column)

    @available
    def literal(self, text: Any) -> str:
        """Return text as a SQL literal, which stands for it character by character."""
        return names.text(str(text))

    @available
    def table_format(self, name: str | None = None) -> capabilities.TableFormat:
        """A node's table format: by its `file_format`, else the profile's (delta).

        Raises:
            DbtRuntimeError: no such format, or one that the server's catalog can't hold.
        """
        found = capabilities.table_format(name or self.config.credentials.file_format)
        if found.catalog:
            if self._catalog_class is None:
                _, table = self.execute("set spark.sql.catalog.spark_catalog", fetch=True)
                self._catalog_class = str(table.rows[0][1])
            capabilities.check_catalog(found, self._catalog_class)
        return found

    @available
    def as_table(self, relation: BaseRelation, file_format: str | None) -> BaseRelation:
        """A relation as a table of a format, as it is once it is written."""
        name = self.table_format(file_format).name
        flags = {f"is_{flag}": flag == name for flag in FLAGS}
        return relation.incorporate(type=RelationType.Table, information=None, **flags)

    @available
    def has_format(self, relation: BaseRelation, table_format: capabilities.TableFormat) -> bool:
        """Whether a table is known to be of a format; only those that can be replaced in place are told apart."""
        return bool(getattr(relation, f"is_{table_format.name}", False))

    @available
    def type_change(self, old: str, new: str) -> column_types.Change:
        """What becomes of a column of type `old` when new rows have type `new`: widens, fits or impossible."""
        return column_types.change(old, new)

    @available
    def finds_nothing(self, sql: str) -> bool:
        """Return whether a test's query surely has no rows, so that it need not be sent."""
        return statement_text.finds_nothing(sql)

    @available
    def without_last_semicolons(self, sql: str) -> str:
        """Return a query without the semicolons that end it."""
        return statement_text.without_last_semicolons(sql)

    @available
    def no_failures(self) -> tuple[AdapterResponse, Any]:
        """Return the response and the rows of a data test that finds nothing."""
        import agate

        names = ["failures", "should_warn", "should_error"]
        types = [agate.Number(), agate.Boolean(), agate.Boolean()]
        return AdapterResponse(_message="OK"), agate.Table([(0, False, False)], names, types)

    @available
    def no_differences(self) -> tuple[AdapterResponse, Any]:
        """Return the response and the rows of a unit test whose expected and actual rows are none."""
        import agate

        names = ["actual_or_expected", "column"]
        return AdapterResponse(_message="OK"), agate.Table([], names, [agate.Text(), agate.Text()])

    @available
    def write_rows(
        self,
        sql: str,
        target: BaseRelation,
        alone: bool,
        source: str | None = None,
        keys: list[str] | None = None,
        named: list[str] | None = None,
    ) -> AdapterResponse:
        """Send a statement that writes to a table; a commit that another writer overtook is sent again.

        Args:
            sql: the statement.
            target: the table.
            alone: whether other such writers of this run wait, since they would conflict.
            source: of a merge, its new rows as SQL.
            keys: of a merge, its key columns as SQL.
            named: of a merge, what the user calls the keys.

        Raises:
            DbtRuntimeError: Spark's error; of a merge with a key that several new rows have, that key.
        """

        def write() -> AdapterResponse:
            try:
                return again_on_conflict(lambda: self.execute(sql)[0])
            except DbtRuntimeError as error:
                if source is None or not keys or not merge_keys.is_duplicate(error):
                    raise
                rows: Any = lambda query: self.execute(query, fetch=True)[1].rows  # noqa: E731
                parts = merge_keys.in_parts(rows, target.render(), source, keys, named or ())
                if parts is None:
                    raise
                raise DbtRuntimeError(in_three(*parts)) from None

        if not alone:
            return write()
        with write_turns.turn(target.render()):
            return write()

    @available
    def fill_aside(self, sql: str, aside: BaseRelation) -> AdapterResponse:
        """Send a statement that fills a table built aside; when it fails, that table goes."""
        try:
            return self.execute(sql)[0]
        except DbtRuntimeError:
            with contextlib.suppress(DbtRuntimeError):
                self.drop_relation(aside)
            raise

    @available
    def writes_alone(self, node: dict[str, Any]) -> bool:
        """Whether a microbatch's writes must take turns.

        Delta lets disjoint batches commit side by side only when the event time itself partitions the
        table; otherwise all but one of them would be refused as conflicts.
        """
        config = node["config"]
        partitions = config.get("partition_by") or []
        names = [partitions] if isinstance(partitions, str) else partitions
        parallel = self.table_format(config.get("file_format")).parallel_batches
        return bool(node.get("batch")) and not (parallel and config.get("event_time") in Names(names))

    @available
    def read_seed(self, node: dict[str, Any], empty: bool) -> seeds.Seed:
        """A seed's rows, ready for SQL.

        Args:
            node: the seed.
            empty: whether none of them are wanted (`--empty`).
        """
        root = Path(self.config.project_root)
        if node["package_name"] != self.config.project_name:
            root = root / self.config.packages_install_path / node["package_name"]
        path = root / node["original_file_path"]
        if not path.exists() and node.get("root_path"):
            path = Path(node["root_path"]) / node["original_file_path"]
        config = node["config"]
        return seeds.read(path, config.get("column_types") or {}, config.get("delimiter", ","), 0 if empty else None)

    @available
    def seed_properties(self, node: dict[str, Any], empty: bool) -> dict[str, str]:
        """Table properties that tell what a seed's table was made of."""
        found = None if empty or node["resource_type"] != "seed" else seeds.fingerprint(node)
        return {seeds.FINGERPRINT: found} if found else {}

    @available
    def seed_is_unchanged(self, relation: BaseRelation, node: dict[str, Any], empty: bool) -> bool:
        """Whether the table was made of the same file and configuration, and nobody changed it since.

        Only a Delta table whose log this program can read tells that; any other is loaded again.
        """
        log = delta_log.folder(getattr(relation, "information", None) or "")
        wanted = self.seed_properties(node, empty)
        # The metastore's own copy of the properties lacks them until the table is replaced once.
        found = delta_log.properties_as_written(log) if log and wanted else None
        return found is not None and wanted.items() <= found.items()

    def valid_incremental_strategies(self) -> list[str]:
        """dbt's own strategies that have SQL here; the table format narrows them (capabilities.py)."""
        return ["append", "merge", "insert_overwrite", "microbatch", "interval"]
