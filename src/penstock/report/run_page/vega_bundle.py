"""The script that draws the page's charts: Vega-Lite with everything that it needs, from the package vl-convert."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from penstock.errors import PenstockError
from penstock.storage import private_files

SNIPPET = "window.vegaEmbed = vegaEmbed;"
DISTRIBUTION = "vl-convert-python"
INSTALL = "pip install 'dbt-penstock[report]'"


def cache_folder() -> Path:
    """Return the folder of penstock's files in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"


def script() -> str:
    """Return the script. It sets `vegaEmbed`, and loads nothing.

    Bundling the script takes seconds, so the text is kept in the user's cache folder.

    Raises:
        PenstockError: the package is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise PenstockError("the script of the charts", f"no package {DISTRIBUTION}", INSTALL) from None
    path = cache_folder() / f"vega-{version(DISTRIBUTION)}.js"
    with suppress(OSError):
        return path.read_text(encoding="utf-8")
    # A closing tag in the script would end the page's script element.
    text = vl_convert.javascript_bundle(SNIPPET).replace("</script", "<\\/script")
    with suppress(OSError, PenstockError):  # A read-only home folder costs time, but no page.
        private_files.make_folder(path.parent)
        private_files.write(path, text)
    return text
