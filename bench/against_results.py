"""What bench/against.py measured: costs of steps of two sides, and their tables."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from against_cpu import ENDED, GROUPS, OTHER, group, grouped

PAGE = Path(__file__).resolve().parent.parent / "docs" / "speed.md"
BLOCK = re.compile(r"(<!-- made by bench/against.py -->\n).*?(<!-- end -->)", re.DOTALL)
# Ratios of CPU seconds to the base commit's, by step; statements of a build.
AIM, STATEMENTS = 0.5, 120
ROLES = ("spark", "metastore", "dbt", "supervisor")
LABELS = {
    "test": "`dbt test`",
    "run": "`dbt run`, nothing changed",
    "month": "`dbt run`, one more month",
}


@dataclass(frozen=True)
class Cost:
    """The cost of one step.

    Attributes:
        wall: seconds until the command ended.
        processes: CPU seconds by process: `spark`, `metastore`, `supervisor`, `dbt`.
        threads: Spark's CPU seconds by thread name.
        statements: SQL statements that dbt sent.
        nodes: nodes that dbt ran.
        built: tables of which at least one interval was built.
    """

    wall: float
    processes: dict[str, float]
    threads: dict[str, float]
    statements: int
    nodes: int
    built: int

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return sum(self.processes.values())


@dataclass(frozen=True)
class Results:
    """Costs by side, then by step; one for each round. The side measured against comes first.

    Attributes:
        rows: of the sample lake.
        month_rows: of the month that the last step builds.
        machine: cores, memory, and the day.
        sides: of one side when the checkout was measured alone.
    """

    rows: int
    month_rows: int
    machine: str
    sides: dict[str, dict[str, list[Cost]]]


def read(data: dict[str, Any]) -> Results:
    """Results from their JSON."""
    sides = {
        side: {step: [Cost(**item) for item in items] for step, items in steps.items()}
        for side, steps in data["sides"].items()
    }
    return Results(**{**data, "sides": sides})


def label(step: str) -> str:
    """A step's name in a table."""
    number = step.removeprefix("build ")
    if number == step:
        return LABELS[step]
    return "`dbt build`, starts the server" if number == "1" else f"`dbt build`, {ordinal(int(number))} on this server"


def ordinal(number: int) -> str:
    """A number as an ordinal: 2nd, 3rd, 4th."""
    return f"{number}{ {2: 'nd', 3: 'rd'}.get(number, 'th') }"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, padded to be read as it is: the first column words, the others numbers."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [line(heads), f"| {' | '.join(rule)} |", *map(line, rows)]


def median(costs: Sequence[Cost], figure: Callable[[Cost], float]) -> float:
    """The median over the rounds."""
    return statistics.median(figure(cost) for cost in costs)


def step_names(found: Results) -> list[str]:
    """The steps that were measured."""
    return list(next(iter(found.sides.values())))


def told_steps(found: Results) -> list[str]:
    """The steps with aims: the first build, the last one on the same server, both kinds of `dbt run`."""
    builds = [step for step in step_names(found) if step.startswith("build ")]
    wanted = (*builds[:1], *builds[-1:], "run", "month")
    return [step for step in dict.fromkeys(wanted) if step in step_names(found)]


def _pair(found: Results, step: str, figure: Callable[[Cost], float], digits: int = 1) -> list[str]:
    return [f"{median(steps[step], figure):,.{digits}f}" for steps in found.sides.values()]


def _ratio(found: Results, step: str) -> float:
    base, ours = (median(steps[step], lambda cost: cost.cpu) for steps in found.sides.values())
    return ours / base


def _names(found: Results, what: str) -> list[str]:
    return [f"{what}: {name}" for name in found.sides]


