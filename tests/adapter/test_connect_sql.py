"""SQL over Spark Connect (`method: connect`) on a real server: nodes of each type, settings, errors, cancellation."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.spark.server import control
from tests.adapter.relay import relay
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import Project, small_project
from tests.support.spark_ui import api

# Minutes of work; and some seconds of it.
ENDLESS = "from range(0, 2000000000000, 1, 4) where sha2(cast(id as string), 256) > 'f'"
SOME = "from range(0, 3000000, 1, 2) where sha2(cast(id as string), 256) > 'f'"
SHUFFLE = "spark.sql.shuffle.partitions"
SETTING = f'{{{{ run_query("set {SHUFFLE}").rows[0][1] if execute }}}}'
VALUES = (
    "select true as b, cast(0.1 as float) as f, 1.50 as d, 'x' as s, X'C3A9' as bin, date'2024-01-02' as dt, "
    "timestamp'2024-01-02 03:04:05.6' as ts, timestamp_ntz'2024-01-02 03:04:05' as ntz, array('x', null) as a, "
    "map('k', 1) as m, named_struct('x', 1.0D, 'y', array(date'2024-01-02')) as st, cast(null as date) as n, "
    "interval '1 02:03:04' day to second as i, cast(12345678901234567890.12 as decimal(38, 2)) as big"
)
FILES = {
    "dbt_project.yml": """
name: small
version: 1.0.0
profile: small
flags: {send_anonymous_usage_stats: false}
models: {small: {+materialized: table}}
""",
    "seeds/zones.csv": "id,name,since\n1,a,2024-01-01\n2,,2024-01-02\n",
    "snapshots/zones_then.sql": """
{% snapshot zones_then %}
{{ config(unique_key='id', strategy='check', check_cols='all', target_schema='small') }}
select * from {{ ref('zones') }}
{% endsnapshot %}
""",
    "models/plain.sql": "select id, name from {{ ref('zones') }}",
    "models/shown.sql": "{{ config(materialized='view') }} select id from {{ ref('plain') }}",
    "models/merged.sql": "{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }} "
    "select id, {% if is_incremental() %} 'new' {% else %} 'old' {% endif %} as state from {{ ref('shown') }}",
    "models/tuned.sql": f"{{{{ config(spark_conf={{'{SHUFFLE}': 7}}) }}}} select 1 as id",
    "models/temporary.sql": "{{ config(pre_hook='create temporary view five as select 5 as id') }} select * from five",
    "models/frame.py": "def model(dbt, session):\n    return dbt.ref('merged')\n",
    "models/models.yml": """
models:
  - name: plain
    columns: [{name: id, data_tests: [unique]}, {name: name, data_tests: [{not_null: {config: {severity: warn}}}]}]
unit_tests:
  - name: shows_ids
    model: shown
    given: [{input: ref('plain'), rows: [{id: 7, name: x}]}]
    expect: {rows: [{id: 7}]}
""",
    "macros/values.sql": f"""
{{% macro values() %}}
  {{%- set table = run_query("{VALUES}") -%}}
  {{%- for value in table.rows[0] %}}{{{{ log(table.column_names[loop.index0] ~ '=' ~ value, info=true) }}}}
  {{%- endfor -%}}
{{% endmacro %}}
{{% macro settings() %}}{{{{ log('partitions=' ~ run_query("set {SHUFFLE}").rows[0][1], info=true) }}}}{{% endmacro %}}
""",
    "broken/fails.sql": "select cast(raise_error('on purpose') as int) as id from {{ ref('zones') }}",
    "broken/missing.sql": "select * from small.no_such_table",
    "broken/unknown.sql": "{{ config(spark_conf={'spark.sql.shufle.partitions': 8}) }} select 1 as id",
    "broken/static.sql": "{{ config(spark_conf={'spark.sql.warehouse.dir': 'x'}) }} select 1 as id",
    "slow/kept.sql": "{{ config(materialized='incremental', incremental_strategy='append') }} "
    f"select count(*) as n {{% if is_incremental() %}} {ENDLESS} {{% endif %}}",
    "slow/slow.sql": "{{ config(materialized='incremental', incremental_strategy='append') }} "
    f"select count(*) as n {{% if is_incremental() %}} {SOME} {{% endif %}}",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """A project whose default target is `connect`; the target `thrift` is the same server over Thrift."""
    made = small_project(tmp_path_factory.mktemp("connect") / "project", FILES, host=host)
    targets(made)
    return made


def targets(project: Project, **more: dict[str, Any]) -> None:
    """Write the profile. The folders `broken` and `slow` are no model paths until `with_folder` adds them."""
    shared = {"type": "penstock", "schema": "small", "threads": 2}
    more = {"connect": {"method": "connect"}, "thrift": {}, "quick": {"method": "connect", "query_timeout": 2}, **more}
    outputs = {name: {**shared, **keys} for name, keys in more.items()}
    (project.root / "profiles.yml").write_text(yaml.safe_dump({"small": {"target": "connect", "outputs": outputs}}))


def with_folder(project: Project, folder: str) -> None:
    """Make a folder a model path."""
    file = project.root / "dbt_project.yml"
    file.write_text(FILES["dbt_project.yml"] + f"model-paths: [models, {folder}]\n")


def url(project: Project, port: int = 0, token: str = "") -> str:
    """Return the address of the project's server as one that somebody else runs."""
    running = control.current(project.settings)
    assert running
    return f"sc://localhost:{port or running.ports.connect}/;token={token or running.token}"


