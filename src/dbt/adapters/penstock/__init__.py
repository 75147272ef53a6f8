"""dbt adapter `penstock`: SQL over Thrift, Python models over Connect, on a server that starts itself."""

from dbt.adapters.base import AdapterPlugin

from dbt.adapters.penstock.connections import PenstockConnectionManager
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.impl import PenstockAdapter
from dbt.include import penstock

__all__ = ["PenstockAdapter", "PenstockConnectionManager", "PenstockCredentials", "Plugin"]

Plugin = AdapterPlugin(
    adapter=PenstockAdapter,  # type: ignore[arg-type]
    credentials=PenstockCredentials,
    include_path=penstock.PACKAGE_PATH,
    dependencies=["spark"],
)
