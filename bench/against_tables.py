"""Results of bench/against.py (the costs of each step on two sides), and tables of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.report import table
from bench.threads import ENDED, GROUPS, OTHER, cpu_by_group, group_of

# The aims: at most this ratio of CPU seconds to those of the base commit, and at most this many statements a build.
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
        built: number of tables of which at least one interval was built.
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
    """Costs by side and step, one for each round. The base commit comes first.

    Attributes:
        rows: rows of the sample lake.
        month_rows: rows of the additional month that the last step builds.
        machine: the machine's cores and memory, and the day of the measurement.
        sides: costs of two sides, or only of the checkout.
    """

    rows: int
    month_rows: int
    machine: str
    sides: dict[str, dict[str, list[Cost]]]


def read(data: dict[str, Any]) -> Results:
    """Return the results that JSON data contains."""
    sides = {
        side: {step: [Cost(**item) for item in items] for step, items in steps.items()}
        for side, steps in data["sides"].items()
    }
    return Results(**{**data, "sides": sides})


def label(step: str) -> str:
    """Return a step's name in a table."""
    number = step.removeprefix("build ")
    if number == step:
        return LABELS[step]
    return "`dbt build`, starts the server" if number == "1" else f"`dbt build`, {ordinal(int(number))} on this server"


def ordinal(number: int) -> str:
    """Return a number as an ordinal: 2nd, 3rd, 4th."""
    return f"{number}{ {2: 'nd', 3: 'rd'}.get(number, 'th') }"


def median(costs: Sequence[Cost], figure: Callable[[Cost], float]) -> float:
    """Return the median of a figure over the rounds."""
    return statistics.median(figure(cost) for cost in costs)


def step_names(results: Results) -> list[str]:
    """Return the steps that were measured."""
    return list(next(iter(results.sides.values())))


def steps_with_aims(results: Results) -> list[str]:
    """Return the steps that have aims: the first and the last build on one server, and both kinds of `dbt run`."""
    builds = [step for step in step_names(results) if step.startswith("build ")]
    wanted = (*builds[:1], *builds[-1:], "run", "month")
    return [step for step in dict.fromkeys(wanted) if step in step_names(results)]


def _pair(results: Results, step: str, figure: Callable[[Cost], float], digits: int = 1) -> list[str]:
    return [f"{median(steps[step], figure):,.{digits}f}" for steps in results.sides.values()]


def _ratio(results: Results, step: str) -> float:
    base, ours = (median(steps[step], lambda cost: cost.cpu) for steps in results.sides.values())
    return ours / base


def _names(results: Results, what: str) -> list[str]:
    return [f"{what}: {name}" for name in results.sides]


def steps(results: Results) -> list[str]:
    """Return the table of CPU seconds, statements and wall seconds of each step."""
    compared = len(results.sides) == 2
    heads = ["step", *_names(results, "CPU s"), *(["ratio"] if compared else []), *_names(results, "statements")]
    rows = []
    for step in step_names(results):
        cells = [label(step), *_pair(results, step, lambda cost: cost.cpu)]
        cells += [f"{_ratio(results, step):.2f}"] if compared else []
        cells += [*_pair(results, step, lambda cost: cost.statements, 0), *_pair(results, step, lambda cost: cost.wall)]
        rows.append([*cells, *_pair(results, step, lambda cost: cost.nodes, 0)])
    return table([*heads, *_names(results, "wall s"), *_names(results, "nodes")], rows, padded=True)


def _of_process(role: str, cost: Cost) -> float:
    return cost.processes.get(role, 0.0)


def _of_group(group: str, cost: Cost) -> float:
    return cpu_by_group(cost.threads).get(group, 0.0)


def processes(results: Results) -> list[str]:
    """Return the table of CPU seconds by process."""
    rows = []
    for step in step_names(results):
        cells = [label(step)]
        for role in ROLES:
            cells += _pair(results, step, partial(_of_process, role))
        rows.append(cells)
    return table(["CPU s", *(name for role in ROLES for name in _names(results, role))], rows, padded=True)


def threads(results: Results) -> list[str]:
    """Return the table of Spark's CPU seconds by group of threads."""
    shown = steps_with_aims(results)
    rows = []
    for group in [*(name for name in GROUPS if name != ENDED), OTHER, ENDED]:
        cells = [group]
        for step in shown:
            cells += _pair(results, step, partial(_of_group, group))
        rows.append(cells)
    rows.append(["all of Spark"])
    for step in shown:
        rows[-1] += _pair(results, step, partial(_of_process, "spark"))
    return table(["Spark's CPU s", *(name for step in shown for name in _names(results, step))], rows, padded=True)


def other_threads(results: Results, count: int = 8) -> list[str]:
    """Return a line for each side: the threads outside all groups that used most CPU time in the first step."""
    lines = []
    for side, measured in results.sides.items():
        first = next(iter(measured.values()))[0]
        names = {name: cpu for name, cpu in first.threads.items() if group_of(name) == OTHER}
        top = sorted(names.items(), key=lambda item: -item[1])[:count]
        lines.append(f"other threads of {side}: {', '.join(f'{name} {cpu:.1f}' for name, cpu in top)}")
    return lines


def aims(results: Results) -> list[str]:
    """Return the table of the aims, and of whether each aim is met."""
    rows = []
    for step in steps_with_aims(results):
        ratio = _ratio(results, step)
        rows.append([f"CPU seconds, {label(step)}", f"≤ {AIM}", f"{ratio:.2f}", "yes" if ratio <= AIM else "no"])
    builds = [step for step in steps_with_aims(results) if step.startswith("build ")]
    for step in builds[-1:]:
        count = median(list(results.sides.values())[-1][step], lambda cost: cost.statements)
        met = "yes" if count <= STATEMENTS else "no"
        rows.append([f"statements, {label(step)}", f"≤ {STATEMENTS}", f"{count:.0f}", met])
    return table(["aim", "at most", "measured", "met"], rows, padded=True)


def report_tables(results: Results) -> list[str]:
    """Return all tables."""
    first = next(iter(results.sides.values()))
    rounds = len(next(iter(first.values())))
    built = f", for {first['month'][0].built} tables" if "month" in first else ""
    intro = (
        f"Sample of {results.rows:,} rows; {results.month_rows:,} rows in the additional month{built}; "
        f"{results.machine}; "
        f"{'one round' if rounds == 1 else f'medians of {rounds} rounds'}."
    )
    compared = [aims(results)] if len(results.sides) == 2 else []
    parts = [steps(results), *compared, processes(results), threads(results)]
    return [intro, *(line for part in parts for line in ("", *part))]
