"""The rows of a statement, from the metrics of its executed plan."""

from __future__ import annotations

import pytest

from penstock.plans.output_rows import output_rows
from penstock.plans.rest_api import ExecutedPlan

ROWS = {"number of output rows": "158,280"}
SCAN = ("Scan parquet shop.orders", {"number of output rows": "200,000"})


@pytest.mark.parametrize(
    ("metrics", "rows"),
    [
        # Spark's REST API lists the root last.
        ([SCAN, ("Filter", ROWS), ("Project", {}), ("WholeStageCodegen (1)", {"duration": "1 s"})], 158280),
        ([SCAN, ("Exchange", {"shuffle records written": "1,048"}), ("AQEShuffleRead", {}), ("Sort", {})], 1048),
        ([SCAN], 200000),
        ([SCAN, ("Filter", ROWS), ("Union", {})], None),
        ([("Project", {})], None),
        ([], None),
    ],
)
def test_rows_below_operators_that_keep_them(metrics: list[tuple[str, dict[str, str]]], rows: int | None) -> None:
    assert output_rows(ExecutedPlan(1, "", 1.0, metrics)) == rows
