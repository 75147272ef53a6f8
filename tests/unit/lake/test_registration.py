"""The statements that register the lake's tables, run on a fake Spark that keeps properties and partitions."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from penstock.lake import registration
from penstock.lake.catalog import Catalog
from penstock.lake.manifest import Entry, Manifest


class Spark:
    """A fake Spark that keeps the schema's properties and each table's partitions."""

    def __init__(self) -> None:
        self.properties: dict[str, str] | None = None
        self.tables: dict[str, dict[str, str]] = {}
        self.manifest = ""
        self.log: list[str] = []
        self.fail_at = ""

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        self.log.append(sql)
        if self.fail_at and self.fail_at in sql:
            raise RuntimeError("killed")
        if sql.startswith("DESCRIBE SCHEMA"):
            if self.properties is None:
                raise RuntimeError("[SCHEMA_NOT_FOUND] The schema `lake` cannot be found")
            text = ", ".join(f"({key},{value})" for key, value in self.properties.items())
            return [("Namespace Name", "lake"), ("Properties", f"({text})")]
        if sql.startswith("CREATE SCHEMA"):
            self.properties = self.properties or {}
        elif sql.startswith("ALTER SCHEMA"):
            assert self.properties is not None
            self.properties |= dict(re.findall(r"'([^']*)'='([^']*)'", sql))
        else:
            self._table(sql)
        return []

    def _table(self, sql: str) -> None:
        name = re.findall(r"lake\.`(\w+)`", sql)[0]
        locations = re.findall(r"DATE'([\d-]+)'\) (?:SET )?LOCATION '([^']*)'", sql)
        if sql.startswith("DROP TABLE"):
            self.tables.pop(name, None)
        elif sql.startswith("CREATE TABLE"):
            assert name not in self.tables
            self.tables[name] = {}
        elif " DROP IF EXISTS " in sql:
            for month in re.findall(r"DATE'([\d-]+)'", sql):
                self.tables[name].pop(month, None)
        elif " ADD IF NOT EXISTS " in sql:
            for month, location in locations:
                self.tables[name].setdefault(month, location)
        elif locations:
            assert locations[0][0] in self.tables[name]
            self.tables[name] |= dict(locations)
        if name == "manifest" and "LOCATION" in sql:
            self.manifest = re.findall(r"LOCATION '([^']*)'", sql)[0]


def catalog(*names: str, kind: str = "int") -> Catalog:
    one = {"file_name": ["{month}.csv"], "columns": {"a": {"type": kind, "description": "it's a"}}}
    return Catalog.model_validate({"datasets": dict.fromkeys(names, one)})


def commit(lake: Path, month: int, folder: str, dataset: str = "r", **other: Any) -> None:
    values = {
        "dataset": dataset, "file_month": date(2021, month, 1), "folder": folder, "source": "s", "source_file": "f",
        "sha256": "0", "schema_fingerprint": "0", "bytes": 1, "rows": 2, **other,
    }  # fmt: skip
    Manifest(lake).commit(Entry.model_validate(values))


def shows(spark: Spark, lake: Path, dataset: str = "r") -> dict[str, str]:
    """Return the folder of each month that the table shows, relative to the lake."""
    return {month: location.removeprefix(f"file://{lake}/") for month, location in spark.tables[dataset].items()}


def test_an_empty_lake_has_empty_tables(tmp_path: Path) -> None:
    spark = Spark()
    registration.register_tables(spark.run, catalog("r", "s"), tmp_path, f"file://{tmp_path}")
    assert spark.tables == {"r": {}, "s": {}, "manifest": {}}
    create = next(sql for sql in spark.log if sql.startswith("CREATE TABLE lake.`r`"))
    assert "`a` INT COMMENT 'it\\'s a'" in create and "USING parquet PARTITIONED BY (file_month) LOCATION" in create
    assert "`rounded_values` BIGINT" in next(sql for sql in spark.log if sql.startswith("CREATE TABLE lake.`manifest`"))


def test_an_unchanged_lake_takes_one_statement(tmp_path: Path) -> None:
    spark, datasets = Spark(), catalog("r")
    commit(tmp_path, 1, "r/1a")
    registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    spark.log.clear()
    assert registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}") == 1
    assert spark.log == ["DESCRIBE SCHEMA EXTENDED lake"]


def test_only_the_difference_is_issued(tmp_path: Path) -> None:
    spark, datasets = Spark(), catalog("r", "s")
    for month in (1, 2, 3):
        commit(tmp_path, month, f"r/{month}")
    registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    commit(tmp_path, 2, "r/2b")
    commit(tmp_path, 3, "r/3", action="remove")
    commit(tmp_path, 4, "r/4")
    spark.log.clear()
    issued = registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    assert issued == len(spark.log)
    alters = [sql for sql in spark.log if sql.startswith("ALTER TABLE")]
    assert alters == [
        "ALTER TABLE lake.`r` DROP IF EXISTS PARTITION (file_month=DATE'2021-03-01')",
        f"ALTER TABLE lake.`r` PARTITION (file_month=DATE'2021-02-01') SET LOCATION 'file://{tmp_path}/r/2b'",
        "ALTER TABLE lake.`r` ADD IF NOT EXISTS PARTITION (file_month=DATE'2021-04-01') "
        f"LOCATION 'file://{tmp_path}/r/4'",
        f"ALTER TABLE lake.`manifest` SET LOCATION 'file://{tmp_path}/manifest/snapshots/0000000006'",
    ]
    assert not [sql for sql in spark.log if sql.startswith(("CREATE", "DROP"))]
    assert shows(spark, tmp_path) == {"2021-01-01": "r/1", "2021-02-01": "r/2b", "2021-04-01": "r/4"}


@pytest.mark.parametrize("at", ["DROP TABLE", "CREATE TABLE", "ADD IF", "SET LOCATION", "penstock.table.r"])
def test_the_next_run_repairs_a_killed_one(tmp_path: Path, at: str) -> None:
    spark, datasets = Spark(), catalog("r")
    commit(tmp_path, 1, "r/1")
    registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    commit(tmp_path, 1, "r/1b")
    commit(tmp_path, 2, "r/2")
    spark.fail_at = at
    try:
        registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    except RuntimeError:
        assert spark.properties is not None and spark.properties["penstock.lake_version"] == ""
    spark.fail_at = ""
    # The killed run may have added this month with its previous folder.
    commit(tmp_path, 2, "r/2b")
    registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    assert shows(spark, tmp_path) == {"2021-01-01": "r/1b", "2021-02-01": "r/2b"}
    assert registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}") == 1


def test_changed_columns_recreate_that_table(tmp_path: Path) -> None:
    spark = Spark()
    commit(tmp_path, 1, "r/1")
    commit(tmp_path, 1, "s/1", dataset="s")
    registration.register_tables(spark.run, catalog("r", "s"), tmp_path, f"file://{tmp_path}")
    both = catalog("r", "s")
    changed = both.model_copy(update={"datasets": {**both.datasets, "s": catalog("s", kind="bigint").dataset("s")}})
    spark.log.clear()
    registration.register_tables(spark.run, changed, tmp_path, f"file://{tmp_path}")
    assert [sql.split(" (")[0] for sql in spark.log if sql.startswith(("DROP", "CREATE"))] == [
        "DROP TABLE IF EXISTS lake.`s`",
        "CREATE TABLE lake.`s`",
    ]
    assert shows(spark, tmp_path, "s") == {"2021-01-01": "s/1"}


def test_a_dataset_removed_from_lake_yml_is_dropped_from_spark(tmp_path: Path) -> None:
    spark = Spark()
    commit(tmp_path, 1, "s/1", dataset="s")
    registration.register_tables(spark.run, catalog("r", "s"), tmp_path, f"file://{tmp_path}")
    registration.register_tables(spark.run, catalog("r"), tmp_path, f"file://{tmp_path}")
    assert set(spark.tables) == {"r", "manifest"}
    assert registration.register_tables(spark.run, catalog("r"), tmp_path, f"file://{tmp_path}") == 1
    registration.register_tables(spark.run, catalog("r", "s"), tmp_path, f"file://{tmp_path}")
    assert shows(spark, tmp_path, "s") == {"2021-01-01": "s/1"}


@pytest.mark.parametrize("value", ["", "rubbish", "1-9-0-0-0"])
def test_an_unreadable_property_registers_everything(tmp_path: Path, value: str) -> None:
    spark, datasets = Spark(), catalog("r")
    commit(tmp_path, 1, "r/1")
    registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    assert spark.properties is not None
    spark.properties["penstock.lake_version"] = value
    spark.tables["r"] = {"2020-01-01": "elsewhere"}
    registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    assert shows(spark, tmp_path) == {"2021-01-01": "r/1"}


def test_another_lake_of_the_same_version_registers_everything(tmp_path: Path) -> None:
    spark, datasets = Spark(), catalog("r")
    one, two = tmp_path / "one", tmp_path / "two"
    commit(one, 1, "r/1")
    commit(two, 2, "r/2")
    registration.register_tables(spark.run, datasets, one, f"file://{one}")
    registration.register_tables(spark.run, datasets, two, f"file://{two}")
    assert shows(spark, two) == {"2021-02-01": "r/2"}
    assert spark.manifest == f"file://{two}/manifest/snapshots/0000000001"


def test_many_months_share_a_statement(tmp_path: Path) -> None:
    spark = Spark()
    for year in range(1990, 2025):
        for month in range(1, 13):
            commit(tmp_path, 1, f"r/{year}-{month}", file_month=date(year, month, 1))
    registration.register_tables(spark.run, catalog("r"), tmp_path, f"file://{tmp_path}")
    assert len(spark.tables["r"]) == 420
    assert len([sql for sql in spark.log if " ADD IF NOT EXISTS " in sql]) == 3


def test_other_errors_of_spark_are_raised(tmp_path: Path) -> None:
    def run(sql: str) -> list[tuple[Any, ...]]:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        registration.register_tables(run, catalog("r"), tmp_path, f"file://{tmp_path}")


def test_two_machines_at_once_register_what_is_live(tmp_path: Path) -> None:
    """Another machine's session registers in the middle of this one, without a common lock; this one starts again."""
    spark, datasets = Spark(), catalog("r")
    commit(tmp_path, 1, "r/1")
    registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}")
    commit(tmp_path, 1, "r/1b")
    commit(tmp_path, 2, "r/2")
    interruptions: list[str] = []

    def slow(sql: str) -> list[tuple[Any, ...]]:
        if "SET LOCATION" in sql and "`r`" in sql and not interruptions:
            interruptions.append(sql)
            commit(tmp_path, 1, "r/1c")
            assert registration._register(spark.run, datasets, Manifest(tmp_path), f"file://{tmp_path}", recreate=False)
        return spark.run(sql)

    registration.register_tables(slow, datasets, tmp_path, f"file://{tmp_path}")
    assert interruptions
    assert shows(spark, tmp_path) == {"2021-01-01": "r/1c", "2021-02-01": "r/2"}
    assert registration.register_tables(spark.run, datasets, tmp_path, f"file://{tmp_path}") == 1
