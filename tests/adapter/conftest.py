"""One project of interval models, up, for all tests of them."""

from __future__ import annotations

from collections.abc import Iterator

import intervals_project
import pytest
from intervals_project import Rides

from penstock.server import control
from penstock.settings import load


@pytest.fixture(scope="session")
def rides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rides]:
    """Three months built once; each test begins with tables that are what the lake says, and leaves them so."""
    root = tmp_path_factory.mktemp("rides")
    try:
        yield intervals_project.make(root)
    finally:
        control.down(load(root))
