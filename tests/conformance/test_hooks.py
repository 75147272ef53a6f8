"""Hooks of models, seeds, snapshots and runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dbt.tests.adapter.hooks.test_model_hooks import (
    MODEL_POST_HOOK,
    MODEL_PRE_HOOK,
    BaseDuplicateHooksInConfigs,
    BaseHookRefs,
    BaseHooksRefsOnSeeds,
    BasePrePostModelHooks,
    BasePrePostModelHooksInConfig,
    BasePrePostModelHooksInConfigKwargs,
    BasePrePostModelHooksInConfigWithCount,
    BasePrePostModelHooksOnSeeds,
    BasePrePostModelHooksOnSeedsPlusPrefixed,
    BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace,
    BasePrePostModelHooksOnSnapshots,
    BasePrePostSnapshotHooksInConfigKwargs,
)
from dbt.tests.adapter.hooks.test_run_hooks import BaseAfterRunHooks, BasePrePostRunHooks

from tests.conformance import adapters

CONTEXT = ("dbname", "host", "name", "schema", "type", "user", "pass", "threads")
ALTER = ["alter table {{ this }} add column new_col int", "update {{ this }} set new_col = 1"]
OUTSIDE = {"sql": "refresh table {{ this.schema }}.on_model_hook", "transaction": False}


def check_context(rows: list[dict[str, Any]], state: str, project: Any) -> None:
    """A hook saw the target that the run has, and the run's own names."""
    target = project.adapter.config.to_target_dict()
    assert target["name"] == "default" and target["threads"] == adapters.THREADS
    assert target["type"] == "spark" and target["schema"] == project.test_schema
    for row in rows:
        assert row["test_state"] == state
        for name in CONTEXT:
            # As Jinja writes a key that the target has not, or has as None.
            written = target.get(name, "")
            assert str(row[f"target_{name}"]) == str(written)
        assert row["run_started_at"] and row["invocation_id"]
        assert row["thread_id"].startswith("Thread-") or row["thread_id"] == "MainThread"


class Checks:
    """The published checks name PostgreSQL's host, user and database."""

    get_ctx_vars: Callable[..., Any]

    def check_hooks(self, state: str, project: Any, host: str, count: int = 1) -> None:
        check_context(self.get_ctx_vars(state, count=count, project=project), state, project)


def around(pre: str, post: str) -> dict[str, Any]:
    """Hooks inside and outside dbt's transaction, which Spark has none of: their order is dbt's."""
    return {"models": {"test": {pre: [MODEL_PRE_HOOK, OUTSIDE], post: [OUTSIDE, MODEL_POST_HOOK]}}}


class TestPrePostModelHooks(Checks, BasePrePostModelHooks):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return around("pre-hook", "post-hook")


class TestPrePostModelHooksUnderscores(Checks, BasePrePostModelHooks):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return around("pre_hook", "post_hook")


class TestHookRefs(Checks, BaseHookRefs):
    pass


class TestPrePostModelHooksInConfig(Checks, BasePrePostModelHooksInConfig):
    pass


class TestPrePostModelHooksInConfigWithCount(Checks, BasePrePostModelHooksInConfigWithCount):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return around("pre-hook", "post-hook")


class TestPrePostModelHooksInConfigKwargs(Checks, BasePrePostModelHooksInConfigKwargs):
    pass


class TestDuplicateHooksInConfigs(BaseDuplicateHooksInConfigs):
    pass


class TestPrePostModelHooksOnSeeds(BasePrePostModelHooksOnSeeds):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        # The last hook calls a macro, whose dependency dbt has to track.
        hooks = [*ALTER, "select cast(null as {{ dbt.type_int() }}) as id"]
        return adapters.delta("seeds", seeds={"post-hook": hooks, "quote_columns": False})


class PlusPrefixed:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("seeds", seeds={"+post-hook": ALTER, "quote_columns": False})


class TestPrePostModelHooksOnSeedsPlusPrefixed(PlusPrefixed, BasePrePostModelHooksOnSeedsPlusPrefixed):
    pass


class TestPrePostModelHooksOnSeedsPlusPrefixedWhitespace(
    PlusPrefixed, BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace
):
    pass


class TestHooksRefsOnSeeds(BaseHooksRefsOnSeeds):
    pass


def on_snapshots(folder: str) -> dict[str, Any]:
    """Snapshots of a folder of their own, with hooks."""
    return adapters.delta(
        "snapshots",
        **{"snapshot-paths": [folder]},
        snapshots={"post-hook": ALTER},
        seeds={"quote_columns": False},
    )


class TestPrePostModelHooksOnSnapshots(BasePrePostModelHooksOnSnapshots):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return on_snapshots("test-snapshots")


class TestPrePostSnapshotHooksInConfigKwargs(BasePrePostSnapshotHooksInConfigKwargs):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return on_snapshots("test-kwargs-snapshots")


class TestPrePostRunHooks(BasePrePostRunHooks):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        """As published, with Spark's name of a text."""
        record = "{{{{ custom_run_hook('{}', target, run_started_at, invocation_id) }}}}"
        schema = "{{ target.schema }}"
        return {
            "on-run-start": [
                record.format("start"),
                f"create table {schema}.start_hook_order_test (id int)",
                f"drop table {schema}.start_hook_order_test",
                "{{ log(env_var('TERM_TEST'), info=True) }}",
            ],
            "on-run-end": [
                record.format("end"),
                f"create table {schema}.end_hook_order_test (id int)",
                f"drop table {schema}.end_hook_order_test",
                f"create table {schema}.schemas (schema string)",
                f"insert into {schema}.schemas (schema) values {{% for schema in schemas %}}"
                "('{{ schema }}'){% if not loop.last %},{% endif %}{% endfor %}",
                f"create table {schema}.db_schemas (db string, schema string)",
                f"insert into {schema}.db_schemas (db, schema) values {{% for db, schema in database_schemas %}}"
                "('{{ db }}', '{{ schema }}'){% if not loop.last %},{% endif %}{% endfor %}",
            ],
            "seeds": {"quote_columns": False},
        }

    def check_hooks(self, state: str, project: Any, host: str) -> None:
        check_context([self.get_ctx_vars(state, project)], state, project)

    def assert_used_schemas(self, project: Any) -> None:
        """A Spark catalog is the database. Without one in the profile, dbt writes None."""
        assert project.run_sql("select * from {schema}.schemas", fetch="all") == [(project.test_schema,)]
        assert project.run_sql("select * from {schema}.db_schemas", fetch="all") == [
            (str(project.database), project.test_schema)
        ]


class TestAfterRunHooks(BaseAfterRunHooks):
    pass
