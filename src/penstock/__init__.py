"""Tools for dbt on a Spark that people operate themselves; `dbt.adapters.penstock` is the adapter."""

__version__ = "0.2.0"
