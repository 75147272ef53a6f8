"""A package of an extra is missing: the error names the extra that brings it."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from penstock.errors import PenstockError
from penstock.lake import source_files
from penstock.report import ml_charts
from penstock.storage import locations

USES: dict[str, tuple[str, Callable[[], object]]] = {
    "s3fs": ("s3", lambda: locations.open_location(Path(), "s3a://bucket/lake", None, None, False)),
    "gcsfs": ("gs", lambda: locations.open_location(Path(), "gs://bucket/lake", None, None, False)),
    "s3fs of a source": ("s3", lambda: source_files.resolve_address("s3://bucket/file.csv")),
    "gcsfs of a source": ("gs", lambda: source_files.resolve_address("gs://bucket/file.csv")),
    "matplotlib": ("ml", ml_charts._pyplot),
}


@pytest.mark.parametrize("use", USES)
def test_a_missing_package_is_named_with_its_extra(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, (extra, call) = use.split()[0], USES[use]
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    for protocol in ("s3", "gs"):
        monkeypatch.delitem(sys.modules["fsspec.registry"].__dict__["_registry"], protocol, raising=False)
    with pytest.raises(PenstockError) as caught:
        call()
    assert caught.value.do == f"pip install 'dbt-penstock[{extra}]'"
    brought = [Requirement(text) for text in importlib.metadata.requires("dbt-penstock") or ()]
    assert package in {each.name for each in brought if each.marker and each.marker.evaluate({"extra": extra})}