def one_line(text: str) -> str:
    """dbt's output without its line breaks."""
    return " ".join(text.split())


def has_job(project: Project, node: str) -> bool:
    """Return whether a job of a node runs."""
    running = api(project, "jobs?status=running")
    return any(f"_Tag_model.small.{node}:" in tag for job in running for tag in job["jobTags"])


@pytest.mark.core
def test_nodes_of_each_type_are_built(project: Project) -> None:
    """Twice; the rows are those that Thrift reads."""
    for expected in ("old", "new"):
        done = project.dbt("build")
        assert done.returncode == 0, done.stdout
        assert "ERROR=0" in done.stdout and "WARN=1" in done.stdout, done.stdout
        assert project.sql("select * from small.merged order by id") == [(1, expected), (2, expected)]
    assert project.sql("select * from small.frame order by id") == [(1, "new"), (2, "new")]
    assert project.sql("select id, name, cast(since as string) from small.zones order by id") == [
        (1, "a", "2024-01-01"),
        (2, None, "2024-01-02"),
    ]
    assert project.sql("select id from small.temporary") == [(5,)]
    assert project.sql("select count(*) from small.zones_then where dbt_valid_to is null") == [(2,)]


def test_plans_are_captured(project: Project) -> None:
    """EXPLAIN, and the executed plan of the statement that wrote the table."""
    targets(project, planned={"method": "connect", "keep_plans": True})
    assert project.dbt("run", "--select", "plain", "--target", "planned").returncode == 0
    shown = project.penstock("explain", "plain")
    assert shown.returncode == 0 and "zones" in shown.stdout, shown.stdout
    text = next((project.root / "target" / "plans").rglob("*plain*.json")).read_text()
    assert yaml.safe_load(text)["executed"], text


def test_values_and_settings_are_those_of_thrift(project: Project) -> None:
    """What a macro reads with `run_query`, and what `dbt show` prints."""

    def lines(*arguments: str) -> list[str]:
        done = project.dbt("--quiet", *arguments)
        assert done.returncode == 0, done.stdout
        return [line.split("  ")[-1] for line in done.stdout.splitlines() if "=" in line or "|" in line]

    for command in (
        ["--log-level", "info", "run-operation", "values"],
        ["--log-level", "info", "run-operation", "settings"],
        ["show", "--output", "text", "--inline", VALUES],
    ):
        found = [lines(*command, "--target", target) for target in ("connect", "thrift")]
        assert found[0] == found[1]


def test_docs_generate_reads_the_catalog(project: Project) -> None:
    """Columns and sizes."""
    done = project.dbt("docs", "generate")
    assert done.returncode == 0, done.stdout
    catalog = yaml.safe_load((project.root / "target" / "catalog.json").read_text())
    assert set(catalog["nodes"]["model.small.plain"]["columns"]) == {"id", "name"}


def test_debug_names_the_method(project: Project) -> None:
    """`dbt debug`."""
    done = project.dbt("debug")
    assert done.returncode == 0 and "method: connect" in done.stdout, done.stdout
    assert "Traceback" not in done.stdout


def test_errors_are_those_of_thrift(project: Project) -> None:
    """Spark's message with its root cause, and no stack frames or gRPC."""
    with_folder(project, "broken")

    def errors(target: str) -> set[str]:
        done = project.dbt("run", "--select", "path:broken", "--target", target)
        assert done.returncode == 1
        text = done.stdout.split("Completed with")[1].split("Done.")[0].replace("Thrift session", "Connect session")
        assert "Traceback" not in text and "JVM stacktrace" not in text and "grpc" not in text.lower(), text
        return {line.split("  ", 1)[-1].strip() for line in text.splitlines() if "attribute" not in line}

    found = errors("connect")
    text = " ".join(found)
    assert "caused by: [USER_RAISED_EXCEPTION] on purpose" in text
    assert "write `spark.sql.shuffle.partitions`" in text and "CANNOT_MODIFY_STATIC_CONFIG" in text
    assert {line.replace("Spark Connect session", "Connect session") for line in found} == errors("thrift")


