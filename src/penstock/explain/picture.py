"""The tree of operators as one picture: SVG that needs no script, no font and no network.

Rows flow down, from the scans to the result. Operators that pass rows on unchanged are left out.
Colours come from one style sheet with a light and a dark set, chosen by the reader's own setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import log10

from penstock.explain import picture_boxes as told
from penstock.explain import sentences
from penstock.explain.explanation import Facts
from penstock.explain.picture_boxes import LINE, Box

WIDTH, GAP_X, GAP_Y, MARGIN, HEAD = 280, 24, 34, 20, 58
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


def _fall(box: Box, bottom: float) -> None:
    """Stack a tree upwards from where its root's bottom edge is."""
    box.y = bottom - box.height
    for item in box.inputs:
        _fall(item, box.y - GAP_Y)


def _place(box: Box) -> list[Box]:
    """Place a tree's boxes from left to right, each below the middle of its inputs; all of them.

    Each input's tree is moved left until it would touch those before it, at the heights they share.
    """
    placed: list[Box] = []
    for item in box.inputs:
        own = _place(item)
        if placed:
            move = max((_needed(one, other) for one in placed for other in own), default=0.0)
            for other in own:
                other.x += move
        placed += own
    if box.inputs:
        box.x = (box.inputs[0].x + box.inputs[-1].x) / 2
    return [*placed, box]


def _needed(one: Box, other: Box) -> float:
    """How far a box has to go right to stand beside another; far left when they share no height."""
    apart = one.y + one.height + GAP_Y <= other.y or other.y + other.height + GAP_Y <= one.y
    return -1e9 if apart else one.x + WIDTH + GAP_X - other.x


def svg(facts: Facts) -> str:
    """The picture of a plan."""
    roots = [told.result(facts), *(told.tree(tree, facts) for tree in facts.plan.subqueries)]
    for root in roots:
        _fall(root, 0)
    boxes = _place(Box("", [], None, "", roots))[:-1]
    left, top = min(box.x for box in boxes) - WIDTH / 2 - MARGIN, min(box.y for box in boxes) - HEAD - MARGIN
    for box in boxes:
        box.x, box.y = box.x - left, box.y - top
    width = max(620, max(box.x for box in boxes) + WIDTH / 2 + MARGIN)
    height = MARGIN - top
    edges = [_edge(item, box) for box in boxes for item in box.inputs]
    title = escape(f"{facts.model}: {', '.join(sentences.answers(facts))}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plan" role="img" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<title>{title}</title><style>{STYLE}</style>",
            f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>',
            f'<text class="title" x="{MARGIN}" y="26">{title}</text>',
            f'<text class="soft" x="{MARGIN}" y="44">{escape(facts.heading)}</text>',
            *_legend(),
            *edges,
            *(_drawn(box) for box in boxes),
            "</svg>",
        ]
    )


def _legend() -> Iterator[str]:
    for place, (kind, name) in enumerate(LEGEND):
        x = MARGIN + place * 95
        yield f'<rect class="{kind}" x="{x}" y="54" width="12" height="12" rx="3"/>'
        yield f'<text class="soft" x="{x + 17}" y="64">{name}</text>'


def _edge(above: Box, below: Box) -> str:
    """A line from an input's bottom to its reader's top; the more rows, the thicker."""
    start, end = above.y + above.height, below.y
    middle = (start + end) / 2
    wide = 1 + (log10(above.rows) if above.rows else 0)
    path = f"M{above.x:.0f},{start:.0f} C{above.x:.0f},{middle:.0f} {below.x:.0f},{middle:.0f} {below.x:.0f},{end:.0f}"
    return f'<path class="edge" stroke-width="{wide:.1f}" d="{path}"/>'


def _drawn(box: Box) -> str:
    x, first = box.x - WIDTH / 2, box.y + LINE + 2
    lines = "".join(
        f'<text class="{"soft" if place else "name"}" x="{x + 9:.0f}" y="{first + place * LINE:.0f}">'
        f"{escape(line)}</text>"
        for place, line in enumerate(box.lines)
    )
    box_ = f'<rect class="{box.kind}" x="{x:.0f}" y="{box.y:.0f}" width="{WIDTH}" height="{box.height}" rx="6"/>'
    return f"<g><title>{escape(box.hover)}</title>{box_}{lines}</g>"


def html(facts: Facts, text: str) -> str:
    """A page with the picture, and below it the words.

    Args:
        facts: the explanation.
        text: what the terminal shows of it.
    """
    return PAGE.format(title=escape(f"plan of {facts.model}"), svg=svg(facts), text=escape(text))
