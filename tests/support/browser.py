"""The browser for tests that open a page."""

from __future__ import annotations

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# The last flags stop Chromium from sending requests to other servers.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def browser() -> str:
    """Return the machine's browser. Without one, skip the test, or fail it if PENSTOCK_REQUIRE_BROWSER is set."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    if os.environ.get("PENSTOCK_REQUIRE_BROWSER"):
        pytest.fail("needed: Chromium. found: none on PATH. do: apt-get install chromium")
    pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
