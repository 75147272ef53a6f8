"""`penstock report run` in a real browser: the page of a real build, and of a record with hostile texts."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from penstock.config.settings import Settings
from penstock.report.run_page import html, page_data, run_files
from penstock.report.run_page.page_data import Extras
from penstock.runs import run_store
from tests.support import run_records
from tests.support.browser import FLAGS, browser
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import Project
from tests.support.run_records import PICKUPS

NARROW: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1360, "height": 900}
NODE = "model.penstock.hourly_zone_revenue"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser."""
    executable = browser()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield started
        started.close()


def opened(chromium: Browser, file: Path, problems: list[str], narrow: bool = False, dark: bool = False) -> Page:
    """Return a page from disk, and collect errors of its scripts and requests that leave the file."""
    page = chromium.new_page(viewport=NARROW if narrow else WIDE, color_scheme="dark" if dark else "light")
    page.set_default_timeout(1000 * LIMIT)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on(
        "request", lambda request: problems.append(request.url) if request.url[:5] not in ("file:", "data:") else None
    )
    page.goto(file.as_uri())
    page.wait_for_selector("#timeline svg .mark-rect path")
    return page


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def test_the_page_of_a_real_build(sampled: Project, chromium: Browser) -> None:
    """Open the page, click a node in the timeline, then its plan and its tests."""
    # Other tests of the same project run commands with a few nodes.
    built = max(run_store.records(sampled.root / "target"), key=lambda record: len(record.nodes))
    done = sampled.penstock("report", "run", "--run", built.run_id)
    assert done.returncode == 0, done.stdout
    written = re.search(r"written: (.+index\.html)", done.stdout)
    assert written, done.stdout
    problems: list[str] = []
    page = opened(chromium, Path(written[1]), problems)
    bars = page.locator("#timeline svg .mark-rect path")
    assert bars.count() > 50
    bars.first.scroll_into_view_if_needed()
    box = bars.first.bounding_box()
    assert box is not None
    # The label of a long bar covers its middle, and opens the same panel.
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#panel:not([hidden]) h2")
    page.keyboard.press("Escape")
    page.locator(f'#nodes tr[data-id="{NODE}"]').click()
    assert "hourly_zone_revenue" in page.inner_text("#panel-title")
    assert "Rows out" in page.inner_text("#panel .panel-body")
    page.click("#panel .tabs >> text=Plan")
    assert "join" in page.inner_html("#panel .picture svg.plan")
    page.click("#panel .tabs >> text=Tests")
    assert page.locator("#panel .panel-body tr").count() >= 1
    page.click("#panel .tabs >> text=Columns")
    page.click("#panel .columns button >> text=pickup_hour")
    assert "fct_trips.pickup_at" in page.inner_text("#panel .origin >> nth=0")
    page.keyboard.press("Escape")
    assert "built" in page.inner_text("#intervals h2"), "the server runs, so the page has the ledger's intervals"
    assert page.locator("#quarantine svg .mark-rect path").count() > 0
    assert problems == []


def test_a_stranger_project_without_a_server(chromium: Browser, tmp_path: Path) -> None:
    """Hostile texts stay texts, a click on a column shows where it comes from, and the page fits a phone."""
    target = run_records.write_target(tmp_path / "target")
    lineage = {
        PICKUPS: {"zone_id": [("model.shop.trips", "pickup_zone", "direct")]},
        "model.shop.trips": {"pickup_zone": [("source.shop.raw.zones", "id", "transformed")]},
    }
    record = run_files.find(target, "second")
    data = page_data.collect(Settings(root=tmp_path), target, record, Extras(lineage=lineage))
    file = run_files.write(target, "second", html.page(data), None)
    problems: list[str] = []
    page = opened(chromium, file, problems, narrow=True, dark=True)
    assert page.evaluate("window.hacked") is None
    assert page.get_attribute("html", "data-theme") == "dark"
    assert overflow(page) <= 0
    page.locator(f'#nodes tr[data-id="{PICKUPS}"]').click()
    assert run_records.HOSTILE in page.inner_text("#panel .panel-body")
    page.click("#panel .tabs >> text=Columns")
    page.click("#panel .columns button")
    assert "trips.pickup_zone" in page.inner_text("#panel .origin >> nth=0")
    assert "raw.zones.id" in page.inner_text("#panel .origin .origin")
    assert overflow(page) <= 0
    page.keyboard.press("Escape")
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "light"
    assert page.evaluate("window.hacked") is None
    assert problems == []


def test_a_live_page_shows_nodes_as_they_finish(chromium: Browser, tmp_path: Path) -> None:
    """Serve the record of a running command, add a node, and wait until the open page shows it."""
    (tmp_path / "penstock.yml").write_text("version: 1\n")
    target = tmp_path / "target"
    process = psutil.Process()
    running = run_records.build(ended="", success=None, process=process.pid, process_started=process.create_time())
    without = {name: node for name, node in running.nodes.items() if name != PICKUPS}
    run_store.write(target, replace(running, nodes=without))
    started = Project(tmp_path).start("penstock", "report", "run", "--live")
    try:
        wait_until(lambda: "http://" in started.output(), "the address is printed")
        address = re.search(r"http://127\.0\.0\.1:\d+/[\w-]+/", started.output())
        assert address, started.output()
        page = chromium.new_page()
        page.set_default_timeout(1000 * LIMIT)
        page.goto(address[0])
        page.wait_for_selector("h1 .badge.running")
        assert page.locator(f'#nodes tr[data-id="{PICKUPS}"]').count() == 0
        run_store.write(target, running)
        page.wait_for_selector(f'#nodes tr[data-id="{PICKUPS}"]')
        run_store.write(target, replace(running, ended=run_records.at(18), success=True))
        page.wait_for_selector("h1 .badge.success")
    finally:
        os.kill(started.pid, signal.SIGINT)
        code = started.wait(LIMIT)
    assert code == 0, started.output()
