"""Render the machine learning report as one HTML page that loads no other files."""

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
    """Return an HTML table.

    Args:
        head: the header cells, as HTML.
        rows: the rows. Each cell is HTML.
        numbers: positions of the columns with numbers, which are right-aligned.
    """

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="n">{cell}</{tag}>' if column in numbers else f"<{tag}>{cell}</{tag}>"
            for column, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"


def figure(title: str, svg: str) -> str:
    """Return a chart with a title."""
    return f"<figure><h3>{escape(title)}</h3>{svg}</figure>"


def version_table(versions: Sequence[Version], live: Mapping[str, Version]) -> str:
    """Return an HTML table of all versions, with their errors relative to the baseline.

    Args:
        versions: the versions of all models.
        live: the live version of each model, which is its newest promoted version.
    """
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


def version_section(version: Version, errors: Errors, zones: Sequence[Zone]) -> str:
    """Return the HTML section of a live version, with its feature importance and its errors."""
    by_zone = {zone: error for zone, (error, _) in errors.by_zone.items()}
    texts = {zone: f"MAE {error:.2f} {errors.unit}, {trips:,} trips" for zone, (error, trips) in errors.by_zone.items()}
    months = ", ".join(f"{month} ({role})" for month, role in version.months)
    label = f"Error of {version.model} by pick-up zone"
    return (
        f"<h2>{escape(version.model)}, version {version.number}</h2><p class='soft'>Months: {months}. The errors below "
        f"are those of {version.test_month}, which training did not use; version "
        f"{', '.join(map(str, errors.versions)) or 'none'} made its predictions.</p><div class='row'>"
        + figure("Feature importance", ml_charts.importance(version))
        + figure("Predicted and actual", ml_charts.predicted_and_actual(version.model, errors))
        + figure("Error by hour", ml_charts.by_hour(version.model, errors))
        + figure(
            "Error by pick-up zone, darker is larger",
            ml_charts.tiles(zones, ml_charts.colors_by_rank(by_zone), texts, label),
        )
        + "</div>"
    )


def zone_section(zones: Sequence[Zone], hourly_shares: Mapping[int, Sequence[float]]) -> str:
    """Return the HTML section about zones, with their clusters and the zones with the highest rank."""
    labels = {zone.cluster: zone.label for zone in zones if zone.cluster is not None}
    colors = {
        zone.number: ml_charts.COLORS[zone.cluster % len(ml_charts.COLORS)]
        for zone in zones
        if zone.cluster is not None
    }
    texts = {zone.number: f"cluster {zone.cluster}, {zone.label}" for zone in zones if zone.cluster is not None}
    ranked = sorted((zone for zone in zones if zone.rank is not None), key=lambda zone: -(zone.rank or 0))[:10]
    rows = [(escape(zone.name), escape(zone.borough), f"{zone.rank:.2f}") for zone in ranked]
    most = table(("zone", "borough", "rank"), rows, frozenset({2}))
    return (
        "<h2>Zones</h2><div class='row'>"
        + figure("Pick-ups by hour, per cluster", ml_charts.clusters(hourly_shares, labels))
        + figure("Clusters", ml_charts.tiles(zones, colors, texts, "Clusters of zones"))
        + f"<figure><h3>Most important destinations: PageRank</h3>{most}</figure>"
        + "</div>"
    )


def page(
    versions: Sequence[Version],
    live: Mapping[str, Version],
    errors: Mapping[str, Errors],
    zones: Sequence[Zone],
    hourly_shares: Mapping[int, Sequence[float]],
    drift: Mapping[str, Mapping[tuple[str, str], float]],
) -> str:
    """Return the whole page.

    Args:
        versions: the versions of all models.
        live: the live version of each model, by the model's name.
        errors: the errors of each live version, by the model's name.
        zones: all zones.
        hourly_shares: 24 shares of trips by hour of the day, for each cluster.
        drift: for each model, the drift by (feature, month).
    """
    charts = "".join(figure(name, ml_charts.drift(name, values)) for name, values in drift.items() if values)
    parts = [
        "<h1>Machine learning</h1>",
        "<p class='soft'>The baseline is the median of trips between the same zones at the same hour. Without such "
        "trips, it is the median of the pick-up zone, then of all trips.</p>",
        version_table(versions, live),
        *(version_section(live[name], of_model, zones) for name, of_model in errors.items()),
        "<h2>Drift</h2><p class='soft'>Distance of each feature from the nearest training month, in standard "
        f"deviations: up to 0.15 is no shift, above 0.3 is a large shift.</p><div class='row'>{charts}</div>",
        zone_section(zones, hourly_shares),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>penstock: machine learning</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
