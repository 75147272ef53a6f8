"""A profile's target as dbt reads it."""

from __future__ import annotations

from typing import Any

from dbt.adapters.penstock.credentials import PenstockCredentials


def credentials(**data: Any) -> PenstockCredentials:
    """From the keys of a target in profiles.yml."""
    return PenstockCredentials.from_dict(PenstockCredentials.__pre_deserialize__({"schema": "warehouse", **data}))
