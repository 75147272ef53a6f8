"""Read the intervals that the user requests by options of dbt or by an environment variable."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Any

from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, Grain, parse_days
from penstock.intervals.staleness import RequestedIntervals

# This environment variable limits a run to some of the stale intervals, which are those that need building. Its value
# is a month such as `2024-01`, or a range such as `2024-01..2024-03`.
INTERVALS_VARIABLE = "PENSTOCK_INTERVALS"


def parse_requested_intervals(arguments: Any, grain: Grain, full_refresh: bool) -> RequestedIntervals:
    """Return the intervals that a dbt command requests.

    Args:
        arguments: dbt's parsed command line.
        grain: the length of the model's intervals.
        full_refresh: whether the command requests a full refresh of the model.

    Raises:
        PenstockError: the range in the environment variable is not valid.
    """
    start, end = (getattr(arguments, name, None) for name in ("EVENT_TIME_START", "EVENT_TIME_END"))
    within = None
    if text := os.environ.get(INTERVALS_VARIABLE, "").strip():
        try:
            first, after = parse_days(text)
            within = grain.start(first), after
        except PenstockError as error:
            needed = f"{INTERVALS_VARIABLE} as 2024-01 or 2024-01..2024-03"
            raise PenstockError(needed, error.found, error.do, entry=error.entry) from None
    return RequestedIntervals(
        full_refresh, start and grain.start(_day(start)), end and _day(end, round_up=True), within
    )


def partial_option(arguments: Any) -> str:
    """Return the option that limits the rows of each interval (`--empty`, `--sample`), or an empty string."""
    for name in ("empty", "sample"):
        if getattr(arguments, name.upper(), None) or getattr(arguments, name, None):
            return f"--{name}"
    return ""


def _day(moment: Any, round_up: bool = False) -> date:
    """Return the day of a time. If `round_up` is true and the time is not midnight, return the next day."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    day: date = moment.date() if isinstance(moment, datetime) else moment
    later = round_up and isinstance(moment, datetime) and moment.time() != datetime.min.time()
    return GRAINS["day"].following(day) if later else day
