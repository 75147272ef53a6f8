"""Errors about a model's configuration and name, as `penstock explain` reports them."""

from __future__ import annotations

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.errors import AdapterError
from penstock.errors import PenstockError
from penstock.explain import dbt_model


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (AdapterError("a number as n", "'x'", "correct n"), ("a number as n", "'x'", "correct n")),
        (DbtRuntimeError("a message"), ("a valid configuration", "a message", "correct it")),
    ],
)
def test_a_configuration_error_has_three_parts(error: DbtRuntimeError, parts: tuple[str, str, str]) -> None:
    with pytest.raises(PenstockError) as caught, dbt_model._configuration_errors():
        raise error
    assert (caught.value.needed, caught.value.found, caught.value.do) == parts


@pytest.mark.parametrize(
    ("name", "names", "suggestion"),
    [
        ("fct_trip", ["fct_trips", "dim_zones"], "did you mean `fct_trips`?"),
        ("zones", ["fct_trips", "dim_zones"], "did you mean `dim_zones`?"),
        ("xyz", ["fct_trips"], "see `dbt ls --resource-type model`"),
        ("xyz", [], "write a model"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(name: str, names: list[str], suggestion: str) -> None:
    assert dbt_model._suggestion(name, names) == suggestion
