"""Fixtures of the suite: an environment with the wheel, for tutorials that begin with its installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reach.wheel_environment import install, wheel

__all__ = ["bin_", "wheel"]


@pytest.fixture(scope="session")
def bin_(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment into which the wheel is installed, with what draws the charts of the run page."""
    return install(tmp_path_factory.mktemp("wheel"), f"dbt-penstock[report] @ {wheel.as_uri()}")
