"""Write a preview as a self-contained HTML page."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader

from penstock.preview import sentences
from penstock.preview.content import Preview


def html(preview: Preview) -> str:
    """Return the page: it needs no network and no other file."""
    environment = Environment(
        loader=PackageLoader("penstock.preview", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    shown = [node for node in preview.nodes if not node.is_idle]
    return environment.get_template("page.html.jinja").render(
        preview=preview, shown=shown, idle=len(preview.nodes) - len(shown), words=sentences
    )
