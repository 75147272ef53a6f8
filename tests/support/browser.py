"""The browser of tests that look at a page."""

from __future__ import annotations

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Without the last ones Chromium asks the network for things of its own.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def browser() -> str:
    """The machine's browser; the test skips without one, unless the environment demands it."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    if os.environ.get("PENSTOCK_REQUIRE_BROWSER"):
        pytest.fail("needed: Chromium. found: none on PATH. do: apt-get install chromium")
    pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
