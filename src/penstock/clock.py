"""The current time. Use it for display and for grace periods, never to decide which of two events came first."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> datetime:
    """Return the current time in UTC. The machine's clock may jump forward or back between two calls."""
    return datetime.now(timezone.utc)
