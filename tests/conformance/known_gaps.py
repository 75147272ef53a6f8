"""The published tests that a configuration is known to fail, each with its reason."""

from __future__ import annotations

from tests.conformance.adapters import COLUMN

NO_CLONES = "Iceberg can't clone a table, so `dbt clone` creates views"
NO_FUNCTIONS = "a catalog of Iceberg stores no functions"
# By column: the reason, by the beginning of a test's name.
GAPS: dict[str, dict[str, str]] = {
    "connect": {},
    "iceberg": {
        "test_clone.py::TestClonePossible::test_can_clone_true": NO_CLONES,
        "test_clone.py::TestCloneSameSourceAndTarget": NO_CLONES,
        "test_functions.py::TestUDFs": NO_FUNCTIONS,
        "test_functions.py::TestDeterministicUDF": NO_FUNCTIONS,
        "test_functions.py::TestStableUDF": NO_FUNCTIONS,
        "test_functions.py::TestNonDeterministicUDF": NO_FUNCTIONS,
        "test_functions.py::TestSqlUDFDefaultArgSupport": NO_FUNCTIONS,
        "test_incremental.py::TestMicrobatchUniqueKey": "a microbatch model on Iceberg needs `partition_by`",
    },
}


def reason(name: str) -> str:
    """Return why the tested configuration fails a test; empty if it passes."""
    return next((text for start, text in GAPS.get(COLUMN, {}).items() if name.startswith(start)), "")
