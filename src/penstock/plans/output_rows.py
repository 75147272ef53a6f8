"""Count the rows that a statement wrote, from the metrics of its executed plan."""

from __future__ import annotations

from penstock.plans.rest_api import ExecutedPlan

# Metrics of operators that count the rows of their output.
ROWS = ("number of output rows", "shuffle records written")
# Operators that pass on each row of their input once.
ROW_PRESERVING = ("AdaptiveSparkPlan", "AQEShuffleRead", "InputAdapter", "Project", "Sort", "WholeStageCodegen")


def output_rows(executed: ExecutedPlan) -> int | None:
    """Return the number of rows of the statement's query; None if the metrics don't show the number.

    Spark's plan of the query has no operator for the write. So the result is the count of the first operator, from the
    root down, that counts rows. If an operator above this one may change the number of rows, the result is None.
    """
    for title, metrics in reversed(executed.metrics):
        for name in ROWS:
            count = metrics.get(name, "").replace(",", "")
            if count.isdigit():
                return int(count)
        if title.split(" ")[0] not in ROW_PRESERVING:
            return None
    return None
