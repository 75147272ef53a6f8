"""Draw the SVG charts of the machine learning report: matplotlib charts, and tile maps with tooltips."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from penstock.errors import PenstockError
from penstock.report.ml_queries import BINS, Errors, Version, Zone

# An approximate map. For each borough: (column of its upper left tile, row of that tile, number of tiles per row).
BOROUGHS = {
    "Bronx": (13, 0, 9),
    "Manhattan": (4, 3, 7),
    "Queens": (15, 7, 10),
    "Brooklyn": (4, 15, 10),
    "Staten Island": (0, 20, 3),
    "EWR": (0, 10, 1),
}
TILE = 26
COLORS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#e45756", "#72b7b2")


def _pyplot() -> Any:
    try:
        import matplotlib

        matplotlib.use("svg")
        matplotlib.rcParams.update({"svg.hashsalt": "penstock", "font.size": 9, "axes.spines.right": False})
        matplotlib.rcParams.update({"axes.spines.top": False, "figure.constrained_layout.use": True})
        import matplotlib.pyplot as plt

        return plt
    except ImportError:
        raise PenstockError("matplotlib, for the report", "not installed", "pip install 'dbt-penstock[ml]'") from None


def _svg(figure: Any, name: str) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    _pyplot().close(figure)
    body = text.getvalue()
    # One page shows several charts. Prefix the ids with the chart's name, because ids must be unique on a page.
    body = body[body.index("<svg") :]
    for begin in ('id="', "url(#", 'href="#'):
        body = body.replace(begin, f"{begin}{name}-")
    return body


def importance(version: Version) -> str:
    """Return a bar chart of the importance of each feature, as SVG."""
    figure, axes = _pyplot().subplots(figsize=(5.2, 3.6))
    names, shares = zip(*reversed(version.importance), strict=True)
    axes.barh(names, shares, color=COLORS[0])
    axes.set_xlabel("share of the trees' total gain")
    return _svg(figure, f"importance-{version.model}")


def predicted_and_actual(name: str, errors: Errors) -> str:
    """Return a heat map of the number of trips by predicted and actual value, as SVG."""
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(4.4, 3.6))
    grid = [[0.0] * BINS for _ in range(BINS)]
    for actual, predicted, trips in errors.cells:
        grid[predicted][actual] = trips
    from matplotlib.colors import LogNorm

    # Cells without trips stay blank.
    filled = [[value or float("nan") for value in row] for row in grid]
    most = max((trips for _, _, trips in errors.cells), default=1)
    extent, norm = (0, errors.limit, 0, errors.limit), LogNorm(1, max(2, most))
    image = axes.imshow(filled, origin="lower", extent=extent, cmap="viridis", norm=norm)
    axes.plot([0, errors.limit], [0, errors.limit], color="#e45756", linewidth=1)
    axes.set_xlabel(f"actual, {errors.unit}")
    axes.set_ylabel(f"predicted, {errors.unit}")
    figure.colorbar(image, label="trips")
    return _svg(figure, f"cells-{name}")


def by_hour(name: str, errors: Errors) -> str:
    """Return a line chart of the mean absolute error in each hour of the day, as SVG."""
    figure, axes = _pyplot().subplots(figsize=(4.4, 2.6))
    axes.plot(list(errors.by_hour), list(errors.by_hour.values()), color=COLORS[0], marker="o", markersize=3)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("hour of the pick-up")
    axes.set_ylabel(f"MAE, {errors.unit}")
    return _svg(figure, f"hours-{name}")


def clusters(hourly_shares: Mapping[int, Sequence[float]], labels: Mapping[int, str]) -> str:
    """Return a line chart of each cluster's share of trips by hour of the day, as SVG.

    Args:
        hourly_shares: 24 shares for each cluster, by the cluster's number.
        labels: the label of each cluster, by the cluster's number.
    """
    figure, axes = _pyplot().subplots(figsize=(6.4, 3.2))
    for number, shares in hourly_shares.items():
        label = f"{number}: {labels.get(number, '')}"
        axes.plot(range(24), shares, label=label, color=COLORS[number % len(COLORS)], linewidth=2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("hour of the pick-up")
    axes.set_ylabel("share of the trips")
    if hourly_shares:
        axes.legend(frameon=False)
    return _svg(figure, "clusters")


def drift(name: str, values: Mapping[tuple[str, str], float]) -> str:
    """Return a heat map of the drift of a model's features, as SVG.

    Args:
        name: the model's name.
        values: distance from the nearest training month, in standard deviations, by (feature, month).
    """
    features = sorted({feature for feature, _ in values}, reverse=True)
    months = sorted({month for _, month in values})
    figure, axes = _pyplot().subplots(figsize=(2.2 + 0.6 * len(months), 0.7 + 0.22 * len(features)))
    grid = [[values.get((feature, month), float("nan")) for month in months] for feature in features]
    image = axes.imshow(grid, aspect="auto", cmap="magma_r", vmin=0, vmax=0.3, origin="lower")
    axes.set_xticks(range(len(months)), months, rotation=45, ha="right")
    axes.set_yticks(range(len(features)), features)
    figure.colorbar(image, label="standard deviations")
    return _svg(figure, f"drift-{name}")


def tiles(zones: Sequence[Zone], colors: Mapping[int, str], texts: Mapping[int, str], label: str) -> str:
    """Return a tile map of the zones, grouped by borough, as SVG.

    Args:
        zones: the zones.
        colors: the color of each zone, by the zone's number. A zone without a color is gray.
        texts: the text after the zone's name in its tooltip, by the zone's number.
        label: a description of the chart for screen readers.
    """
    placed: dict[str, int] = {}
    parts: list[str] = []
    for zone in zones:
        if zone.borough not in BOROUGHS:
            continue
        left, top, width = BOROUGHS[zone.borough]
        index = placed.get(zone.borough, 0)
        placed[zone.borough] = index + 1
        x, y = (left + index % width) * TILE, (top + index // width) * TILE + 16
        tooltip = escape(f"{zone.name} ({zone.borough}): {texts.get(zone.number, 'no trips')}")
        fill = colors.get(zone.number, "#e6e8eb")
        size = f'width="{TILE - 2}" height="{TILE - 2}" rx="3"'
        parts.append(f'<rect x="{x}" y="{y}" {size} fill="{fill}"><title>{tooltip}</title></rect>')
    for name, (left, top, _) in BOROUGHS.items():
        parts.append(f'<text x="{left * TILE}" y="{top * TILE + 12}">{escape(name)}</text>')
    width, height = 26 * TILE, 24 * TILE
    return (
        f'<svg class="tiles" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def colors_by_rank(values: Mapping[int, float]) -> dict[int, str]:
    """Return a color for each key, from light for the smallest value to dark for the largest.

    The color depends on the rank of the value. If it depended on the value itself, a few large values would make all
    other colors light.
    """
    order = sorted(values, key=lambda key: values[key])
    plt = _pyplot()
    colors: dict[int, str] = {}
    for rank, key in enumerate(order):
        red, green, blue, _ = plt.get_cmap("YlOrRd")(0.1 + 0.85 * rank / max(1, len(order) - 1))
        colors[key] = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    return colors
