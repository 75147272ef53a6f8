"""Check that the catalogs of nodes and sources exist and answer. The adapter checks all but the default catalog.

A catalog that cannot be used must not stop the nodes of other catalogs. In its first steps, dbt lists and creates the
schemas of all nodes. If a catalog fails in these steps, the adapter only records the failure. Later, the check of each
node that uses the catalog raises the failure as an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.errors import AdapterError

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

UNDEFINED = "<undefined>"


class CatalogChecks:
    """The catalogs of one dbt run, with the class that implements each catalog, and with the catalogs' failures.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter
        self._classes: dict[str, str] = {}
        # The message of each catalog that could not be used.
        self._failures: dict[str, str] = {}
        self._answered: set[str] = set()

    def class_name(self, catalog: str) -> str | None:
        """Return the class that implements a catalog on the server, or None if the server has no such catalog."""
        if catalog not in self._classes:
            _, table = self._adapter.execute(f"set spark.sql.catalog.{databases.part(catalog)}", fetch=True)
            self._classes[catalog] = str(table.rows[0][1])
        name = self._classes[catalog]
        return None if name == UNDEFINED else name

    def failed(self, catalog: str | None) -> bool:
        """Return whether an earlier statement of this run could not use a catalog."""
        return catalog in self._failures

    def record_failure(self, catalog: str, error: DbtRuntimeError) -> None:
        """Record that a statement could not use a catalog."""
        self._failures.setdefault(catalog, " ".join(str(error.msg).split()))

    def check_node(self, node: Any, manifest: Any) -> None:
        """Check the catalogs that a node writes and reads.

        Raises:
            AdapterError: a catalog is missing, or does not answer. The error names the node or source in the catalog.
        """
        for catalog, item in databases.catalogs_of_node(node, manifest):
            self.check(catalog, databases.describe_node(item))

    def check(self, catalog: str, user: str) -> None:
        """Check that a catalog exists and answers.

        Args:
            catalog: the catalog.
            user: the node or source that uses the catalog, for the message.

        Raises:
            AdapterError: the catalog is missing, or does not answer.
        """
        setting = f"spark.sql.catalog.{catalog}"
        managed = self._adapter.config.credentials.managed
        where = f"server.catalogs.{catalog} in penstock.yml" if managed else f"{setting} on the server"
        if self.class_name(catalog) is None:
            raise AdapterError(
                f"the catalog {catalog}, for {user}",
                f"no setting {setting} on the server",
                f"set {where}, or correct `database` in the configuration",
            )
        if not self.failed(catalog) and catalog not in self._answered:
            self._adapter.list_schemas(catalog)
            self._answered.add(catalog)
        if self.failed(catalog):
            raise AdapterError(
                f"an answer of the catalog {catalog}, for {user}",
                self._failures[catalog],
                f"check that the catalog is running, and that {where} is correct",
            )
