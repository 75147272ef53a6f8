"""Query Spark for the facts of a preview: whether relations exist, their histories, the run ledger, and EXPLAIN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.query_comment import AUXILIARY
from dbt.adapters.penstock.sent_statement import TimeLimit
from penstock.errors import PenstockError
from penstock.explain.dbt_model import Model
from penstock.explain.server_facts import Rows


class Warehouse:
    """The warehouse of a target, through dbt's adapter.

    Args:
        manifest: dbt's manifest.
    """

    def __init__(self, manifest: Any) -> None:
        from dbt.context.providers import generate_runtime_macro_context

        self.manifest = manifest
        self.adapter: Any = Model(None, manifest).adapter
        self.adapter.set_macro_resolver(manifest)
        self.adapter.set_macro_context_generator(generate_runtime_macro_context)

    @property
    def schema(self) -> str:
        """Return the target's schema, where the run ledger is."""
        return str(self.adapter.config.credentials.schema)

    @contextmanager
    def session(self, name: str, conf: Mapping[str, str] | None = None) -> Iterator[None]:
        """Provide the calling thread with a session inside the block.

        Args:
            name: name of the connection.
            conf: Spark settings of the session.
        """
        with self.adapter.connection_named(name):
            self.adapter.connections.use_conf(dict(conf or {}))
            try:
                yield
            finally:
                self.adapter.connections.use_conf({})

    def close(self) -> None:
        """Close all sessions."""
        self.adapter.cleanup_connections()

    def find(self, node: Any) -> Any:
        """Return the existing relation of a node, or None."""
        return self.adapter.get_relation(node.database, node.schema, getattr(node, "alias", None) or node.identifier)

    def tuples(self, sql: str) -> Any:
        """Run a statement and return its rows. The values of a row can be read by position or by name."""
        return self.adapter.execute(AUXILIARY + sql, fetch=True)[1].rows

    def rows(self, sql: str) -> Rows:
        """Run a statement, and return its rows by column name.

        Raises:
            PenstockError: the statement failed.
        """
        try:
            table = self.adapter.execute(AUXILIARY + sql, fetch=True)[1]
        except PenstockError:
            raise
        except DbtRuntimeError as error:
            raise PenstockError("an answer to a statement", first_line(error), "see logs/dbt.log") from None
        return [dict(zip(table.column_names, row, strict=True)) for row in table.rows]

    def rows_in_time(self, sql: str) -> Rows:
        """Run an EXPLAIN statement within the profile's `explain_seconds`, and return its rows by column name.

        Raises:
            PenstockError: the statement failed or was cancelled.
        """
        limit = TimeLimit(self.adapter.config.credentials.explain_seconds, "explain_seconds")
        setting = f"explain_seconds is {limit.seconds:g} in profiles.yml"
        if not limit.seconds:
            raise PenstockError("time for EXPLAIN", setting, "raise explain_seconds")
        try:
            with self.adapter.connections.time_limit(limit):
                return self.rows(sql)
        except PenstockError:
            if limit.exceeded:
                raise PenstockError("a plan", f"EXPLAIN took too long: {setting}", "raise explain_seconds") from None
            raise


def first_line(error: Exception) -> str:
    """Return the first line of an error message."""
    text = str(getattr(error, "msg", None) or error)
    return next((line.strip() for line in text.splitlines() if line.strip()), "an error")


def in_default_catalog(node: Any) -> bool:
    """Return whether a node is in the target's default catalog, so that `schema.table` is its name."""
    return databases.catalog_of(getattr(node, "database", None)).lower() == databases.default().lower()