def steps(found: Results) -> list[str]:
    """CPU seconds, statements and wall seconds of each step."""
    compared = len(found.sides) == 2
    heads = ["step", *_names(found, "CPU s"), *(["ratio"] if compared else []), *_names(found, "statements")]
    rows = []
    for step in step_names(found):
        cells = [label(step), *_pair(found, step, lambda cost: cost.cpu)]
        cells += [f"{_ratio(found, step):.2f}"] if compared else []
        cells += [*_pair(found, step, lambda cost: cost.statements, 0), *_pair(found, step, lambda cost: cost.wall)]
        rows.append([*cells, *_pair(found, step, lambda cost: cost.nodes, 0)])
    return table([*heads, *_names(found, "wall s"), *_names(found, "nodes")], rows)


def processes(found: Results) -> list[str]:
    """CPU seconds by process."""
    rows = []
    for step in step_names(found):
        cells = [label(step)]
        for role in ROLES:
            cells += _pair(found, step, lambda cost, role=role: cost.processes.get(role, 0.0))  # type: ignore[misc]
        rows.append(cells)
    return table(["CPU s", *(name for role in ROLES for name in _names(found, role))], rows)


def threads(found: Results) -> list[str]:
    """Spark's CPU seconds by group of threads."""
    shown = told_steps(found)
    rows = []
    for kind in [*(name for name in GROUPS if name != ENDED), OTHER, ENDED]:
        cells = [kind]
        for step in shown:
            cells += _pair(found, step, lambda cost, kind=kind: grouped(cost.threads).get(kind, 0.0))  # type: ignore[misc]
        rows.append(cells)
    rows.append(["all of Spark"])
    for step in shown:
        rows[-1] += _pair(found, step, lambda cost: cost.processes.get("spark", 0.0))
    return table(["Spark's CPU s", *(name for step in shown for name in _names(found, step))], rows)


def other_threads(found: Results, count: int = 8) -> list[str]:
    """The threads that belong to no group and used most in the first step."""
    lines = []
    for side, measured in found.sides.items():
        first = next(iter(measured.values()))[0]
        names = {name: cpu for name, cpu in first.threads.items() if group(name) == OTHER}
        top = sorted(names.items(), key=lambda item: -item[1])[:count]
        lines.append(f"other threads of {side}: {', '.join(f'{name} {cpu:.1f}' for name, cpu in top)}")
    return lines


def aims(found: Results) -> list[str]:
    """Each aim, and whether it is met."""
    rows = []
    for step in told_steps(found):
        ratio = _ratio(found, step)
        rows.append([f"CPU seconds, {label(step)}", f"≤ {AIM}", f"{ratio:.2f}", "yes" if ratio <= AIM else "no"])
    builds = [step for step in told_steps(found) if step.startswith("build ")]
    for step in builds[-1:]:
        count = median(list(found.sides.values())[-1][step], lambda cost: cost.statements)
        met = "yes" if count <= STATEMENTS else "no"
        rows.append([f"statements, {label(step)}", f"≤ {STATEMENTS}", f"{count:.0f}", met])
    return table(["aim", "at most", "measured", "met"], rows)


def report_tables(found: Results) -> list[str]:
    """All tables."""
    first = next(iter(found.sides.values()))
    rounds = len(next(iter(first.values())))
    built = f" of {first['month'][0].built} tables" if "month" in first else ""
    intro = (
        f"{found.rows:,} rows of sample; one more month{built} has {found.month_rows:,} rows; {found.machine}; "
        f"{'one round' if rounds == 1 else f'medians of {rounds} rounds'}."
    )
    parts = [steps(found), *([aims(found)] if len(found.sides) == 2 else []), processes(found), threads(found)]
    return [intro, *(line for part in parts for line in ("", *part))]


def filled(text: str, lines: Sequence[str]) -> str:
    """The page with its block replaced.

    Raises:
        SystemExit: the page has no such block.
    """
    if not BLOCK.search(text):
        raise SystemExit(f"needed: a block `<!-- made by bench/against.py -->` in {PAGE.name}. found: none. do: add it")
    return BLOCK.sub(lambda match: f"{match[1]}{chr(10).join(lines)}\n{match[2]}", text)


def write(found: Results) -> None:
    """Put the tables into the page."""
    PAGE.write_text(filled(PAGE.read_text(), report_tables(found)))
