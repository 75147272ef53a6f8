"""The dbt adapter `penstock`, which runs SQL over Thrift and Python models over Spark Connect.

The Spark server is either the project's own server, which penstock starts, or a remote server.
"""

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

# dbt's modules are imported by now and stay in memory until the process ends, so the garbage collector need not scan
# them again. Freezing them saves a fifth of the processor time of a dbt command that parses this project.
gc.freeze()
