"""Types of command-line options that benchmarks share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable


def comma_separated(choices: Iterable[str]) -> Callable[[str], list[str]]:
    """Return an argparse type for a list of names separated by commas.

    Args:
        choices: the known names.
    """
    known = list(choices)

    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        if unknown := sorted(set(names) - set(known)):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names

    return parse
