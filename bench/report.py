"""Write the reports of benchmarks: Markdown tables, which pages of the docs contain between two comments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
DELTA = "Delta 4.3.0"
MILLION, BILLION = 10**6, 10**9
KB, MB, GB, TB = 2**10, 2**20, 2**30, 2**40
UNITS = ((TB, "TB"), (GB, "GB"), (MB, "MB"), (KB, "KB"))


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1, padded: bool = False
) -> list[str]:
    """Return the lines of a Markdown table.

    Args:
        heads: names of the columns.
        rows: cells of each row.
        text_columns: how many of the first columns contain text. The others contain numbers and are aligned right.
        padded: whether to pad the cells, so that the Markdown text itself is easy to read.
    """
    widths = [max(len(row[column]) for row in (heads, *rows)) if padded else 0 for column in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if column < text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(aligned)} |"

    rule = ["-" * (width or 3) for width in widths[:text_columns]]
    rule += ["-" * (width - 1 if padded else 3) + ":" for width in widths[text_columns:]]
    return [line(heads), line(rule), *map(line, rows)]


def format_bytes(amount: float) -> str:
    """Return a readable number of bytes. A KB is 1024 bytes."""
    for unit, name in UNITS:
        if amount >= unit:
            return f"{amount / unit:,.1f} {name}" if amount < 10 * unit else f"{amount / unit:,.0f} {name}"
    return f"{amount:.0f} B"


def format_rows(count: float) -> str:
    """Return a readable number of rows: 10 million, 1 billion."""
    for unit, name in ((BILLION, "billion"), (MILLION, "million")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:,.0f}"


def spark_version() -> str:
    """Return the version of Spark that this environment has."""
    return f"Spark {version('pyspark')}"


def versions() -> str:
    """Return the versions that a measurement depends on."""
    return f"{spark_version()}, {DELTA}, dbt-core {version('dbt-core')}"


@dataclass(frozen=True)
class Report:
    """The outcome of a benchmark.

    Attributes:
        lines: lines to print at the end; empty if everything was printed already.
        blocks: lines of each block of the page, by the block's name. The only block of a page has the name "".
        pictures: SVG text of each picture, by path below docs/.
    """

    lines: Sequence[str]
    blocks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of the docs with blocks that a benchmark writes. The text around the blocks is written by hand.

    A block is located between `<!-- MARK NAME -->` and `<!-- end -->`.

    Attributes:
        path: the page's file.
        mark: text before the name in the opening comments, including the blank.
        names: names of the blocks that the page must have; empty if the page may have any blocks of the report.
    """

    path: Path
    mark: str
    names: tuple[str, ...] = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern of a block: its opening comment, `name`, `text`, and its closing comment."""
        opening = rf"(?P<opening><!-- {re.escape(self.mark)}(?P<name>[\w ]*?) -->\n)"
        return re.compile(rf"{opening}(?P<text>.*?)(?P<closing><!-- end -->)", re.DOTALL)

    def blocks(self, text: str) -> dict[str, list[str]]:
        """Return the lines of each block of a page, by name."""
        return {match["name"]: match["text"].splitlines() for match in self.pattern.finditer(text)}

    def fill(self, text: str, blocks: Mapping[str, Sequence[str]]) -> str:
        """Return a page's text with the given blocks replaced and other blocks unchanged.

        Raises:
            SystemExit: the page lacks a block, or has one that the benchmark doesn't write.
        """
        there = [match["name"] for match in self.pattern.finditer(text)]
        expected = sorted(self.names or set(there) & set(blocks))
        if sorted(there) != expected:
            raise SystemExit(
                f"needed: blocks {self._comments(expected)} in {self.path.name}. found: "
                f"{self._comments(there) or 'none'}. do: add the missing comments, remove the unknown ones"
            )

        def block(match: re.Match[str]) -> str:
            lines = blocks.get(match["name"])
            return match[0] if lines is None else "\n".join([match["opening"].rstrip("\n"), *lines, match["closing"]])

        return self.pattern.sub(block, text)

    def _comments(self, names: Sequence[str]) -> str:
        return ", ".join(f"`<!-- {self.mark}{name} -->`" for name in names)

    def write(self, report: Report) -> None:
        """Write a report's blocks into the page, and its pictures into docs/."""
        self.path.write_text(self.fill(self.path.read_text(), report.blocks))
        for name, svg in report.pictures.items():
            path = DOCS / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(svg)
