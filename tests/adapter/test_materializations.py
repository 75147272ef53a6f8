"""What stands after a run that failed, and after one that didn't: on one server, in a project of its own."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.projects import Project, edited, small_project

pytestmark = pytest.mark.core

FILES = {
    "dbt_project.yml": "name: things\nversion: '1.0'\nprofile: things\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "things: {target: d, outputs: {d: {type: penstock, schema: things, threads: 4}}}\n",
    # `fail` makes a row's computation fail; `id` tells the runs apart.
    "macros/value.sql": (
        "{% macro value() %}{{ \"cast(raise_error('no') as int)\" if var('fail', false) else 1 }}{% endmacro %}"
    ),
    "models/plain.sql": "{{ config(materialized='table') }} select {{ var('id', 1) }} as id, {{ value() }} as c",
    "models/files.sql": (
        "{{ config(materialized='table', file_format='parquet', partition_by='p') }} "
        "select {{ var('id', 1) }} as id, 'x' as p, {{ value() }} as c"
    ),
    "models/outside.sql": (
        "{{ config(materialized='table', file_format='parquet', location_root=env_var('OUTSIDE')) }} "
        "select {{ var('id', 1) }} as id, {{ value() }} as c"
    ),
    "models/moved.sql": (
        "{{ config(materialized='table', clustered_by=none if var('id', 1) == 2 else 'id', "
        "partition_by='id' if var('id', 1) == 2 else none) }} select {{ var('id', 1) }} as id, {{ value() }} as c"
    ),
    "models/was_view.sql": (
        "{{ config(materialized='view' if var('id', 1) == 1 else 'table') }} "
        "select {{ var('id', 1) }} as id, {{ value() if var('id', 1) == 2 else 1 }} as c"
    ),
    "models/was_table.sql": (
        "{{ config(materialized='table' if var('id', 1) == 1 else 'view') }} "
        "select {{ var('id', 1) }} as id, {{ 'nowhere' if var('fail', false) else 1 }} as c"
    ),
    "models/merged.sql": (
        "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', "
        "on_schema_change='sync_all_columns') }} select {{ var('id', 1) }} as id, {{ value() }} as c"
        "{% if var('id', 1) == 3 %}, 'new' as d{% else %}, 1 as gone{% endif %}"
    ),
    "models/ruled.sql": (
        "{{ config(materialized='table') }} "
        "select {{ 99 if var('fail', false) else var('id', 1) }} as id, cast(null as string) as note"
    ),
    "models/ruled_files.sql": (
        "{{ config(materialized='table', file_format='parquet') }} "
        "select {{ 99 if var('fail', false) else var('id', 1) }} as id, cast(null as string) as note"
    ),
    "models/ruled.yml": yaml.safe_dump(
        {
            "models": [
                {
                    "name": name,
                    "config": {"contract": {"enforced": True}},
                    "constraints": [{"type": "check", "name": "small", "expression": "id < 10"}],
                    "columns": [
                        {"name": "id", "data_type": "int", "constraints": [{"type": "not_null"}]},
                        {"name": "note", "data_type": "string"},
                    ],
                }
                for name in ("ruled", "ruled_files")
            ]
        }
    ),
    "snapshots/kept.sql": (
        "{% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols='all') }} "
        "select 1 as id, {{ var('id', 1) }} as v, {{ value() }} as c{% endsnapshot %}"
    ),
    "snapshots/gone.sql": (
        "{% snapshot gone %}"
        "{{ config(unique_key='id', strategy='check', check_cols='all', hard_deletes='new_record') }} "
        "select 1 as id, 'a' as v union all select 2, 'b' where {{ var('id', 1) }} = 1{% endsnapshot %}"
    ),
    "seeds/many.csv": "id,name,day,price\n"
    + "".join(f"{n},it's \\ {n} é $x,2024-01-{n % 28 + 1:02d},{n}.5\n" for n in range(20_000)),
    "seeds/few.csv": "id,p\n1,a\n2,null\n",
    "seeds/codes.csv": "id,p\n1,a\n2,null\n",
    "seeds/seeds.yml": (
        "seeds:\n  - name: many\n"
        "    config: {column_types: {name: \"{{ 'int' if var('fail', false) else 'string' }}\"}}\n"
        "    description: it's many\n  - name: few\n    config: {file_format: parquet}\n"
    ),
    "models/batches/events.sql": (
        "{{ config(materialized='view', event_time='ts') }} select cast(id as int) as id, "
        "timestamp'2024-01-01' + make_interval(0, 0, 0, 0, cast(id as int)) as ts, "
        "{{ var('round', 1) }} as round from range(0, 96, 6)"
    ),
    **{
        f"models/batches/by_{name}.sql": (
            "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', "
            f"batch_size='day', begin='2024-01-01', concurrent_batches=true{config}) }}}} "
            f"select id, cast(ts as {kind}) as at, round from {{{{ ref('events') }}}}"
        )
        for name, kind, config in (
            ("date", "date", ""),
            ("ntz", "timestamp_ntz", ""),
            ("timestamp", "timestamp", ""),
            ("partition", "date", ", partition_by='at'"),
            ("files", "date", ", partition_by='at', file_format='parquet'"),
        )
    },
}
BATCHED = ("by_date", "by_ntz", "by_timestamp", "by_partition", "by_files")
WINDOW = ("--event-time-start", "2024-01-01", "--event-time-end", "2024-01-05")


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The project, built once with id 1; the tests go on from each other's state, in their order."""
    project = small_project(tmp_path_factory.mktemp("things"), FILES, host=host)
    done = run(project, "build", "--exclude", "models/batches")
    assert done.returncode == 0, done.stdout[-6000:]
    return project


