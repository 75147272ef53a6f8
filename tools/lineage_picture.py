"""Draw the lineage of the dbt project as docs/images/lineage.svg.

SQL models and Python models are in one graph, in two colors. The script reads `ref` and `source` from the files of
`models/` and `python_models/`. It leaves out seeds, and each edge that a longer path implies.

    .venv/bin/python tools/lineage_picture.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from html import escape
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "lineage.svg"
READS = re.compile(r"""\b(?:ref\(\s*['"](\w+)['"]\s*\)|source\(\s*['"]lake['"]\s*,\s*['"](\w+)['"]\s*\))""")
# The manifest of the lake is a table that landing writes, not a dataset.
NOT_DATA = {"lake.manifest"}

MARGIN, HEAD, ROW, HEIGHT, GAP = 20, 44, 50, 26, 14
CHARACTER, PADDING = 6.4, 18
SWEEPS = 60
LEGEND = (("source", "landed files"), ("sql", "SQL model"), ("python", "Python model"))
STYLE = """
.lineage { --page:#ffffff; --ink:#1b1f24; --edge:#8c959f; --source:#e7eaee; --sql:#d3e5ff; --python:#ffdfa8;
  background:var(--page); font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace }
@media (prefers-color-scheme: dark) { .lineage { --page:#0f1318; --ink:#e8ebee; --edge:#6b7683; --source:#2b323a;
  --sql:#1b3866; --python:#63420c } }
.lineage .page { fill:var(--page); stroke:none } .lineage text { fill:var(--ink) }
.lineage rect { stroke:var(--edge) } .lineage path { stroke:var(--edge); fill:none }
.lineage .source { fill:var(--source) } .lineage .sql { fill:var(--sql) } .lineage .python { fill:var(--python) }
"""

Graph = dict[str, set[str]]


def read_project(root: Path) -> tuple[Graph, dict[str, str]]:
    """Return the parents of each node, and the kind of each node: `source`, `sql` or `python`."""
    files = [*sorted(root.glob("models/**/*.sql")), *sorted(root.glob("python_models/*.py"))]
    kinds = {path.stem: "python" if path.suffix == ".py" else "sql" for path in files}
    graph: Graph = {}
    for path in files:
        names = {model or f"lake.{dataset}" for model, dataset in READS.findall(path.read_text())}
        graph[path.stem] = {name for name in names - NOT_DATA if name in kinds or name.startswith("lake.")}
    for name in set().union(*graph.values()) - kinds.keys():
        kinds[name], graph[name] = "source", set()
    return graph, kinds


def without_implied_edges(graph: Graph) -> Graph:
    """Return the graph without the edges that a longer path implies."""
    above: Graph = {}
    for name in TopologicalSorter(graph).static_order():
        above[name] = graph[name].union(*(above[parent] for parent in graph[name]))
    return {name: {p for p in parents if not any(p in above[q] for q in parents)} for name, parents in graph.items()}


def rank(graph: Graph) -> dict[str, int]:
    """Return each node's row: just below its lowest parent, or, without parents, just above its highest child."""
    rows: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        rows[name] = max((rows[parent] + 1 for parent in graph[name]), default=0)
    for name in [name for name, parents in graph.items() if not parents]:
        rows[name] = min((rows[child] for child in graph if name in graph[child]), default=1) - 1
    return rows


def width(name: str) -> float:
    """Return the width of a box, or 0 for a bend of a long edge, whose name has a colon."""
    return 0 if ":" in name else len(name) * CHARACTER + PADDING


def with_bends(graph: Graph, rows: dict[str, int]) -> Graph:
    """Return the graph with a node (a bend) in each row that a long edge passes. Add the bends to `rows`."""
    bent: Graph = {name: set() for name in graph}
    for child, parents in graph.items():
        for parent in sorted(parents):
            above = parent
            for row in range(rows[parent] + 1, rows[child]):
                bend = f"{parent}:{child}:{row}"
                rows[bend], bent[bend], above = row, {above}, bend
            bent[child].add(above)
    return bent


def spread(names: list[str], wished: Mapping[str, float]) -> dict[str, float]:
    """Return the middles of boxes: near the wished middles, in the same order, and at least GAP between two boxes."""
    names = sorted(names, key=lambda name: (wished[name], name))
    distances = [(width(left) + width(right)) / 2 + GAP for left, right in pairwise(names)]
    middles = [wished[name] for name in names]
    for _ in range(SWEEPS):
        for place, distance in enumerate(distances):
            if (overlap := distance - (middles[place + 1] - middles[place])) > 0:
                middles[place] -= overlap / 2
                middles[place + 1] += overlap / 2
    for place, distance in enumerate(distances):
        middles[place + 1] = max(middles[place + 1], middles[place] + distance)
    return dict(zip(names, middles, strict=True))


def place(graph: Graph, rows: Mapping[str, int]) -> dict[str, float]:
    """Return the horizontal middle of each node, which is near its parents and children."""
    linked = {name: set(parents) for name, parents in graph.items()}
    for name, parents in graph.items():
        for parent in parents:
            linked[parent].add(name)
    levels = [sorted(name for name in graph if rows[name] == row) for row in range(max(rows.values()) + 1)]
    middles = {name: 100.0 * index for level in levels for index, name in enumerate(level)}
    for sweep in range(SWEEPS):
        for level in levels if sweep % 2 else reversed(levels):
            wished = {name: sum(middles[o] for o in sorted(linked[name])) / len(linked[name]) for name in level}
            middles |= spread(level, wished)
    left = min(middle - width(name) / 2 for name, middle in middles.items())
    return {name: middle - left + MARGIN for name, middle in middles.items()}


def draw(graph: Graph, kinds: Mapping[str, str]) -> str:
    """Return the picture as SVG without scripts, fonts or network access."""
    reduced = without_implied_edges(graph)
    rows = rank(reduced)
    bent = with_bends(reduced, rows)
    middles = place(bent, rows)
    wide = round(max(middle + width(name) / 2 for name, middle in middles.items()) + MARGIN)
    high = HEAD + max(rows.values()) * ROW + HEIGHT + MARGIN

    def top(name: str) -> float:
        return HEAD + rows[name] * ROW

    def edges() -> Iterator[str]:
        for child in sorted(bent):
            for parent in sorted(bent[child]):
                begin, end = top(parent) + HEIGHT, top(child)
                half = (begin + end) / 2
                through = f" V{end + HEIGHT}" if ":" in child else ""
                yield (
                    f'<path d="M{middles[parent]:.1f} {begin} C{middles[parent]:.1f} {half} '
                    f'{middles[child]:.1f} {half} {middles[child]:.1f} {end}{through}"/>'
                )

    def boxes() -> Iterator[str]:
        for name in sorted(kinds):
            left = middles[name] - width(name) / 2
            yield (
                f'<rect class="{kinds[name]}" x="{left:.1f}" y="{top(name)}" width="{width(name):.1f}" '
                f'height="{HEIGHT}" rx="4"/><text x="{middles[name]:.1f}" y="{top(name) + 17}" '
                f'text-anchor="middle">{escape(name)}</text>'
            )

    def legend() -> Iterator[str]:
        left = MARGIN
        for kind, label in LEGEND:
            yield f'<rect class="{kind}" x="{left}" y="14" width="14" height="14" rx="3"/>'
            yield f'<text x="{left + 20}" y="25">{label}</text>'
            left += round(len(label) * CHARACTER) + 46

    title = "Lineage of the project: from landed files through SQL models to Python models"
    body = "\n".join((*edges(), *boxes(), *legend()))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lineage" role="img" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}">\n<title>{title}</title><style>{STYLE}</style>\n'
        f'<rect class="page" width="{wide}" height="{high}"/>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(*read_project(ROOT)))
    print(f"wrote {PICTURE.relative_to(ROOT)}")
