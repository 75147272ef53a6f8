"""dbt adapter `penstock`: SQL over Thrift, Python models over Connect, on a server that starts itself."""

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

# All of dbt is imported by now and stays: the collector need not look through it again and again, nor at the
# end. That is a fifth of the processor time of a dbt command that parses this project.
gc.freeze()
