"""docs/reference/settings.md has every key of penstock.yml, with the default that the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from penstock.config.sections import CatalogSettings
from penstock.config.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"
# Fields that aren't keys of the file.
HIDDEN = {"root", "target", "shared"}


def shown(value: Any) -> str:
    """A default as the page writes it."""
    if value is None or value == () or value == {}:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def defaults(model: type[BaseModel], above: str = "") -> dict[str, str]:
    """By key: its default, of all levels."""
    found = {}
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            found.update(defaults(type(field.default), f"{above}{name}."))
        elif above or name not in HIDDEN:
            found[above + name] = "required" if field.is_required() else shown(field.default)
    return found


def test_the_page_has_every_key_and_its_default() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| .+ \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) > 20
    assert dict(rows) == {**defaults(Settings), **defaults(CatalogSettings, "server.catalogs.NAME.")}
