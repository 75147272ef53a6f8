"""Fixtures of the suite: an environment with the wheel, for tutorials that begin with its installation."""

from __future__ import annotations

from tests.reach.wheel_environment import bin_, wheel

__all__ = ["bin_", "wheel"]
