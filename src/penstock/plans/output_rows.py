"""Count the rows that a statement wrote, from the metrics of its executed plan."""

from __future__ import annotations

from penstock.plans.rest_api import ExecutedPlan

# Metrics of operators that count the rows of their output.
ROWS = ("number of output rows", "shuffle records written")
# Operators that pass on each row of their input once.
ROW_PRESERVING = ("AdaptiveSparkPlan", "AQEShuffleRead", "InputAdapter", "Project", "Sort", "WholeStageCodegen")


def output_rows(executed: ExecutedPlan) -> int | None:
    """Return the number of rows of the statement's query; None if the metrics don't tell.

    Spark's plan of the query has no operator for the write. So the count is that of the first operator below the root
    that counts rows, if only operators that keep the number of rows are above it.
    """
    for title, metrics in reversed(executed.metrics):
        for name in ROWS:
            count = metrics.get(name, "").replace(",", "")
            if count.isdigit():
                return int(count)
        if title.split(" ")[0] not in ROW_PRESERVING:
            return None
    return None
