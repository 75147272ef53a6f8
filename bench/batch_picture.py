"""The cost of each month as a picture: SVG that needs no script, no font and no network.

Points are runs of dbt, hollow ones those that warm the server up; lines are of least squares through
the others. Both axes start at zero, so that a flat line is flat.
"""

from __future__ import annotations

from collections.abc import Iterator

from batch_results import WARM, Months, fitted

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 64, 24, 64, 52
KINDS = {
    "wall": ("dbt run, seconds on the wall", "#1f6feb"),
    "spark": ("Spark, CPU seconds", "#bc4c00"),
    "client": ("dbt, CPU seconds", "#6e7781"),
}
STYLE = """
.cost { background:#ffffff; font:12px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif }
.cost text { fill:#1b1f24 } .cost .soft { fill:#59636e } .cost .title { font-size:15px; font-weight:600 }
.cost .grid { stroke:#d8dee4 } .cost .axis { stroke:#59636e }
"""


def step(highest: float) -> float:
    """Distance of the axis' marks: 1, 2 or 5 times a power of ten, at most six up to the highest."""
    size = 0.1
    while True:
        for factor in (1, 2, 5):
            if highest / (size * factor) <= 6:
                return size * factor
        size *= 10


def svg(months: Months) -> str:
    """The picture."""
    count = len(months.costs)
    apart = step(max(max(months.of(kind)) for kind in KINDS))
    marks = int(max(max(months.of(kind)) for kind in KINDS) / apart) + 1
    across = (WIDTH - LEFT - RIGHT) / (count + 1)
    up = (HEIGHT - TOP - BOTTOM) / (marks * apart)

    def x(month: float) -> float:
        return LEFT + month * across

    def y(cost: float) -> float:
        return HEIGHT - BOTTOM - cost * up

    def axes() -> Iterator[str]:
        for mark in range(marks + 1):
            level = y(mark * apart)
            kind = "axis" if mark == 0 else "grid"
            yield f'<line class="{kind}" x1="{LEFT}" y1="{level:.1f}" x2="{WIDTH - RIGHT}" y2="{level:.1f}"/>'
            yield f'<text class="soft" x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{mark * apart:g}</text>'
        for month in sorted({1, *range(6, count + 1, 6), count}):
            place = f'x="{x(month):.1f}" y="{HEIGHT - BOTTOM + 18}"'
            yield f'<text class="soft" {place} text-anchor="middle">{month}</text>'
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield f'<text x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">month k of the table</text>'
        half = (TOP + HEIGHT - BOTTOM) / 2
        yield f'<text transform="translate(18 {half:.0f}) rotate(-90)" text-anchor="middle">seconds</text>'

    def points(kind: str, colour: str) -> Iterator[str]:
        line = fitted(months.of(kind))
        ends = [(x(month), y(line.at(month))) for month in (WARM + 1, count)]
        (x1, y1), (x2, y2) = ends
        yield f'<line stroke="{colour}" stroke-width="1.5" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        for month, cost in enumerate(months.of(kind), 1):
            fill = "#ffffff" if month <= WARM else colour
            told = f"<title>month {month}: {cost:.1f} s</title>"
            place = f'cx="{x(month):.1f}" cy="{y(cost):.1f}"'
            yield f'<circle {place} r="3.5" fill="{fill}" stroke="{colour}">{told}</circle>'

    def legend() -> Iterator[str]:
        for place, (words, colour) in enumerate(KINDS.values()):
            left = LEFT + place * 220
            yield f'<circle cx="{left + 4}" cy="44" r="4" fill="{colour}"/>'
            yield f'<text class="soft" x="{left + 14}" y="48">{words}</text>'

    title = f"Cost of one more month of {months.rows:,} rows"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cost" role="img" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}">',
            f"<title>{title}</title><style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text class="title" x="{LEFT}" y="26">{title}</text>',
            *legend(),
            *axes(),
            *(item for kind, (_, colour) in KINDS.items() for item in points(kind, colour)),
            "</svg>",
            "",
        ]
    )
