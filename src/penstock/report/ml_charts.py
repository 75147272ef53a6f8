"""The report's pictures, each as SVG text: matplotlib's, and tiles where the reader points at a zone."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from penstock.errors import PenstockError
from penstock.report.ml_queries import BINS, Errors, Version, Zone

# Boroughs as they lie: column and row of the upper left tile, and tiles in a row.
BOROUGHS = {
    "Bronx": (13, 0, 9),
    "Manhattan": (4, 3, 7),
    "Queens": (15, 7, 10),
    "Brooklyn": (4, 15, 10),
    "Staten Island": (0, 20, 3),
    "EWR": (0, 10, 1),
}
TILE = 26
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#e45756", "#72b7b2")


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
    # Ids of two pictures on one page must not meet.
    body = body[body.index("<svg") :]
    for begin in ('id="', "url(#", 'href="#'):
        body = body.replace(begin, f"{begin}{name}-")
    return body


def importance(version: Version) -> str:
    """Bars: what each feature brought."""
    figure, axes = _pyplot().subplots(figsize=(5.2, 3.6))
    names, shares = zip(*reversed(version.importance), strict=True)
    axes.barh(names, shares, color=COLOURS[0])
    axes.set_xlabel("share of what the trees gained")
    return _svg(figure, f"importance-{version.model}")


def predicted_and_actual(name: str, errors: Errors) -> str:
    """Cells: how many trips were predicted so and turned out so."""
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(4.4, 3.6))
    grid = [[0.0] * BINS for _ in range(BINS)]
    for actual, predicted, trips in errors.cells:
        grid[predicted][actual] = trips
    from matplotlib.colors import LogNorm

    shown = [[value or float("nan") for value in row] for row in grid]
    most = max((trips for _, _, trips in errors.cells), default=1)
    picture = axes.imshow(
        shown, origin="lower", extent=(0, errors.limit, 0, errors.limit), cmap="viridis", norm=LogNorm(1, max(2, most))
    )
    axes.plot([0, errors.limit], [0, errors.limit], color="#e45756", linewidth=1)
    axes.set_xlabel(f"actual, {errors.unit}")
    axes.set_ylabel(f"predicted, {errors.unit}")
    figure.colorbar(picture, label="trips")
    return _svg(figure, f"cells-{name}")


def by_hour(name: str, errors: Errors) -> str:
    """A line: the error in each hour of the day."""
    figure, axes = _pyplot().subplots(figsize=(4.4, 2.6))
    axes.plot(list(errors.by_hour), list(errors.by_hour.values()), color=COLOURS[0], marker="o", markersize=3)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("hour of the pick-up")
    axes.set_ylabel(f"MAE, {errors.unit}")
    return _svg(figure, f"hours-{name}")


def clusters(profiles: Mapping[int, Sequence[float]], labels: Mapping[int, str]) -> str:
    """Lines: when the trips of each cluster's zones begin."""
    figure, axes = _pyplot().subplots(figsize=(6.4, 3.2))
    for number, shares in profiles.items():
        words = f"{number}: {labels.get(number, '')}"
        axes.plot(range(24), shares, label=words, color=COLOURS[number % len(COLOURS)], linewidth=2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("hour of the pick-up")
    axes.set_ylabel("share of the trips")
    if profiles:
        axes.legend(frameon=False)
    return _svg(figure, "clusters")


def drift(name: str, values: Mapping[tuple[str, str], float]) -> str:
    """Cells: how far each feature was in each month from where the version learned."""
    features = sorted({feature for feature, _ in values}, reverse=True)
    months = sorted({month for _, month in values})
    figure, axes = _pyplot().subplots(figsize=(2.2 + 0.6 * len(months), 0.7 + 0.22 * len(features)))
    grid = [[values.get((feature, month), float("nan")) for month in months] for feature in features]
    picture = axes.imshow(grid, aspect="auto", cmap="magma_r", vmin=0, vmax=0.3, origin="lower")
    axes.set_xticks(range(len(months)), months, rotation=45, ha="right")
    axes.set_yticks(range(len(features)), features)
    figure.colorbar(picture, label="standard deviations")
    return _svg(figure, f"drift-{name}")


def tiles(zones: Sequence[Zone], colour: Mapping[int, str], words: Mapping[int, str], label: str) -> str:
    """Zones as tiles, borough by borough, about where the boroughs lie; a zone's name appears on pointing at it."""
    placed: dict[str, int] = {}
    parts: list[str] = []
    for zone in zones:
        if zone.borough not in BOROUGHS:
            continue
        left, top, width = BOROUGHS[zone.borough]
        at = placed.get(zone.borough, 0)
        placed[zone.borough] = at + 1
        x, y = (left + at % width) * TILE, (top + at // width) * TILE + 16
        said = escape(f"{zone.name} ({zone.borough}): {words.get(zone.number, 'no trips')}")
        fill = colour.get(zone.number, "#e6e8eb")
        size = f'width="{TILE - 2}" height="{TILE - 2}" rx="3"'
        parts.append(f'<rect x="{x}" y="{y}" {size} fill="{fill}"><title>{said}</title></rect>')
    for name, (left, top, _) in BOROUGHS.items():
        parts.append(f'<text x="{left * TILE}" y="{top * TILE + 12}">{escape(name)}</text>')
    width, height = 26 * TILE, 24 * TILE
    return (
        f'<svg class="tiles" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def shades(values: Mapping[int, float]) -> dict[int, str]:
    """Colours from light to dark by rank, so that a few large values don't hide the rest."""
    order = sorted(values, key=lambda key: values[key])
    plt = _pyplot()
    found: dict[int, str] = {}
    for place, key in enumerate(order):
        red, green, blue, _ = plt.get_cmap("YlOrRd")(0.1 + 0.85 * place / max(1, len(order) - 1))
        found[key] = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    return found
