"""`--empty` and `--sample`: runs over no rows, or over the rows of a time span."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.empty import _models
from dbt.tests.adapter.empty.test_empty import (
    BaseTestEmpty,
    BaseTestEmptyInlineSourceRef,
    BaseTestEmptySeedFlag,
    MetadataWithEmptyFlag,
)
from dbt.tests.adapter.sample_mode.test_sample_mode import BaseSampleModeTest


class TestEmpty(BaseTestEmpty):
    pass


class TestEmptyInlineSourceRef(BaseTestEmptyInlineSourceRef):
    pass


class TestEmptySeedFlag(BaseTestEmptySeedFlag):
    pass


class TestMetadataWithEmptyFlag(MetadataWithEmptyFlag):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        """As published, but for a type that Spark knows: its varchar always has a length."""
        names = [name for name in vars(_models) if name.isupper() and name not in ("SEED", "SCHEMA")]
        return {
            "schema.yml": _models.SCHEMA,
            **{f"{name.lower()}.sql": getattr(_models, name).replace('"varchar"', '"string"') for name in names},
        }


class TestSampleMode(BaseSampleModeTest):
    pass