def run(project: Project, *arguments: str, **values: Any) -> Any:
    """dbt, with variables."""
    return project.dbt(*arguments, "--vars", yaml.safe_dump(values), OUTSIDE=str(project.root / "outside"))


def ids(project: Project, *names: str) -> dict[str, list[Any]]:
    """The ids that each table or view has."""
    return {name: sorted(row[0] for row in project.sql(f"select id from things.{name}")) for name in names}


def leftovers(project: Project) -> list[str]:
    """Relations of dbt's own in the schema."""
    return [row[1] for row in project.sql("show tables in things") if "__dbt" in row[1]]


REPLACED = ("plain", "files", "outside", "moved", "was_view", "was_table", "ruled", "ruled_files")


def test_the_first_run(things: Project) -> None:
    assert ids(things, *REPLACED) == {key: [1] for key in REPLACED}
    assert leftovers(things) == []
    formats = {row[0]: row[1] for row in things.sql("describe table extended things.plain")}
    assert formats["Provider"] == "delta"
    assert things.sql("select count(*), max(name), min(day), sum(price) from things.many") == [
        (20_000, "it's \\ 9999 é $x", "2024-01-01", 200_000_000.0)
    ]
    types = [row[1] for row in things.sql("describe things.many")]
    assert types == ["bigint", "string", "date", "double"]
    assert things.sql("select * from things.few order by id") == [(1, "a"), (2, None)]


def test_a_failed_run_leaves_everything_as_it_was(things: Project) -> None:
    """Rows that can't be computed, rows against a rule, a seed of the wrong type, a view of nothing."""
    # As a killed run would have left it.
    things.sql("create table things.files__dbt_aside using parquet as select 1 as old")
    before = things.sql("select * from things.kept")
    done = run(things, "build", "--exclude", "models/batches", "few", id=2, fail=True)
    assert "ERROR=11" in done.stdout, done.stdout[-4000:]
    assert ids(things, *REPLACED, "merged") == {key: [1] for key in (*REPLACED, "merged")}
    assert things.sql("select * from things.kept") == before
    assert things.sql("select count(*) from things.many") == [(20_000,)]
    assert leftovers(things) == []
    assert "CHECK constraint small (id < 10) violated" in done.stdout


