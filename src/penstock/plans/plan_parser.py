"""Parse EXPLAIN FORMATTED into a tree of operators. Spark's REST API returns plans in the same format.

The text is a tree whose lines end with a number, followed by a paragraph of details for each number.
Below the operator of adaptive execution are two trees, under the headings `== Final Plan ==`
(`== Current Plan ==` while the statement runs) and `== Initial Plan ==`. A scalar subquery has its own
tree and its own paragraphs further down.
Source of the format: org.apache.spark.sql.execution.ExplainUtils and AdaptiveSparkPlanExec.
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
HEADING_NUMBER, UNNUMBERED = -1, 0
ADAPTIVE = "AdaptiveSparkPlan"


class NotAPlan(ValueError):
    """The text is not the output of EXPLAIN FORMATTED. The error's message is the first line of the text."""


@dataclass
class _Node:
    """A line of the tree, before its details are known."""

    title: str
    number: int
    statistics: str
    children: list[_Node] = field(default_factory=list)


def parse(text: str) -> Plan:
    """Return the plan in the output of EXPLAIN FORMATTED.

    Raises:
        NotAPlan: the text has no tree of operators. It may be an error message, or come from another EXPLAIN mode.
    """
    blocks = [block.strip("\n").splitlines() for block in re.split(r"\n\s*\n", text.strip("\n"))]
    trees: list[_Node] = []
    titles: dict[int, str] = {}
    paragraphs: dict[int, list[str]] = {}
    last_paragraph: list[str] | None = None
    for block in blocks:
        lines = [line for line in block if not line.startswith(("== Physical", "=====")) and not SUBQUERY.match(line)]
        if not lines:
            continue
        paragraph = PARAGRAPH.match(lines[0])
        number = int(paragraph["number"]) if paragraph else 0
        if paragraph and number not in paragraphs and titles.get(number, "").split(" ")[0] == paragraph["name"]:
            last_paragraph = paragraphs[number] = lines
        elif not paragraph and (tree := _tree(lines)):
            # If two operators share a subquery, Spark prints the subquery twice. Keep the first one.
            if tree.number not in titles:
                trees.append(tree)
            titles |= {node.number: node.title for node in _nodes(tree)}
        elif last_paragraph is not None:
            last_paragraph += ["", *block]
    details = {number: _details(lines) for number, lines in paragraphs.items()}
    if not trees:
        raise NotAPlan(text.strip().splitlines()[0] if text.strip() else "an empty text")
    roots = [_split_adaptive(tree) for tree in trees]
    built = [(_build(final, details), _build(initial, details) if initial else None) for final, initial in roots]
    root, initial = built[0]
    ran = bool(initial) or "isFinalPlan=true" in " ".join(item.get("Arguments", "") for item in details.values())
    return Plan(root, initial, tuple(tree for tree, _ in built[1:]), ran)


def _nodes(tree: _Node) -> Iterator[_Node]:
    yield tree
    for child in tree.children:
        yield from _nodes(child)


def _details(lines: list[str]) -> dict[str, str]:
    details: dict[str, str] = {}
    if reused := REUSES.search(lines[0]):
        details["Reuses"] = reused[1]
    name = ""
    for line in lines[1:]:
        match = DETAIL.match(line)
        if match and match["name"] not in details:
            name = match["name"]
            details[name] = match["value"]
        elif name:
            # A literal with a line break continues on the next line, which may look like a detail with a known name.
            details[name] += f"\n{line}"
    return details


def _tree(lines: list[str]) -> _Node | None:
    """Parse indented lines into a tree. Return None if they don't form one."""
    stack: list[tuple[int, _Node]] = []
    root: _Node | None = None
    for line in lines:
        match = LINE.match(line)
        if not match:
            return None
        has_marker = line[len(match["indent"]) :].startswith((":- ", "+- "))
        indent = len(match["indent"]) // 3
        # The tree below a heading is indented by three more characters and has no `+-` marker.
        depth = 2 * (indent + 1) if has_marker else 2 * indent + (indent > 0)
        heading, node_match = HEADING.match(match["rest"]), NODE.match(match["rest"])
        if root is None and not node_match:
            return None
        node = _Node(heading["which"], HEADING_NUMBER, "") if heading else _node(match["rest"], node_match)
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


def _node(text: str, match: re.Match[str] | None) -> _Node:
    # Spark marks an operator that adaptive execution removed as `(unknown)`.
    if not match:
        return _Node(text.removesuffix(" (unknown)"), UNNUMBERED, "")
    return _Node(match["title"], int(match["number"]), match["statistics"] or "")


def _split_adaptive(tree: _Node) -> tuple[_Node, _Node | None]:
    """Return the final tree without the headings of adaptive execution, and the initial tree."""
    node = tree
    while not node.children or node.title.split(" ")[0] != ADAPTIVE:
        if len(node.children) != 1:
            return tree, None
        node = node.children[0]
    by_heading = {child.title: child for child in node.children if child.number == HEADING_NUMBER}
    initial = by_heading.get("Initial")
    final = by_heading.get("Final") or by_heading.get("Current")
    if final:
        node.children = final.children
    return tree, initial.children[0] if initial and initial.children else None


def _build(node: _Node, details: dict[int, dict[str, str]]) -> Operator:
    return Operator(
        node.number,
        re.split(r"[ (]", node.title, maxsplit=1)[0],  # A split of skewed partitions adds `(skew=true)` to the name.
        node.title,
        details.get(node.number, {}),
        tuple(_build(child, details) for child in node.children),
        node.statistics,
    )
