"""Render the page of a command, and the page that lists the kept commands, as HTML files that load no other file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from penstock.report.run_page import vega_bundle

FOLDER = Path(__file__).parent / "templates"
SCRIPTS = ("format.js", "charts.js", "panel.js", "page.js")


def page(data: dict[str, Any], live: bool = False) -> str:
    """Return the page of a command.

    Args:
        data: the data, as `page_data.collect` returns it.
        live: whether the page refreshes itself: it requests new data from its server every few seconds.

    Raises:
        PenstockError: the package that has the charts' script is not installed.
    """
    scripts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return _render(
        "run.html.j2",
        title=f"{data['run']['arguments']}: {data['run']['result']}",
        data=Markup(to_script_json(data)),
        vega=Markup(vega_bundle.script()),
        scripts=Markup(scripts),
        live=live,
    )


def index(runs: Sequence[dict[str, Any]]) -> str:
    """Return the page that lists the kept commands, the newest first."""
    return _render("index.html.j2", title="dbt commands", runs=runs)


def to_script_json(data: Any) -> str:
    """Return data as JSON that can stand in a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _render(name: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup((FOLDER / "page.css").read_text(encoding="utf-8"))
    # Only scripts with this number run, even if a text from the project were taken for HTML.
    return environment.get_template(name).render(style=style, nonce=secrets.token_urlsafe(16), **values) + "\n"
