"""The page: tables and pictures, with its own style, and nothing to fetch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from penstock.report import ml_charts
from penstock.report.ml_queries import Errors, Version, Zone

STYLE = """
:root { color-scheme: light } body { margin:32px auto; max-width:1120px; padding:0 16px; color:#1b1f24; background:#fff;
  font:15px/1.5 ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif }
h1 { font-size:24px } h2 { font-size:19px; margin-top:40px; border-top:1px solid #d0d7de; padding-top:20px }
h3 { font-size:15px; margin-bottom:4px } table { border-collapse:collapse; width:100%; font-size:14px }
th, td { text-align:left; padding:4px 12px 4px 0; border-bottom:1px solid #e6e8eb; vertical-align:top }
td.n, th.n { text-align:right; font-variant-numeric:tabular-nums } .live { font-weight:600; color:#1a7f37 }
.row { display:flex; flex-wrap:wrap; gap:24px; align-items:flex-start }
figure { margin:0; max-width:100%; overflow-x:auto }
svg { max-width:100%; height:auto } .tiles text { font:12px ui-sans-serif,system-ui,sans-serif; fill:#59636e }
.tiles rect:hover { stroke:#1b1f24; stroke-width:2 } p.soft { color:#59636e }
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int] = frozenset()) -> str:
    """A table; `numbers` are the columns set to the right. Cells are HTML already."""

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="n">{cell}</{tag}>' if place in numbers else f"<{tag}>{cell}</{tag}>"
            for place, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"


def figure(title: str, svg: str) -> str:
    """A picture under its title."""
    return f"<figure><h3>{escape(title)}</h3>{svg}</figure>"


def version_table(versions: Sequence[Version], live: Mapping[str, Version]) -> str:
    """Every version beside the baseline."""
    rows = [
        (
            escape(item.model),
            f'<span class="live">{item.number}, live</span>' if live.get(item.model) is item else str(item.number),
            item.test_month,
            f"{item.trained_rows:,}",
            f"{item.mae:.3f}",
            f"{item.mae_ratio:.3f}",
            f"{item.rmse:.3f}",
            f"{item.rmse_ratio:.3f}",
            f"{item.r2:.3f}",
            escape(item.reason),
        )
        for item in versions
    ]
    head = (
        "model",
        "version",
        "test month",
        "trained on",
        "MAE",
        "by baseline",
        "RMSE",
        "by baseline",
        "R²",
        "decision",
    )
    return table(head, rows, frozenset(range(3, 9)))


def learned(version: Version, errors: Errors, zones: Sequence[Zone]) -> str:
    """What a live version learned, and where it errs."""
    by_zone = {zone: error for zone, (error, _) in errors.by_zone.items()}
    words = {zone: f"MAE {error:.2f} {errors.unit}, {trips:,} trips" for zone, (error, trips) in errors.by_zone.items()}
    months = ", ".join(f"{month} ({role})" for month, role in version.months)
    label = f"Error of {version.model} by pick-up zone"
    return (
        f"<h2>{escape(version.model)}, version {version.number}</h2><p class='soft'>Months: {months}. All below is of "
        f"{version.test_month}, which training never saw; its predictions are those of version "
        f"{', '.join(map(str, errors.versions)) or 'none'}.</p><div class='row'>"
        + figure("What the features brought", ml_charts.importance(version))
        + figure("Predicted and actual", ml_charts.predicted_and_actual(version.model, errors))
        + figure("Error by hour", ml_charts.by_hour(version.model, errors))
        + figure(
            "Error by pick-up zone, darker is larger", ml_charts.tiles(zones, ml_charts.shades(by_zone), words, label)
        )
        + "</div>"
    )


def clustered(zones: Sequence[Zone], profiles: Mapping[int, Sequence[float]]) -> str:
    """The clusters of zones, and the zones that trips lead to most."""
    labels = {zone.cluster: zone.label for zone in zones if zone.cluster is not None}
    colour = {zone.number: ml_charts.COLOURS[zone.cluster % 6] for zone in zones if zone.cluster is not None}
    words = {zone.number: f"cluster {zone.cluster}, {zone.label}" for zone in zones if zone.cluster is not None}
    ranked = sorted((zone for zone in zones if zone.rank is not None), key=lambda zone: -(zone.rank or 0))[:10]
    rows = [(escape(zone.name), escape(zone.borough), f"{zone.rank:.2f}") for zone in ranked]
    most = table(("zone", "borough", "rank"), rows, frozenset({2}))
    return (
        "<h2>Zones</h2><div class='row'>"
        + figure("When the trips of each cluster begin", ml_charts.clusters(profiles, labels))
        + figure("Clusters", ml_charts.tiles(zones, colour, words, "Clusters of zones"))
        + f"<figure><h3>Where trips lead: PageRank</h3>{most}</figure>"
        + "</div>"
    )


def page(
    versions: Sequence[Version],
    live: Mapping[str, Version],
    errors: Mapping[str, Errors],
    zones: Sequence[Zone],
    profiles: Mapping[int, Sequence[float]],
    drift: Mapping[str, Mapping[tuple[str, str], float]],
) -> str:
    """The whole page."""
    moved = "".join(figure(name, ml_charts.drift(name, values)) for name, values in drift.items() if values)
    parts = [
        "<h1>What was learned</h1>",
        "<p class='soft'>The baseline is the median of trips between the same zones at the same hour; where there "
        "were none, of the pick-up zone, then of all.</p>",
        version_table(versions, live),
        *(learned(live[name], found, zones) for name, found in errors.items()),
        "<h2>Drift</h2><p class='soft'>How far each feature is from the nearest month learned from, in standard "
        f"deviations: up to 0.15 no shift, above 0.3 a large one.</p><div class='row'>{moved}</div>",
        clustered(zones, profiles),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>penstock: what was learned</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
