"""EXPLAIN FORMATTED, and Spark's REST status in the same form, as a tree of operators.

The text is a tree whose lines end with a number, then a paragraph of details for each number.
Adaptive execution puts `== Final Plan ==` (`Current` while it runs) and `== Initial Plan ==` below
its own operator; a scalar subquery has a tree and paragraphs of its own further down.
Source of the form: org.apache.spark.sql.execution.ExplainUtils and AdaptiveSparkPlanExec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from penstock.plans.operators import Operator, Plan

LINE = re.compile(r"^(?P<indent>(?:[: ] {2})*)(?:[:+]- )?(?P<rest>\S.*)$")
NODE = re.compile(r"^(?:\* )?(?P<title>.+?) \((?P<number>\d+)\)(?:, Statistics\((?P<statistics>.*)\))?$")
HEADING = re.compile(r"^== (?P<which>Final|Current|Initial) Plan ==$")
PARAGRAPH = re.compile(r"^\((?P<number>\d+)\) (?P<name>\S+)")
REUSES = re.compile(r"\[Reuses operator id: (\d+)\]")
DETAIL = re.compile(r"^(?P<name>[A-Za-z][\w ]*?)\s*(?:\[\d+\])?\s*: ?(?P<value>.*)$")
SUBQUERY = re.compile(r"^Subquery:\d+ ")
HEAD, UNNUMBERED = -1, 0
ADAPTIVE = "AdaptiveSparkPlan"


class NotAPlan(ValueError):
    """The text isn't what EXPLAIN FORMATTED prints; the message is its first line."""


@dataclass
class _Node:
    """A line of a tree while it is read."""

    title: str
    number: int
    statistics: str
    children: list[_Node] = field(default_factory=list)


def parse(text: str) -> Plan:
    """The plan that a text of EXPLAIN FORMATTED holds.

    Raises:
        NotAPlan: no tree of operators in it: Spark explains an error, or the mode was another.
    """
    blocks = [block.strip("\n").splitlines() for block in re.split(r"\n\s*\n", text.strip("\n"))]
    trees: list[_Node] = []
    titles: dict[int, str] = {}
    paragraphs: dict[int, list[str]] = {}
    last: list[str] | None = None
    for block in blocks:
        lines = [line for line in block if not line.startswith(("== Physical", "=====")) and not SUBQUERY.match(line)]
        if not lines:
            continue
        found = PARAGRAPH.match(lines[0])
        number = int(found["number"]) if found else 0
        if found and number not in paragraphs and titles.get(number, "").split(" ")[0] == found["name"]:
            last = paragraphs[number] = lines
        elif not found and (tree := _tree(lines)):
            # A subquery that two operators share is printed twice.
            if tree.number not in titles:
                trees.append(tree)
            titles |= {node.number: node.title for node in _nodes(tree)}
        elif last is not None:
            last += ["", *block]
    details = {number: _details(lines) for number, lines in paragraphs.items()}
    if not trees:
        raise NotAPlan(text.strip().splitlines()[0] if text.strip() else "an empty text")
    roots = [_adapted(tree) for tree in trees]
    built = [(_build(final, details), _build(initial, details) if initial else None) for final, initial in roots]
    root, initial = built[0]
    ran = bool(initial) or "isFinalPlan=true" in " ".join(item.get("Arguments", "") for item in details.values())
    return Plan(root, initial, tuple(tree for tree, _ in built[1:]), ran)


def _nodes(tree: _Node) -> Iterator[_Node]:
    yield tree
    for child in tree.children:
        yield from _nodes(child)


def _details(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if reused := REUSES.search(lines[0]):
        found["Reuses"] = reused[1]
    name = ""
    for line in lines[1:]:
        match = DETAIL.match(line)
        if match and match["name"] not in found:
            name = match["name"]
            found[name] = match["value"]
        elif name:
            # A literal with a line break goes on below, whatever it looks like.
            found[name] += f"\n{line}"
    return found


def _tree(lines: list[str]) -> _Node | None:
    """The tree of indented lines; None when they are no tree."""
    stack: list[tuple[int, _Node]] = []
    root: _Node | None = None
    for line in lines:
        match = LINE.match(line)
        if not match:
            return None
        marked = line[len(match["indent"]) :].startswith((":- ", "+- "))
        indent = len(match["indent"]) // 3
        # The tree below a heading stands three to the right of it, without a mark of its own.
        depth = 2 * (indent + 1) if marked else 2 * indent + (indent > 0)
        heading, found = HEADING.match(match["rest"]), NODE.match(match["rest"])
        if root is None and not found:
            return None
        node = _Node(heading["which"], HEAD, "") if heading else _node(match["rest"], found)
        while stack and stack[-1][0] >= depth:
            stack.pop()
        if stack:
            stack[-1][1].children.append(node)
        elif root is not None:
            return None
        else:
            root = node
        stack.append((depth, node))
    return root


def _node(text: str, found: re.Match[str] | None) -> _Node:
    # What adaptive execution did away with stands in the tree as `(unknown)`.
    if not found:
        return _Node(text.removesuffix(" (unknown)"), UNNUMBERED, "")
    return _Node(found["title"], int(found["number"]), found["statistics"] or "")


def _adapted(tree: _Node) -> tuple[_Node, _Node | None]:
    """A tree without adaptive execution's headings, and the tree it began with."""
    node = tree
    while not node.children or node.title.split(" ")[0] != ADAPTIVE:
        if len(node.children) != 1:
            return tree, None
        node = node.children[0]
    headed = {child.title: child for child in node.children if child.number == HEAD}
    initial = headed.get("Initial")
    final = headed.get("Final") or headed.get("Current")
    if final:
        node.children = final.children
    return tree, initial.children[0] if initial and initial.children else None


def _build(node: _Node, details: dict[int, dict[str, str]]) -> Operator:
    return Operator(
        node.number,
        re.split(r"[ (]", node.title, maxsplit=1)[0],  # a split join is `SortMergeJoin(skew=true)`
        node.title,
        details.get(node.number, {}),
        tuple(_build(child, details) for child in node.children),
        node.statistics,
    )
