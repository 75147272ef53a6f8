"""Interval sources: found by entry point, and imported only in projects that use them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from dbt.adapters.penstock.interval_models import sources
from dbt.adapters.penstock.interval_models.sources import IntervalSources
from penstock.config.settings import Settings, load
from penstock.lake.interval_source import LakeIntervals


@pytest.fixture
def of_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], IntervalSources]:
    """The sources of a project in an empty folder, where `lake` and a module that does not exist are registered."""
    entries = EntryPoints(
        EntryPoint(name, value, "penstock.interval_sources")
        for name, value in (
            ("lake", "penstock.lake.interval_source:LakeIntervals"),
            ("missing", "no_such_module:Source"),
        )
    )
    monkeypatch.setattr(sources, "entry_points", lambda group: entries)
    settings: Settings = load(tmp_path)
    return lambda: IntervalSources(lambda: settings)


def test_the_adapter_does_not_import_the_lake() -> None:
    code = "import sys, dbt.adapters.penstock; print(sorted(m for m in sys.modules if m.startswith('penstock.lake')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_source_is_loaded_when_it_is_used(of_project: Callable[[], IntervalSources]) -> None:
    found = of_project()
    assert set(found) == {"lake", "missing"} and "warehouse" not in found and found.get("warehouse") is None
    lake = found["lake"]
    assert isinstance(lake, LakeIntervals) and lake is found["lake"], "read once in a run"
    assert lake.has_intervals("green") and not lake.has_intervals("Manifest")
    with pytest.raises(ModuleNotFoundError):
        found["missing"]


def test_a_project_configures_a_source_by_its_file(of_project: Callable[[], IntervalSources], tmp_path: Path) -> None:
    """Without the file there is nothing to register, and the tables of another machine's lake can still be read."""
    found = of_project()
    assert found.configured() == [] and not found["lake"].registers
    (tmp_path / "lake.yml").write_text("version: 1\ndatasets: {}\n")
    found = of_project()
    assert found.configured() == [found["lake"]] and found["lake"].registers
