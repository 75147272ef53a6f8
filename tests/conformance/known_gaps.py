"""The published tests that a configuration is known to fail, each with its reason."""

from __future__ import annotations

from tests.conformance.adapters import COLUMN

# By column: the reason, by the beginning of a test's name.
GAPS: dict[str, dict[str, str]] = {"connect": {}, "iceberg": {}}


def reason(name: str) -> str:
    """Return why the tested configuration fails a test; empty if it passes."""
    return next((text for start, text in GAPS.get(COLUMN, {}).items() if name.startswith(start)), "")
