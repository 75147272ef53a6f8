"""Times in the records and in the run ledger."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any


def parse(text: str) -> datetime:
    """Return a time in ISO 8601. A time without a zone is in UTC."""
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)


def seconds_between(started: str, ended: str) -> float | None:
    """Return the seconds between two times in ISO 8601; None if either is empty."""
    return round((parse(ended) - parse(started)) / timedelta(seconds=1), 3) if started and ended else None


def as_text(value: Any) -> str:
    """Return a timestamp of the run ledger, which is in UTC, as ISO 8601."""
    return parse(str(value)).isoformat()
