"""No published class is forgotten: a new release of the suite that brings one fails here."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from dbt.tests import adapter as published

PUBLISHED = Path(next(iter(published.__path__)))


def classes(module: ModuleType) -> Iterator[type]:
    """A module's own classes."""
    for value in vars(module).values():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield value


def has_tests(found: type) -> bool:
    """Whether a class has a test that pytest would run."""
    return any(name.startswith("test") and callable(getattr(found, name)) for name in dir(found))


def modules() -> Iterator[ModuleType]:
    """The published suite's modules; most of its folders are no packages, so that pkgutil passes them over."""
    for path in sorted(PUBLISHED.rglob("*.py")):
        parts = path.relative_to(PUBLISHED).with_suffix("").parts
        if parts[-1] != "__init__":
            yield importlib.import_module(".".join(("dbt.tests.adapter", *parts)))


def test_every_published_class_is_run_or_skipped_with_a_reason() -> None:
    """A class counts as run when one here inherits it. `Test…` are the publisher's own PostgreSQL runs."""
    ours: list[type] = []
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"{__package__}.{path.stem}")
        ours += [found for found in classes(module) if found.__name__.startswith("Test")]
    covered = {base for found in ours for base in found.__mro__}
    expected = [found for module in modules() for found in classes(module) if has_tests(found)]
    assert len(expected) > 200
    missing = [found for found in expected if found not in covered and not found.__name__.startswith(("Test", "_"))]
    assert not missing