def test_the_next_run_replaces_it(things: Project) -> None:
    """A table by a view and the other way, files by files, clustered by partitioned."""
    done = run(things, "build", "--exclude", "models/batches", id=2)
    assert done.returncode == 0, done.stdout[-4000:]
    assert ids(things, *REPLACED) == {key: [2] for key in REPLACED}
    assert ids(things, "merged") == {"merged": [1, 2]}
    assert leftovers(things) == []
    views = {row[1] for row in things.sql("show views in things")}
    assert views == {"was_table"}
    assert sorted(row[1] for row in things.sql("select id, v from things.kept where dbt_valid_to is null")) == [2]
    assert things.sql("select count(*) from things.kept") == [(2,)]
    deleted = things.sql("select id, v, dbt_is_deleted from things.gone where id = 2 order by dbt_valid_from")
    assert deleted == [(2, "b", "False"), (2, "b", "True")]
    partitions = things.sql("describe detail things.moved")[0]
    assert '["id"]' in partitions


def test_columns_come_and_go_with_the_model(things: Project) -> None:
    done = run(things, "run", "--select", "merged", "outside", id=3)
    assert done.returncode == 0, done.stdout[-4000:]
    assert [row[0] for row in things.sql("describe things.merged")] == ["id", "c", "d"]
    assert things.sql("select id, d from things.merged order by id") == [(1, None), (2, None), (3, "new")]
    assert ids(things, "outside") == {"outside": [3]}


def test_constraints_hold_for_later_writers_too(things: Project) -> None:
    properties = {row[0]: row[1] for row in things.sql("show tblproperties things.ruled")}
    assert properties["delta.constraints.small"] == "id < 10"
    assert properties["delta.constraints.id_not_null"] == "`id` is not null"


def batches(project: Project) -> dict[str, list[Any]]:
    """How many rows each batched table has, of which round and on how many days."""
    query = "select count(*), count(distinct id), min(round), max(round), count(distinct date(at)) from things."
    return {name: project.sql(query + name) for name in BATCHED}


def test_batches_side_by_side_and_again(things: Project) -> None:
    """Dates, timestamps with and without zone; a batch that is run again replaces its own rows only."""
    done = run(things, "run", "--select", "models/batches", *WINDOW)
    assert done.returncode == 0, done.stdout[-4000:]
    whole = [(16, 16, 1, 1, 4)]
    assert batches(things) == dict.fromkeys(BATCHED, whole)
    again = run(things, "run", "--select", "models/batches", *WINDOW, round=2)
    assert again.returncode == 0, again.stdout[-4000:]
    assert batches(things) == {key: [(16, 16, 2, 2, 4)] for key in BATCHED}
    one = ("--event-time-start", "2024-01-03", "--event-time-end", "2024-01-04")
    assert run(things, "run", "--select", "events", "by_ntz", *one, round=3).returncode == 0
    assert things.sql("select round, count(*) from things.by_ntz group by round order by round") == [(2, 12), (3, 4)]


def test_the_newest_day_is_asked_of_a_table(things: Project) -> None:
    """What incremental models ask; Delta's short cut for it fails in a Thrift session."""
    assert things.sql("select max(day) from things.many") == [("2024-01-28",)]


def test_no_rows_with_empty(things: Project) -> None:
    done = run(things, "build", "--select", "few", "--empty")
    assert "INSERT 0" in done.stdout, done.stdout[-3000:]
    assert things.sql("select count(*) from things.few") == [(0,)]
    assert [row[1] for row in things.sql("describe things.few")] == ["bigint", "string"]


def test_a_seed_that_is_as_it_would_be_loaded_stays(things: Project) -> None:
    """No commit for the same file; one after another writer, for another file, and for a full refresh."""

    def seeded(*arguments: str) -> tuple[int, list[Any]]:
        before = len(things.sql("describe history things.codes"))
        assert run(things, "seed", "--select", "codes", *arguments).returncode == 0
        return len(things.sql("describe history things.codes")) - before, ids(things, "codes")["codes"]

    assert seeded() == (0, [1, 2])
    things.sql("insert into things.codes values (3, 'by hand')")
    assert seeded() == (1, [1, 2])
    path = things.root / "seeds" / "codes.csv"
    with edited(path, path.read_text() + "4,d\n"):
        assert seeded() == (1, [1, 2, 4])
    assert seeded() == (1, [1, 2])
    assert seeded("--full-refresh") == (1, [1, 2])


def test_debug_succeeds(things: Project) -> None:
    """It has a profile instead of a project, and writes no artifacts."""
    done = run(things, "debug")
    assert done.returncode == 0 and "All checks passed" in done.stdout, done.stdout
    assert "Traceback" not in done.stdout
