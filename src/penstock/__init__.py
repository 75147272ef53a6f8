"""Tools for running dbt on a Spark that you operate yourself. The dbt adapter is `dbt.adapters.penstock`."""

__version__ = "0.2.0"
