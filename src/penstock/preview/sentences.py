"""Describe the parts of a preview in words, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from penstock.explain.sentences import plural
from penstock.explain.server_facts import format_bytes
from penstock.intervals.grain import DAY, GRAINS, MONTH, format_intervals, parse_day
from penstock.preview.content import Action, Code, Estimate, Expected, Kind, NodePreview, Preview, StaleInterval

NO_HISTORY = "no history"


def heading(preview: Preview) -> str:
    """Return the headline: the project, the target, and the run or state that the preview compares with."""
    return f"preview of {preview.project}, target {preview.target}, compared with {preview.compared_with}"


def summary(preview: Preview) -> str:
    """Return the number of nodes that the run would change, and the kinds of change."""
    busy = sum(node.action is not Action.NOTHING for node in preview.nodes)
    counts = [f"{len(preview.names(kind))} {_adjective(kind)}" for kind in preview.kinds]
    listed = f": {', '.join(counts)}" if counts else ""
    return f"the next run would work on {busy} of {plural(len(preview.nodes), 'node')}{listed}"


def _adjective(kind: Kind) -> str:
    return {
        Kind.REBUILD: "rebuilt whole",
        Kind.JOIN: "with another join",
        Kind.EXCHANGE: "with other exchanges",
        Kind.PRUNING: "with less pruning",
        Kind.HINT: "with an ignored hint",
        Kind.STALE: "with stale intervals",
    }.get(kind, kind.value)


def action(node: NodePreview) -> str:
    """Return what the run would do with a node, in a few words."""
    number = plural(len(node.intervals), "interval")
    if node.action is Action.INTERVALS:
        return number
    return f"{node.action.value}, {number}" if node.intervals else node.action.value


def rows(estimate: Estimate | None) -> str:
    """Return expected rows for a table's cell."""
    return "" if estimate is None else f"{estimate.median:,.0f}"


def size(estimate: Estimate | None) -> str:
    """Return expected bytes for a table's cell."""
    return "" if estimate is None else format_bytes(estimate.median)


def seconds(estimate: Estimate | None) -> str:
    """Return expected seconds for a table's cell."""
    return "" if estimate is None else f"{estimate.median:.1f}"


def spread(expected: Expected) -> str:
    """Return the expected numbers with the smallest and the largest number of earlier runs."""
    parts = [
        _range(expected.rows, lambda number: f"{number:,.0f}", "rows"),
        _range(expected.bytes, format_bytes, ""),
        _range(expected.seconds, lambda number: f"{number:.1f}", "s"),
    ]
    return "; ".join(filter(None, parts)) or NO_HISTORY


def _range(estimate: Estimate | None, show: Callable[[float], str], unit: str) -> str:
    if estimate is None:
        return ""
    low, median, high = show(estimate.low), show(estimate.median), show(estimate.high)
    between = f" ({low} to {high})" if low != high else ""
    return f"{median}{f' {unit}' if unit else ''}{between} from {plural(estimate.runs, 'run')}"


def details(node: NodePreview) -> Iterator[tuple[str, str]]:
    """Yield (label, text) of each detail about a node."""
    if node.reason and node.action is Action.REBUILD:
        yield Kind.REBUILD.value, node.reason
    elif node.reason:
        yield "action", node.reason
    for text in stale_lines(node.intervals):
        yield Kind.STALE.value, text
    for change in node.plan_changes:
        yield change.kind, str(change)
    if node.plan == "same" and node.code is Code.CHANGED:
        yield "plan", "the same as before"
    if node.downstream_of:
        yield "upstream", f"reads changed {', '.join(node.downstream_of)}"
    if node.language == "python":
        yield "inputs", ", ".join(node.inputs) or "none"
    if node.action is not Action.NOTHING and node.materialized != "view":
        yield "expected", spread(node.expected)
    for note in node.notes:
        yield "note", note


def stale_lines(intervals: tuple[StaleInterval, ...]) -> list[str]:
    """Return a line for each reason, with its stale intervals. Consecutive intervals are shown as a range."""
    by_reason: dict[str, list[str]] = {}
    for item in intervals:
        by_reason.setdefault(item.reason, []).append(item.interval)
    lines = []
    for reason, names in by_reason.items():
        grain = GRAINS[MONTH if len(names[0]) == len("2024-01") else DAY]
        lines.append(f"{format_intervals(map(parse_day, names), grain)}: {reason}")
    return lines
