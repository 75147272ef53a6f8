"""One error by another."""

from __future__ import annotations


def ratio(error: float, of: float) -> float:
    """The share of one error in another; not a number beside an error of nothing."""
    return error / of if of else float("nan")
