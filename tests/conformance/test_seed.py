"""Seeds: loading, refreshing, types, delimiters, odd files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.tests.adapter import simple_seed
from dbt.tests.adapter.simple_seed import fixtures, seeds
from dbt.tests.adapter.simple_seed.test_seed import (
    BaseBasicSeedTests,
    BaseSeedConfigFullRefreshOff,
    BaseSeedConfigFullRefreshOn,
    BaseSeedCustomSchema,
    BaseSeedParsing,
    BaseSeedSpecificFormats,
    BaseSeedWithEmptyDelimiter,
    BaseSeedWithUniqueDelimiter,
    BaseSeedWithWrongDelimiter,
    BaseSimpleSeedEnabledViaConfig,
    BaseSimpleSeedWithBOM,
    BaseTestEmptySeed,
)
from dbt.tests.adapter.simple_seed.test_seed_type_override import BaseSimpleSeedColumnOverride
from dbt.tests.util import check_relations_equal, run_dbt


class KeepsDownstream:
    """A full refresh replaces the seed: what was built from it stays, for Spark has no CASCADE of tables."""

    def _check_relation_end_state(self, run_result: Any, project: Any, exists: bool) -> None:
        super()._check_relation_end_state(run_result, project, exists=True)  # type: ignore[misc]


class TestBasicSeed(KeepsDownstream, BaseBasicSeedTests):
    pass


class TestSeedConfigFullRefreshOn(KeepsDownstream, BaseSeedConfigFullRefreshOn):
    pass


class TestSeedConfigFullRefreshOff(BaseSeedConfigFullRefreshOff):
    pass


class TestSeedCustomSchema(BaseSeedCustomSchema):
    pass


class TestSeedWithUniqueDelimiter(BaseSeedWithUniqueDelimiter):
    pass


class TestSeedWithWrongDelimiter(BaseSeedWithWrongDelimiter):
    pass


class TestSeedWithEmptyDelimiter(BaseSeedWithEmptyDelimiter):
    pass


class TestSimpleSeedEnabledViaConfig(BaseSimpleSeedEnabledViaConfig):
    @pytest.fixture(scope="function")
    def clear_test_schema(self, project: Any) -> Iterator[None]:
        yield
        project.run_sql(f"drop schema if exists {project.test_schema} cascade")
        project.run_sql(f"create schema {project.test_schema}")


class TestSeedParsing(BaseSeedParsing):
    pass


class TestSimpleSeedWithBOM(BaseSimpleSeedWithBOM):
    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: Any) -> None:
        project.run_sql(seeds.seeds__expected_sql)
        published = (Path(folder) / "seed_bom.csv" for folder in simple_seed.__path__)
        bom = next(path for path in published if path.exists())
        Path(project.project_root, "seeds", "seed_bom.csv").write_bytes(bom.read_bytes())


class TestSeedSpecificFormats(BaseSeedSpecificFormats):
    """Without the seed that has dots in its name: no table of a Hive metastore has."""

    @pytest.fixture(scope="class")
    def seeds(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        big = self._make_big_seed(tmp_path_factory.mktemp("seed") / "data")
        return {"big_seed.csv": big.read_text(), "seed_unicode.csv": seeds.seed__unicode_csv}

    def test_simple_seed(self, project: Any) -> None:
        assert len(run_dbt(["seed"])) == 2
        assert project.run_sql("select count(*), sum(seed_id) from {schema}.big_seed", fetch="one") == (
            20000,
            199990000,
        )


class TestEmptySeed(BaseTestEmptySeed):
    pass


class TestSimpleSeedColumnOverride(BaseSimpleSeedColumnOverride):
    @staticmethod
    def seed_enabled_types() -> dict[str, Any]:
        return {"seed_id": "string", "birthday": "date"}

    @staticmethod
    def seed_tricky_types() -> dict[str, Any]:
        return {"seed_id_str": "string", "looks_like_a_bool": "string", "looks_like_a_date": "string"}

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        """Spark's names of the types; an integer of a seed is a bigint."""
        text = fixtures.properties__schema_yml
        for postgres, spark in {
            "timestamp without time zone": "timestamp",
            "type: text": "type: string",
            "type: integer": "type: bigint",
        }.items():
            text = text.replace(postgres, spark)
        return {"schema.yml": text}


SEED_TYPES_YML = """
seeds:
  - name: payments
    config:
      column_types:
        id: string
        amount: integer
        amount_usd: decimal(20,2)
        created: timestamp
    columns:
      - {name: id, data_tests: [{column_type: {type: string}}]}
      - {name: amount, data_tests: [{column_type: {type: int}}]}
      - {name: amount_usd, data_tests: [{column_type: {type: "decimal(20,2)"}}]}
      - {name: created, data_tests: [{column_type: {type: timestamp}}]}
"""


class TestSeedColumnTypesCast:
    """Types that a seed's configuration gives its columns are those of the table."""

    @pytest.fixture(scope="class")
    def macros(self) -> dict[str, Any]:
        return {"schema_test.sql": fixtures.macros__schema_test}

    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, Any]:
        rows = "id,amount,amount_usd,created\n1,1000,10.00,2018-01-01\n2,2000,20.50,2018-01-02\n"
        return {"payments.csv": rows, "schema.yml": SEED_TYPES_YML}

    def test_column_seed_type(self, project: Any) -> None:
        assert len(run_dbt(["seed"])) == 1
        assert len(run_dbt(["test"])) == 4
        project.run_sql(
            "create table {schema}.expected as select '2' as id, 2000 as amount, "
            "cast(20.5 as decimal(20,2)) as amount_usd, timestamp'2018-01-02' as created "
            "union all select '1', 1000, cast(10 as decimal(20,2)), timestamp'2018-01-01'"
        )
        check_relations_equal(project.adapter, ["payments", "expected"])
