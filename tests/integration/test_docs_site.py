"""`dbt docs serve` in a real browser: the lineage graph holds SQL and Python models side by side."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.browser import FLAGS, browser
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import Project

# The site draws the graph with Cytoscape, which hangs its object on the element it draws in.
GRAPH = """() => {
    for (const element of document.querySelectorAll('*'))
        if (element._cyreg && element._cyreg.cy) {
            const cy = element._cyreg.cy;
            return {
                nodes: cy.nodes().map(n => ({id: n.id(), language: n.data('language'), shown: n.visible()})),
                edges: cy.edges().map(e => [e.data('source'), e.data('target')]),
            };
        }
    return null;
}"""


@contextmanager
def serving(project: Project) -> Iterator[str]:
    """`dbt docs serve` on a free port, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "dbt"), "docs", "serve", "--port", str(port), "--no-browser"]
    process = subprocess.Popen(command, cwd=project.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:

        def listens() -> bool:
            assert process.poll() is None, "dbt docs serve has ended"
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listens, "dbt docs serve listens")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(LIMIT)


def test_the_lineage_graph_holds_sql_and_python(sampled: Project, tmp_path: Path) -> None:
    """Generate, serve, open, look: from the lake's source to the Python model."""
    from playwright.sync_api import sync_playwright

    executable = browser()
    generated = sampled.dbt("docs", "generate")
    assert generated.returncode == 0, generated.stdout[-3000:]
    with serving(sampled) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            page = chromium.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{address}/#!/overview?g_v=1")
            page.wait_for_function(
                f"() => {{ const g = ({GRAPH})(); return g && g.nodes.length > 10; }}", timeout=1000 * LIMIT
            )
            graph = page.evaluate(GRAPH)
            page.goto(f"{address}/#!/model/model.penstock.trip_features")
            page.wait_for_function("() => document.body.innerText.includes('trip_features')", timeout=1000 * LIMIT)
            text = page.inner_text("body")
        finally:
            chromium.close()
    shown = {node["id"] for node in graph["nodes"] if node["shown"]}
    assert {"source.penstock.lake.green", "model.penstock.fct_trips", "model.penstock.trip_features"} <= shown
    assert ["model.penstock.int_trips", "model.penstock.trip_features"] in graph["edges"]
    assert ["model.penstock.int_trips", "model.penstock.fct_trips"] in graph["edges"]
    assert "pickup_hour" in text, "columns are described"
