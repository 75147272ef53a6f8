"""Find the hints of a query that Spark would ignore without a message. A run with such a hint stops with an error."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.explain.plan_changes import HINT, PlanChange
from penstock.plans import query_text

KNOWN = (*query_text.JOIN_HINTS, *query_text.PARTITION_HINTS)
RUN_FAILS = "Spark would ignore it, so the run stops with an error"


def invalid_hints(sql: str) -> Iterator[PlanChange]:
    """Yield the hints that Spark doesn't have, and the hints that name no side of a join.

    Args:
        sql: the compiled query of a model or view.
    """
    try:
        hints = query_text.hints(sql) if "/*+" in sql else []
    except query_text.QueryParseError:
        return
    for hint in hints:
        shown = f"hint {hint.name}({', '.join(hint.names)})" if hint.names else f"hint {hint.name}"
        if hint.name not in KNOWN:
            yield PlanChange(HINT, shown, after=f"no hint of Spark: {RUN_FAILS}")
        elif hint.dangling:
            names = ", ".join(f"`{name}`" for name in hint.dangling)
            sides = ", ".join(hint.aliases) or "none"
            yield PlanChange(HINT, shown, after=f"{names} is no side of the join ({sides}): {RUN_FAILS}")
