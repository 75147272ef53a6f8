"""Fixtures of several modules: a server for small projects, and one project of interval models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.config.settings import load
from penstock.spark.server import control
from tests.adapter import intervals_project
from tests.adapter.intervals_project import Rides
from tests.support.projects import COMPILED, Project, small_project


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A server for the projects of one module after another: builds on a warm server take half the time."""
    made = small_project(tmp_path_factory.mktemp("host"), {}, spark_conf=COMPILED)
    try:
        yield made
    finally:
        control.down(made.settings)


@pytest.fixture(scope="session")
def rides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rides]:
    """Three months, built once; before and after each test the tables agree with the lake."""
    root = tmp_path_factory.mktemp("rides")
    try:
        yield intervals_project.make(root)
    finally:
        control.down(load(root))
