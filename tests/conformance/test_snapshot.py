"""Snapshots: changes, deletions, new columns, names of the meta columns."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from dbt.tests.adapter.simple_snapshot import fixtures, new_record_dbt_valid_to_current, new_record_timestamp_mode
from dbt.tests.adapter.simple_snapshot.new_record_check_mode import BaseSnapshotNewRecordCheckMode
from dbt.tests.adapter.simple_snapshot.new_record_dbt_valid_to_current import BaseSnapshotNewRecordDbtValidToCurrent
from dbt.tests.adapter.simple_snapshot.new_record_timestamp_mode import BaseSnapshotNewRecordTimestampMode
from dbt.tests.adapter.simple_snapshot.test_ephemeral_snapshot_hard_deletes import (
    BaseSnapshotEphemeralHardDeletes,
    BaseSnapshotNewColumnSpecificCheckCols,
    BaseSnapshotNewColumnTimestampStrategy,
    BaseSnapshotNewColumnWithDeletes,
)
from dbt.tests.adapter.simple_snapshot.test_snapshot import BaseSimpleSnapshot, BaseSnapshotCheck
from dbt.tests.adapter.simple_snapshot.test_various_configs import (
    BaseSnapshotColumnNames,
    BaseSnapshotColumnNamesFromDbtProject,
    BaseSnapshotDbtValidToCurrent,
    BaseSnapshotInvalidColumnNames,
    BaseSnapshotMultiUniqueKey,
)
from dbt.tests.util import check_relations_equal, run_dbt

from tests.conformance import adapters, dialect

META = {
    "dbt_valid_to": "test_valid_to",
    "dbt_valid_from": "test_valid_from",
    "dbt_scd_id": "test_scd_id",
    "dbt_updated_at": "test_updated_at",
}


class Delta:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("seeds", "snapshots", "models")


class DeltaNamed:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("snapshots", snapshots={"test": {"+snapshot_meta_column_names": META}})


class Snapshot:
    """The published snapshot over a table that the test fills."""

    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, Any]:
        return {"snapshot.sql": dialect.spark(fixtures.snapshot_actual_sql)}


@pytest.mark.core
class TestSnapshot(Delta, BaseSimpleSnapshot):
    pass


@pytest.mark.core
class TestSnapshotCheck(Delta, BaseSnapshotCheck):
    pass


class TestSnapshotColumnNames(Delta, Snapshot, BaseSnapshotColumnNames):
    pass


class TestSnapshotColumnNamesFromDbtProject(DeltaNamed, Snapshot, BaseSnapshotColumnNamesFromDbtProject):
    pass


class TestSnapshotInvalidColumnNames(DeltaNamed, Snapshot, BaseSnapshotInvalidColumnNames):
    pass


class TestSnapshotDbtValidToCurrent(Delta, Snapshot, BaseSnapshotDbtValidToCurrent):
    def test_valid_to_current(self, project: Any) -> None:
        """As published, but for asking in an order: a table of Spark's has none of its own."""
        for script in (
            fixtures.create_seed_sql,
            fixtures.create_snapshot_expected_sql,
            fixtures.seed_insert_sql,
            fixtures.populate_snapshot_expected_valid_to_current_sql,
        ):
            project.run_sql(script)
        query = "select id, test_valid_to from {schema}.snapshot_actual order by id, test_valid_to"
        current = datetime.datetime(2099, 12, 31)

        assert len(run_dbt(["snapshot"])) == 1
        assert project.run_sql(query, fetch="all") == [(number, current) for number in range(1, 21)]

        project.run_sql(fixtures.invalidate_sql)
        project.run_sql(fixtures.update_with_current_sql)
        assert len(run_dbt(["snapshot"])) == 1
        rows = project.run_sql(query, fetch="all")
        assert [number for number, valid_to in rows if valid_to == current] == list(range(1, 21))
        assert [number for number, valid_to in rows if valid_to != current] == list(range(10, 21))
        assert (10, datetime.datetime(2016, 8, 20, 16, 44, 49)) in rows
        check_relations_equal(project.adapter, ["snapshot_actual", "snapshot_expected"])


class TestSnapshotMultiUniqueKey(Delta, BaseSnapshotMultiUniqueKey):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "seed.sql": dialect.spark(fixtures.model_seed_sql),
            "snapshots.yml": fixtures.snapshots_multi_key_yml,
            "ref_snapshot.sql": fixtures.ref_snapshot_sql,
        }


class NewRecord:
    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, Any]:
        return {"snapshot.sql": dialect.spark(new_record_timestamp_mode._snapshot_actual_sql)}


class TestSnapshotNewRecordTimestampMode(Delta, NewRecord, BaseSnapshotNewRecordTimestampMode):
    pass


class TestSnapshotNewRecordCheckMode(Delta, NewRecord, BaseSnapshotNewRecordCheckMode):
    pass


class TestSnapshotNewRecordDbtValidToCurrent(Delta, BaseSnapshotNewRecordDbtValidToCurrent):
    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, Any]:
        return {"snapshot.sql": dialect.spark(new_record_dbt_valid_to_current._snapshot_actual_sql)}


class TestSnapshotEphemeralHardDeletes(Delta, BaseSnapshotEphemeralHardDeletes):
    pass


class TestSnapshotNewColumnTimestampStrategy(Delta, BaseSnapshotNewColumnTimestampStrategy):
    pass


class TestSnapshotNewColumnSpecificCheckCols(Delta, BaseSnapshotNewColumnSpecificCheckCols):
    pass


class TestSnapshotNewColumnWithDeletes(Delta, BaseSnapshotNewColumnWithDeletes):
    pass
