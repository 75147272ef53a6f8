"""A profile's target as dbt reads it."""

from __future__ import annotations

from typing import Any

from dbt.adapters.penstock.credentials import PenstockCredentials


def credentials(**data: Any) -> PenstockCredentials:
    """From the keys of a target in profiles.yml."""
    prepared = PenstockCredentials.__pre_deserialize__({"schema": "warehouse", **data})
    found: PenstockCredentials = PenstockCredentials.from_dict(prepared)
    return found
