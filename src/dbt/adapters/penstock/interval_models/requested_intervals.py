"""What the command and its environment say of intervals."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.error_messages import in_three
from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, Grain, parse_days
from penstock.intervals.staleness import Asked

# Of the intervals that changed, only these are built: `2024-01` or `2024-01..2024-03`.
WITHIN = "PENSTOCK_INTERVALS"


def asked(arguments: Any, grain: Grain, full: bool) -> Asked:
    """The intervals that a dbt command asks for.

    Args:
        arguments: dbt's command line, parsed.
        full: whether it is a full refresh of the model.

    Raises:
        DbtRuntimeError: a range in the environment that is none.
    """
    start, end = (getattr(arguments, name, None) for name in ("EVENT_TIME_START", "EVENT_TIME_END"))
    within = None
    if text := os.environ.get(WITHIN, "").strip():
        try:
            first, after = parse_days(text)
            within = grain.start(first), after
        except PenstockError as error:
            words = in_three(f"{WITHIN} as 2024-01 or 2024-01..2024-03", error.found, error.do)
            raise DbtRuntimeError(words) from None
    return Asked(full, start and grain.start(_day(start)), end and _day(end, upwards=True), within)


def partial(arguments: Any) -> str:
    """Why what a command builds is no whole interval; empty when it is."""
    for name in ("empty", "sample"):
        if getattr(arguments, name.upper(), None) or getattr(arguments, name, None):
            return f"--{name}"
    return ""


def _day(moment: Any, upwards: bool = False) -> date:
    """The day of an instant; `upwards` the next one, unless the instant is a midnight."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    day: date = moment.date() if isinstance(moment, datetime) else moment
    later = upwards and isinstance(moment, datetime) and moment.time() != datetime.min.time()
    return GRAINS["day"].following(day) if later else day
