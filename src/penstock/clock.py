"""The time of day, read in one place. It is for people and for times of grace; no order rests on it."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> datetime:
    """The present in UTC, as the machine's clock says it. The clock may jump either way between two calls."""
    return datetime.now(timezone.utc)
