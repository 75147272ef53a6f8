"""Draw line charts as SVG without scripts, fonts or network access."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 64, 24, 64, 52
STYLE = """
.cost { background:#ffffff; font:12px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif }
.cost text { fill:#1b1f24 } .cost .soft { fill:#59636e } .cost .title { font-size:15px; font-weight:600 }
.cost .grid { stroke:#d8dee4 } .cost .axis { stroke:#59636e }
"""


@dataclass(frozen=True)
class Series:
    """Points at x = 1, 2, … and a straight line.

    Attributes:
        label: name in the legend.
        color: color in CSS notation.
        values: y of each point.
        hollow: number of first points that are hollow. The line begins after them.
        slope, intercept: slope and intercept of the line.
    """

    label: str
    color: str
    values: Sequence[float]
    hollow: int
    slope: float
    intercept: float


def axis_step(highest: float) -> float:
    """Return the step between an axis' marks: 1, 2 or 5 times a power of ten, at most six steps in all."""
    size = 0.1
    while True:
        for factor in (1, 2, 5):
            if highest / (size * factor) <= 6:
                return size * factor
        size *= 10


class Chart:
    """A chart of several series over the same x. Both axes start at zero, so that a constant looks constant.

    Args:
        title: text above the chart.
        series: the series, which have equal lengths.
        x_label, y_label: names of the axes.
        point_label: noun for a point, such as `month`. A tooltip shows it with the point's number.
    """

    def __init__(self, title: str, series: Sequence[Series], x_label: str, y_label: str, point_label: str) -> None:
        self.title, self.series, self.x_label, self.y_label = title, series, x_label, y_label
        self.point_label = point_label
        self.count = len(series[0].values)
        highest = max(max(item.values) for item in series)
        self.step = axis_step(highest)
        self.marks = int(highest / self.step) + 1

    def _x(self, number: float) -> float:
        return LEFT + number * (WIDTH - LEFT - RIGHT) / (self.count + 1)

    def _y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM) / (self.marks * self.step)

    def _axes(self) -> Iterator[str]:
        for mark in range(self.marks + 1):
            level = self._y(mark * self.step)
            kind = "axis" if mark == 0 else "grid"
            yield f'<line class="{kind}" x1="{LEFT}" y1="{level:.1f}" x2="{WIDTH - RIGHT}" y2="{level:.1f}"/>'
            text = f"{mark * self.step:g}"
            yield f'<text class="soft" x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{text}</text>'
        for number in sorted({1, *range(6, self.count + 1, 6), self.count}):
            position = f'x="{self._x(number):.1f}" y="{HEIGHT - BOTTOM + 18}"'
            yield f'<text class="soft" {position} text-anchor="middle">{number}</text>'
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield f'<text x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(self.x_label)}</text>'
        half = (TOP + HEIGHT - BOTTOM) / 2
        turned = f"translate(18 {half:.0f}) rotate(-90)"
        yield f'<text transform="{turned}" text-anchor="middle">{escape(self.y_label)}</text>'

    def _points(self, series: Series) -> Iterator[str]:
        (x1, y1), (x2, y2) = (
            (self._x(number), self._y(series.intercept + series.slope * number))
            for number in (series.hollow + 1, self.count)
        )
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        yield f'<line stroke="{series.color}" stroke-width="1.5" {ends}/>'
        for number, value in enumerate(series.values, 1):
            fill = "#ffffff" if number <= series.hollow else series.color
            hint = f"<title>{escape(self.point_label)} {number}: {value:.1f} s</title>"
            position = f'cx="{self._x(number):.1f}" cy="{self._y(value):.1f}"'
            yield f'<circle {position} r="3.5" fill="{fill}" stroke="{series.color}">{hint}</circle>'

    def _legend(self) -> Iterator[str]:
        for position, series in enumerate(self.series):
            left = LEFT + position * 220
            yield f'<circle cx="{left + 4}" cy="44" r="4" fill="{series.color}"/>'
            yield f'<text class="soft" x="{left + 14}" y="48">{escape(series.label)}</text>'

    def svg(self) -> str:
        """Return the chart as SVG."""
        title = escape(self.title)
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" class="cost" role="img" width="{WIDTH}" height="{HEIGHT}" '
                f'viewBox="0 0 {WIDTH} {HEIGHT}">',
                f"<title>{title}</title><style>{STYLE}</style>",
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
                f'<text class="title" x="{LEFT}" y="26">{title}</text>',
                *self._legend(),
                *self._axes(),
                *(item for series in self.series for item in self._points(series)),
                "</svg>",
                "",
            ]
        )
