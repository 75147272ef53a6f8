"""The version that `dbt --version` shows."""

from penstock import __version__ as version

__all__ = ["version"]