def test_the_settings_of_a_node_reach_its_session(project: Project) -> None:
    """And only its session."""
    tuned = project.root / "models" / "tuned.sql"
    before = tuned.read_text()
    tuned.write_text(before.replace("select 1 as id", "select '{{ model.name }}' as id") + " /* tuned */")
    macro = project.root / "macros" / "note.sql"
    macro.write_text(f"{{% macro note() %}}insert into small.notes values ('{SETTING}'){{% endmacro %}}")
    tuned.write_text(tuned.read_text().replace(") }}", ", post_hook='{{ note() }}') }}", 1))
    project.sql("create or replace table small.notes (partitions string) using delta")
    done = project.dbt("run", "--select", "tuned")
    assert done.returncode == 0, done.stdout
    assert project.sql("select * from small.notes") == [("7",)]
    tuned.write_text(before)


@pytest.fixture(scope="module")
def kept(project: Project) -> str:
    """A table whose next run takes minutes; its rows are what they were, whatever becomes of that run."""
    with_folder(project, "slow")
    done = project.dbt("run", "--select", "kept slow")
    assert done.returncode == 0, done.stdout
    return "kept"


@pytest.mark.core
def test_an_interrupt_ends_what_runs_on_the_server(project: Project, kept: str) -> None:
    """Ctrl-C."""
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "dbt"), "--no-use-colors", "run", "--select", kept],
        cwd=project.root,
        env={key: value for key, value in os.environ.items() if not key.startswith("DBT_")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_until(lambda: has_job(project, kept), "the model's job")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    assert f"CANCEL query model.small.{kept}" in output
    wait_until(lambda: not has_job(project, kept), "the end of the model's jobs")
    assert project.sql("select * from small.kept") == [(1,)]


def test_a_statement_over_its_time_is_cancelled(project: Project, kept: str) -> None:
    """`query_timeout`."""
    done = project.dbt("run", "--select", kept, "--target", "quick")
    assert done.returncode == 1
    assert "Query exceeded timeout of 2 seconds" in one_line(done.stdout), done.stdout
    wait_until(lambda: not has_job(project, kept), "the end of the model's jobs")
    assert project.sql("select * from small.kept") == [(1,)]


def test_a_statement_goes_on_when_its_connection_is_cut(project: Project, kept: str) -> None:
    """pyspark attaches to the running statement again, so a statement that writes runs once."""
    running = control.current(project.settings)
    assert running
    with relay(running.ports.connect) as between:
        targets(project, cut={"method": "connect", "connect_url": url(project, between.port)})
        process = project.start("dbt", "run", "--select", "slow", "--target", "cut")
        wait_until(lambda: has_job(project, "slow"), "the model's job")
        between.cut()
        output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, output
    assert project.sql("select count(*) from small.slow") == [(2,)]


def test_a_remote_server_over_connect_alone_runs_sql_and_python(project: Project, tmp_path: Path) -> None:
    """From a project without a server; nothing is started for it."""
    files = {
        "models/far.sql": "select 1 as id",
        "models/far_frame.py": "def model(dbt, session):\n    return dbt.ref('far')\n",
    }
    profile = {"method": "connect", "connect_url": url(project), "schema": "far"}
    other = small_project(tmp_path / "other", files, profile)
    done = other.dbt("build")
    assert done.returncode == 0, done.stdout
    assert control.current(other.settings) is None
    assert project.sql("select * from far.far_frame") == [(1,)]


def test_a_server_that_is_not_there_or_refuses_the_token_is_named(project: Project) -> None:
    """In three parts, without the token."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    for address, message in (
        (url(project, free, "hidden"), f"needed: Spark Connect at localhost:{free}. found: nothing listens there"),
        (url(project, token="hidden"), "needed: a login at Spark Connect at localhost"),
    ):
        targets(project, gone={"method": "connect", "connect_url": address})
        done = project.dbt("run", "--select", "plain", "--target", "gone")
        assert done.returncode != 0
        assert message in one_line(done.stdout), done.stdout
        assert "Traceback" not in done.stdout and "hidden" not in done.stdout


def test_a_large_seed_is_sent_in_messages_that_the_server_accepts(project: Project) -> None:
    """20 MB; gRPC's messages are limited."""
    rows = "".join(f"{number},{'x' * 190}\n" for number in range(100_000))
    (project.root / "seeds" / "large.csv").write_text(f"id,text\n{rows}")
    done = project.dbt("seed", "--select", "large")
    assert done.returncode == 0, done.stdout
    assert project.sql("select count(*), sum(id), sum(length(text)) from small.large") == [
        (100_000, 4_999_950_000, 19_000_000)
    ]
