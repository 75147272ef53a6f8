"""The table of docs/how-to/stores.md: what works on which target, written by the tests."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "stores.md"
BEGIN, END = "<!-- made by tests/reach/test_targets.py -->", "<!-- end -->"
TARGETS = {"local": "local", "cluster": "standalone cluster", "s3": "S3", "gcs": "GCS", "hdfs": "HDFS"}
CELLS = ("land", "build", "dbt tests", "Python model", "spark_submit model", "kill")


@dataclass
class Matrix:
    """Observed results by target and cell."""

    seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def saw(self, target: str, cell: str, text: str) -> None:
        """Record that a cell of a target works."""
        assert cell in CELLS and target in TARGETS
        self.seen[target, cell] = text

    def _row(self, target: str) -> str:
        """Return a target's row; empty unless all of its cells were observed."""
        cells = [self.seen.get((target, cell), "") for cell in CELLS]
        return f"| {TARGETS[target]} | {' | '.join(cells)} |" if all(cells) else ""

    def write(self) -> None:
        """Write the complete rows to the page; a target that did not run keeps its row."""
        with Path(__file__).open() as turn:  # other processes write the other targets
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._write()

    def _write(self) -> None:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        table, _, after = rest.partition(END)
        there = {line.split("|")[1].strip(): line for line in table.strip().splitlines()[2:]}
        rows = [self._row(target) or there.get(title, "") for target, title in TARGETS.items()]
        head = [f"| target | {' | '.join(CELLS)} |", "|---" * (len(CELLS) + 1) + "|"]
        made = "\n".join([*head, *filter(None, rows)])
        PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}")
