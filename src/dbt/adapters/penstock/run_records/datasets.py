"""Names of relations as OpenLineage datasets: https://openlineage.io/docs/spec/naming"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dbt.adapters.penstock import databases, node_fingerprint
from dbt.adapters.penstock.run_records.node_runs import find, parents
from penstock.config.addresses import DERBY
from penstock.config.settings import Settings

if TYPE_CHECKING:
    from dbt.adapters.penstock.credentials import PenstockCredentials


class DatasetNames:
    """Names of datasets. Each has a namespace, which is a Hive metastore or another catalog, and a name `schema.table`.

    Args:
        credentials: the credentials of the target.
        settings: the settings of the target.
    """

    def __init__(self, credentials: PenstockCredentials, settings: Settings) -> None:
        self._credentials, self._settings = credentials, settings

    def namespace(self, catalog: str | None) -> str:
        """Return the namespace of a catalog.

        Args:
            catalog: the name of a Spark catalog. None means `spark_catalog`, whose tables are in a Hive metastore.
        """
        if self._settings.openlineage.dataset_namespace:
            return self._settings.openlineage.dataset_namespace
        if not self._credentials.managed:
            return f"spark://{self._credentials.host}:{self._credentials.port}"
        found = self._settings.server.catalogs.get(catalog or "")
        if found is not None and found.uri:
            address = urlsplit(found.uri.removeprefix("jdbc:"))
            scheme = "hive" if found.type == "hive" else address.scheme
            return f"{scheme}://{address.netloc}"
        if found is not None and found.type == "hadoop":
            return str(found.warehouse)
        return self._metastore()

    def _metastore(self) -> str:
        """Return the namespace of the server's metastore. Derby has no address, so the machine's name is used."""
        settings = self._settings
        if settings.metastore == DERBY:
            return f"hive://{socket.gethostname()}:{settings.server.ports.metastore}"
        return f"hive://{urlsplit(settings.metastore).netloc}"

    def of(self, node: Any) -> tuple[str, str]:
        """Return the namespace and the name of the dataset of a node, source or relation of dbt's manifest."""
        catalog = databases.catalog_of(node.database, node.schema)
        own = catalog.lower() == databases.SPARK_CATALOG
        return self.namespace(None if own else catalog), node_fingerprint.relation_name(node)


def inputs(manifest: Any, unique_id: str) -> list[Any]:
    """Return the nodes and sources that a node reads. In place of an ephemeral model, return the model's own inputs."""
    found: dict[str, Any] = {}
    for parent in parents(find(manifest, unique_id)):
        entry = find(manifest, parent)
        if entry is None:
            continue
        if getattr(entry.config, "materialized", "") == "ephemeral":
            found.update({item.unique_id: item for item in inputs(manifest, parent)})
        else:
            found[parent] = entry
    return list(found.values())


def read_relation(node: Any, parent: Any) -> Any:
    """Return the relation from which a node reads an input. With `--defer`, it may be in another environment."""
    deferred = getattr(parent, "defer_relation", None)
    name = getattr(deferred, "relation_name", None)
    return deferred if name and name in (getattr(node, "compiled_code", None) or "") else parent
