"""The baseline of a comparison (another target of the profile, or an earlier version of the tables), and its limits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock.errors import PenstockError

VERSION = re.compile(r"version:(-?\d+)")
DEFAULT_LIMIT = 10


@dataclass(frozen=True)
class Baseline:
    """The tables to compare with.

    Attributes:
        target: the name of a target; empty for an earlier version.
        version: a Delta version; a negative number counts back from the newest version. None for a target.
    """

    target: str = ""
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> Baseline:
        """Parse the value of `--against`: the name of a target, `version:12` or `version:-1`.

        Raises:
            PenstockError: the text begins with `version:`, but no whole number other than -0 follows.
        """
        if match := VERSION.fullmatch(text.strip()):
            return cls(version=int(match[1]))
        if not text.strip() or text.startswith("version:"):
            needed = "a target of profiles.yml, version:N, or version:-N to count back from the newest version"
            raise PenstockError(f"{needed} as --against", f"`{text}`", "write for example --against version:-1")
        return cls(target=text.strip())


@dataclass(frozen=True)
class Bounds:
    """Limits of the work and of the output.

    Attributes:
        sample: the share of rows to compare, above 0 and at most 1.
        limit: the largest number of examples for each changed column, and of added, removed and duplicate keys.
        full: whether to compare all intervals, even those with equal fingerprints in both run ledgers.
    """

    sample: float = 1.0
    limit: int = DEFAULT_LIMIT
    full: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.sample <= 1:
            raise PenstockError("a share above 0 and at most 1 as --sample", f"{self.sample:g}", "write --sample 0.1")
        if self.limit < 0:
            raise PenstockError("a number of at least 0 as --limit", str(self.limit), "write --limit 10")
