"""The dbt adapter `penstock`: SQL over Thrift and Python models over Spark Connect, on a managed or remote server."""

import gc

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

# dbt's modules are imported by now and stay until the end, so the garbage collector need not scan them again. That
# saves a fifth of the processor time of a dbt command that parses this project.
gc.freeze()
