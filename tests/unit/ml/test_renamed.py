"""Names of version 0.1.0 that a project's own Python models may use: the error names the new spelling."""

from __future__ import annotations

import pytest

import penstock.ml
from penstock.errors import PenstockError
from penstock.ml import registry


@pytest.mark.parametrize("name", penstock.ml.RENAMED)
def test_a_renamed_module_is_named(name: str) -> None:
    with pytest.raises(PenstockError, match=f"from penstock.ml import {penstock.ml.RENAMED[name]}"):
        exec(f"from penstock.ml import {name}")


def test_a_renamed_function_and_method_are_named() -> None:
    with pytest.raises(PenstockError, match="select_versions"):
        registry.chosen({}, None, None)
    with pytest.raises(PenstockError, match="predict"):
        registry.Version(row={"version": 1}).apply(None, [])


def test_other_names_are_missing_as_ever() -> None:
    assert not hasattr(penstock.ml, "nothing") and not hasattr(registry, "nothing")
    assert not hasattr(registry.Version(row={}), "nothing")
