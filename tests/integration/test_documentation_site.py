"""The documentation site in a real browser: it is searched, the first tutorial's links are followed, on a phone too."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import FLAGS, browser
from tests.support.polling import LIMIT

ROOT = Path(__file__).resolve().parents[2]
MILLISECONDS = 1000 * LIMIT


class Quiet(SimpleHTTPRequestHandler):
    """Serve files without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the built site."""
    folder = tmp_path_factory.mktemp("site")
    program = Path(sys.executable).with_name("mkdocs")
    command: list[str | Path] = [program, "build", "--strict", "--quiet", "--site-dir", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_reader_searches_and_follows_the_tutorials_links(address: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=list(FLAGS))
        try:
            page = chromium.new_page(viewport={"width": 1300, "height": 900})
            page.set_default_timeout(MILLISECONDS)
            requests: list[str] = []
            page.on("request", lambda request: requests.append(request.url))
            page.goto(f"{address}/")
            page.fill("input.md-search__input", "quarantine")
            page.wait_for_selector("a.md-search-result__link[href*='quality']")
            page.goto(f"{address}/get-started/your-own-project/")
            article = page.locator("article")
            assert article.locator("button.md-clipboard, button[data-md-type='copy']").count() > 5
            page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            article.locator("button[data-md-type='copy'], button.md-clipboard").nth(1).click()
            page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('penstock init shop'))")
            copied = page.evaluate("navigator.clipboard.readText()")
            lines = [line for line in copied.split("\n") if line]
            assert lines == ["penstock init shop", "cd shop", "dbt build"], "neither prompts nor output"
            links = article.locator("a[href^='../../']").evaluate_all("links => links.map(link => link.href)")
            assert len(links) >= 3
            for link in links:
                answer = page.goto(link)
                assert answer and answer.status == 200, link
                assert page.locator("article h1").inner_text()
            assert [url for url in requests if not url.startswith(address)] == []
        finally:
            chromium.close()


@pytest.mark.parametrize("path", ["", "how-to/troubleshooting/", "explanation/joins/", "reference/settings/"])
def test_a_page_fits_a_phone(address: str, path: str) -> None:
    """Wide tables and code scroll by themselves; the page doesn't."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=list(FLAGS))
        try:
            page = chromium.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
            page.goto(f"{address}/{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
        finally:
            chromium.close()
