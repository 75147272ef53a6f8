"""Draw a plan as SVG without scripts, fonts or network access.

Rows flow down, from the scans to the result. The style sheet has light and dark colors, and the browser
chooses by the reader's system setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import log10

from penstock.explain import picture_boxes, sentences
from penstock.explain.explanation import Explanation
from penstock.explain.picture_boxes import LINE_HEIGHT, Box

WIDTH, GAP_X, GAP_Y, MARGIN, HEADER_HEIGHT = 280, 24, 34, 20, 58
LEGEND = (("scan", "scan"), ("join", "join"), ("exchange", "exchange"), ("broadcast", "broadcast"), ("other", "other"))
STYLE = """
.plan { --page:#ffffff; --ink:#1b1f24; --soft:#59636e; --edge:#8c959f; --other:#f3f4f6; --scan:#dff3e4; --join:#fde5c8;
  --exchange:#dbe7fd; --broadcast:#eadffb; background:var(--page);
  font:12px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif }
@media (prefers-color-scheme: dark) { .plan { --page:#0f1318; --ink:#e8ebee; --soft:#9aa5b1; --edge:#6b7683;
  --other:#232a32; --scan:#17402a; --join:#5a3a10; --exchange:#1b3866; --broadcast:#432a68 } }
.plan text { fill:var(--ink) } .plan .soft { fill:var(--soft) } .plan .name { font-weight:600 }
.plan .title { font-size:16px; font-weight:600 } .plan rect { stroke:var(--edge) }
.plan .edge { stroke:var(--edge); fill:none } .plan .page { fill:var(--page); stroke:none }
.plan .scan { fill:var(--scan) } .plan .join { fill:var(--join) } .plan .exchange { fill:var(--exchange) }
.plan .broadcast { fill:var(--broadcast) } .plan .other { fill:var(--other) }
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light dark }}
body {{ margin:24px; background:light-dark(#ffffff,#0f1318); color:light-dark(#1b1f24,#e8ebee) }}
figure {{ margin:0; overflow-x:auto }} svg {{ max-width:none }}
pre {{ font:12px/1.4 ui-monospace,Menlo,Consolas,monospace; overflow-x:auto }}
</style></head><body>
<figure>{svg}</figure>
<pre>{text}</pre>
</body></html>
"""


def _set_heights(box: Box, bottom: float) -> None:
    """Set the vertical position of a tree's boxes, from the bottom edge of its root upwards."""
    box.y = bottom - box.height
    for item in box.inputs:
        _set_heights(item, box.y - GAP_Y)


def _set_columns(box: Box) -> list[Box]:
    """Set the horizontal position of a tree's boxes, each below the middle of its inputs, and return them all.

    The trees of the inputs are side by side, as close as their boxes at the same height allow.
    """
    placed: list[Box] = []
    for item in box.inputs:
        own = _set_columns(item)
        if placed:
            shift = max((_required_shift(left, right) for left in placed for right in own), default=0.0)
            for right in own:
                right.x += shift
        placed += own
    if box.inputs:
        box.x = (box.inputs[0].x + box.inputs[-1].x) / 2
    return [*placed, box]


def _required_shift(left: Box, right: Box) -> float:
    """Return how far the right box must move to the right; a large negative number if the boxes can't overlap."""
    apart = left.y + left.height + GAP_Y <= right.y or right.y + right.height + GAP_Y <= left.y
    return -1e9 if apart else left.x + WIDTH + GAP_X - right.x


def svg(explanation: Explanation) -> str:
    """Return the picture of a plan as SVG."""
    subqueries = explanation.plan.subqueries
    roots = [
        picture_boxes.result_box(explanation),
        *(picture_boxes.operator_boxes(tree, explanation) for tree in subqueries),
    ]
    for root in roots:
        _set_heights(root, 0)
    boxes = _set_columns(Box("", [], None, "", roots))[:-1]
    left, top = min(box.x for box in boxes) - WIDTH / 2 - MARGIN, min(box.y for box in boxes) - HEADER_HEIGHT - MARGIN
    for box in boxes:
        box.x, box.y = box.x - left, box.y - top
    width = max(620, max(box.x for box in boxes) + WIDTH / 2 + MARGIN)
    height = MARGIN - top
    edges = [_edge(item, box) for box in boxes for item in box.inputs]
    title = escape(f"{explanation.model}: {', '.join(sentences.headline(explanation))}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plan" role="img" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<title>{title}</title><style>{STYLE}</style>",
            f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>',
            f'<text class="title" x="{MARGIN}" y="26">{title}</text>',
            f'<text class="soft" x="{MARGIN}" y="44">{escape(explanation.heading)}</text>',
            *_legend(),
            *edges,
            *(_draw(box) for box in boxes),
            "</svg>",
        ]
    )


def _legend() -> Iterator[str]:
    for position, (kind, name) in enumerate(LEGEND):
        x = MARGIN + position * 95
        yield f'<rect class="{kind}" x="{x}" y="54" width="12" height="12" rx="3"/>'
        yield f'<text class="soft" x="{x + 17}" y="64">{name}</text>'


def _edge(above: Box, below: Box) -> str:
    """Return a line from the bottom of an input's box to the top of its reader's box. More rows make it thicker."""
    start, end = above.y + above.height, below.y
    middle = (start + end) / 2
    width = 1 + (log10(above.rows) if above.rows else 0)
    path = f"M{above.x:.0f},{start:.0f} C{above.x:.0f},{middle:.0f} {below.x:.0f},{middle:.0f} {below.x:.0f},{end:.0f}"
    return f'<path class="edge" stroke-width="{width:.1f}" d="{path}"/>'


def _draw(box: Box) -> str:
    x, first = box.x - WIDTH / 2, box.y + LINE_HEIGHT + 2
    lines = "".join(
        f'<text class="{"soft" if position else "name"}" x="{x + 9:.0f}" y="{first + position * LINE_HEIGHT:.0f}">'
        f"{escape(line)}</text>"
        for position, line in enumerate(box.lines)
    )
    frame = f'<rect class="{box.kind}" x="{x:.0f}" y="{box.y:.0f}" width="{WIDTH}" height="{box.height}" rx="6"/>'
    return f"<g><title>{escape(box.hover)}</title>{frame}{lines}</g>"


def html(explanation: Explanation, text: str) -> str:
    """Return a page with the picture and, below it, the text of the explanation."""
    return PAGE.format(title=escape(f"plan of {explanation.model}"), svg=svg(explanation), text=escape(text))
