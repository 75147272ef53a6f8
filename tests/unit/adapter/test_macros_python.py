"""The macro of Python models renders the code and one marked line, which the job parses."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.base.relation import EventTimeFilter

from dbt.adapters.penstock.python_submissions import jobs
from dbt.include.penstock import PACKAGE_PATH
from tests.support.dbt_jinja import environment

START, END = datetime(2024, 1, 1, tzinfo=timezone.utc), datetime(2024, 1, 2, tzinfo=timezone.utc)
WINDOW = EventTimeFilter(field_name="at", start=START, end=END)


def relation(name: str, window: Any = None, limit: int | None = None) -> SimpleNamespace:
    """A relation as `ref` returns it."""
    return SimpleNamespace(render=lambda: f"w.{name}", event_time_filter=window, limit=limit)


@pytest.fixture
def rendered() -> tuple[str, dict[str, Any]]:
    """Return the code and its data, for a model with refs and a source."""
    refs = {
        ("events",): relation("events", WINDOW),
        ("pack", "zones"): relation("zones"),
        ("few",): relation("few", limit=0),
        ("text",): "w.text",
    }
    dbt = environment()
    dbt.globals.update(
        model=SimpleNamespace(
            refs=[
                {"name": "events", "package": None, "version": None},
                {"name": "zones", "package": "pack", "version": 2},
                {"name": "few"},
                {"name": "text"},
            ],
            sources=[["lake", "trips"]],
        ),
        ref=lambda *names, v=None: refs[names],
        source=lambda *names: relation("trips", WINDOW),
        resolve_model_name=str,
        tojson=json.dumps,
    )
    macros = (Path(PACKAGE_PATH) / "macros" / "python.sql").read_text()
    write = {"mode": "merge", "merge_sql": 'merge into "a" -- é', "exists": True, "drop": None}
    text = macros + "{{ penstock_python_job(code, 'w.m', write) }}"
    return jobs.split_job_data(dbt.from_string(text).render(code="x = 'penstock_write = no'", write=write))


def test_the_code_is_unchanged(rendered: tuple[str, dict[str, Any]]) -> None:
    """Only the marked line at the end is removed."""
    assert rendered[0].strip() == "x = 'penstock_write = no'"


def test_the_write_is_unchanged(rendered: tuple[str, dict[str, Any]]) -> None:
    """Quotes, other letters and empty values survive Jinja, JSON and Python."""
    assert rendered[1]["write"] == {
        "mode": "merge",
        "merge_sql": 'merge into "a" -- é',
        "exists": True,
        "drop": None,
        "target": "w.m",
    }


def test_windows_and_limits_by_rendered_name(rendered: tuple[str, dict[str, Any]]) -> None:
    """Only relations with a window or a limit are named."""
    window = {"column": "at", "start": "2024-01-01T00:00:00+00:00", "end": "2024-01-02T00:00:00+00:00"}
    assert rendered[1]["inputs"] == {"w.events": window, "w.few": {"limit": 0}, "w.trips": window}
