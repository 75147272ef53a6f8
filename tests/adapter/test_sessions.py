"""SQL over Thrift on a real server: lost connections, cancelled statements, a node's settings, as in Python."""

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

from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.error_messages import error_message
from dbt.adapters.penstock.python_submissions import connect_session as connect
from dbt.adapters.penstock.sessions import open_session
from penstock.spark.access import secret
from penstock.spark.server import control
from tests.adapter.relay import relay
from tests.support.polling import LIMIT
from tests.support.projects import Project, small_project
from tests.support.spark_ui import api, jobs, wait_for_job, wait_for_no_job

SHUFFLE = "spark.sql.shuffle.partitions"
# Minutes of work; and some seconds of it.
ENDLESS = "from range(0, 2000000000000, 1, 4) where sha2(cast(id as string), 256) > 'f'"
SOME = "from range(0, 3000000, 1, 2) where sha2(cast(id as string), 256) > 'f'"
ANSWER = f"select 42 + 0 * count(*) as answer {SOME}"
NOTE = "{{ config(post_hook='{{ note() }}') }} "
FILES = {
    "macros/note.sql": f"""
{{% macro note() %}}
  {{%- set value = run_query('set {SHUFFLE}').rows[0][1] if execute -%}}
  insert into small.notes values ('{{{{ model.name }}}}', '{{{{ value }}}}')
{{% endmacro %}}
""",
    "dbt_project.yml": f"""
name: small
version: 1.0.0
profile: small
flags: {{send_anonymous_usage_stats: false}}
on-run-start: create table if not exists small.notes (name string, value string) using delta
models:
  small:
    +materialized: table
    +file_format: delta
    tuned: {{+spark_conf: {{{SHUFFLE}: 7, spark.sql.ansi.enabled: false}}}}
seeds: {{small: {{+file_format: delta, +spark_conf: {{{SHUFFLE}: 8}}, +post-hook: "{{{{ note() }}}}"}}}}
""",
    "seeds/zones.csv": "id,name\n1,a\n",
    "snapshots/zones_then.sql": f"""
{{% snapshot zones_then %}}
{{{{ config(unique_key='id', strategy='check', check_cols='all', file_format='delta', target_schema='small',
     spark_conf={{'{SHUFFLE}': 9}}, post_hook='{{{{ note() }}}}') }}}}
select * from {{{{ ref('zones') }}}}
{{% endsnapshot %}}
""",
    "models/a_plain.sql": NOTE + "select 1 as id",
    "models/tuned/b_folder.sql": NOTE + "select id, 1 / 0 as x from {{ ref('a_plain') }}",
    "models/tuned/c_model.sql": f"{{{{ config(spark_conf={{'{SHUFFLE}': 6}}) }}}}"
    + NOTE
    + "select id, 1 / 0 as x from {{ ref('b_folder') }}",
    "models/d_plain.sql": NOTE + "select id from {{ ref('c_model') }}",
    "models/tuned/e_fails.sql": NOTE + "select cast(raise_error('on purpose') as int) as id",
    "models/f_plain.sql": NOTE + "select 1 as id",
    "models/static.sql": "{{ config(spark_conf={'spark.sql.warehouse.dir': 'x'}) }} select 1 as id",
    "models/unknown.sql": "{{ config(spark_conf={'spark.sql.shufle.partitions': 8}) }} select 1 as id",
    "models/kept.sql": "{{ config(materialized='incremental', incremental_strategy='append') }} "
    f"select count(*) as n {{% if is_incremental() %}} {ENDLESS} {{% endif %}}",
    "models/zone.sql": "select current_timezone() as zone, cast(timestamp'2024-07-01 12:00:00' as string) as noon",
    "models/zone_py.py": """
def model(dbt, session):
    return session.sql("select current_timezone() as zone, cast(timestamp'2024-07-01 12:00:00' as string) as noon")
""",
    "tests/divides.sql": "{{ config(spark_conf={'spark.sql.ansi.enabled': false}) }} "
    "select 1 / 0 as x from (select 1) where 1 / 0 is not null",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """A project whose profile has other ways to the same server."""
    made = small_project(tmp_path_factory.mktemp("sessions") / "project", FILES, host=host)
    made.sql("create schema small")
    targets(made)
    return made


def targets(project: Project, **more: dict[str, Any]) -> None:
    """Write the profile: `dev`, the project's own server, and other targets."""
    shared = {"type": "penstock", "schema": "small", "threads": 1}
    more = {
        "paris": {"server_side_parameters": {"spark.sql.session.timeZone": "Europe/Paris"}},
        "quick": {"query_timeout": 1},
        **more,
    }
    outputs = {"dev": shared, **{name: {**shared, **keys} for name, keys in more.items()}}
    (project.root / "profiles.yml").write_text(yaml.safe_dump({"small": {"target": "dev", "outputs": outputs}}))


def port(project: Project) -> int:
    """Where the server's Thrift is now."""
    running = control.current(project.settings)
    assert running
    return running.ports.thrift


def remote(project: Project, at: int) -> dict[str, Any]:
    """Keys of a target that reaches the project's server as one that somebody else runs."""
    running = control.current(project.settings)
    assert running
    login = {"auth": "CUSTOM", "user": secret.USER, "password": running.token}
    return {"host": "127.0.0.1", "port": at, **login}


def program(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """The program dbt, beside the test: what a person's Ctrl-C reaches."""
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "dbt"), "--no-use-colors", *arguments],
        cwd=project.root,
        env={k: v for k, v in os.environ.items() if not k.startswith("DBT_")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def in_one_line(text: str) -> str:
    """dbt's output without its line breaks."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def kept(project: Project) -> str:
    """A table whose next run takes minutes; its rows are what they were, whatever becomes of that run."""
    done = project.dbt("run", "--select", "kept")
    assert done.returncode == 0, done.stdout
    return "kept"


def test_a_nodes_settings_hold_for_it_alone(project: Project) -> None:
    """Folder and model put together; the next node has the server's, after a failure too; one thread runs all."""
    default = project.sql(f"set {SHUFFLE}")[0][1]
    done = project.dbt("build", "--threads", "1", "--exclude", "kept", "zone", "zone_py", "static", "unknown")
    assert "ERROR=1 SKIP=0" in done.stdout, done.stdout
    assert "[USER_RAISED_EXCEPTION] on purpose" in done.stdout
    order = [line.split("small.")[1].split()[0] for line in done.stdout.splitlines() if "START sql" in line]
    assert order.index("e_fails") < order.index("f_plain")
    assert dict(project.sql("select * from small.notes")) == {
        "a_plain": default,
        "b_folder": "7",
        "c_model": "6",
        "d_plain": default,
        "f_plain": default,
        "zones": "8",
        "zones_then": "9",
    }


def test_settings_that_a_session_can_not_have_are_refused_by_name(project: Project) -> None:
    """A static one belongs to the server; an unknown one would do nothing, in silence."""
    done = project.dbt("run", "--select", "static", "unknown", "f_plain")
    text = in_one_line(done.stdout)
    assert "PASS=2" in text and "ERROR=2" in text, done.stdout
    assert '"spark.sql.warehouse.dir"' in text and "move that setting to server.spark_conf in penstock.yml" in text
    assert f"`spark.sql.shufle.partitions`, which Spark doesn't have. do: write `{SHUFFLE}`" in text


def test_sparks_ui_names_the_node(project: Project) -> None:
    """At the head of every job and SQL execution of a model."""
    assert project.dbt("run", "--select", "f_plain").returncode == 0
    head = '/* {"node_id": "model.small.f_plain"'
    assert any(text.startswith(head) and "create " in text for text in jobs(project))
    assert any(item["description"].startswith(head) for item in api(project, "sql?length=10000"))


def test_a_statement_over_its_time_is_cancelled(project: Project, kept: str) -> None:
    """`query_timeout`; the server is free again and the table as before."""
    done = project.dbt("run", "--select", kept, "--target", "quick")
    assert done.returncode == 1
    assert "Query exceeded timeout of 1 seconds" in in_one_line(done.stdout), done.stdout
    wait_for_no_job(project, kept)
    assert project.sql("select * from small.kept") == [(1,)]


@pytest.mark.core
def test_an_interrupt_ends_what_runs_on_the_server(project: Project, kept: str) -> None:
    """Ctrl-C; what dbt prints then is its own."""
    process = program(project, "run", "--select", kept)
    wait_for_job(project, kept, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    assert f"CANCEL query model.small.{kept}" in output
    wait_for_no_job(project, kept)
    assert project.sql("select * from small.kept") == [(1,)]


def test_an_interrupt_outside_of_dbts_threads_ends_it_too(project: Project, kept: str) -> None:
    """One thread of all, which is the one that gets the signal."""
    process = program(project, "--single-threaded", "run", "--select", kept)
    wait_for_job(project, kept, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    wait_for_no_job(project, kept)


@pytest.mark.core
def test_an_insert_whose_connection_is_cut_is_sent_once(project: Project, kept: str) -> None:
    """Its outcome is unknown, and so it is said, with where to look."""
    with relay(port(project)) as between:
        targets(project, cut={**remote(project, between.port), "query_retries": 3})
        process = project.start("dbt", "run", "--select", kept, "--target", "cut")
        wait_for_job(project, kept, process)
        between.cut()
        output, _ = process.communicate(timeout=LIMIT)
        assert between.sent.count(b"insert into") == 1
    text = in_one_line(output)
    assert process.returncode == 1
    assert "needed: the server's answer to a statement of model.small.kept" in text, output
    assert "it was not sent again, and its outcome is unknown" in text
    assert "describe history" in text and "Traceback" not in text
    wait_for_no_job(project, kept)
    assert project.sql("select * from small.kept") == [(1,)]


def test_a_select_whose_connection_is_cut_is_answered(project: Project) -> None:
    """On a new session."""
    with relay(port(project)) as between:
        targets(project, cut=remote(project, between.port))
        process = project.start("dbt", "show", "--inline", ANSWER, "--target", "cut")
        wait_for_job(project, "answer", process)
        between.cut()
        output, _ = process.communicate(timeout=LIMIT)
        assert between.sent.count(b"as answer") == 2
    assert process.returncode == 0, output
    assert "42" in output


def test_a_remote_server_over_thrift_alone_runs_sql(project: Project, tmp_path: Path) -> None:
    """From a project without a server; nothing is started for it."""
    other = small_project(
        tmp_path / "other",
        {"models/far.sql": "select 1 as id"},
        {**remote(project, port(project)), "schema": "far"},
    )
    done = other.dbt("build")
    assert done.returncode == 0, done.stdout
    assert control.current(other.settings) is None
    assert project.sql("select * from far.far") == [(1,)]


def test_a_server_that_is_not_there_is_named(project: Project) -> None:
    """By host and port, without a stack."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    targets(project, gone={"host": "127.0.0.1", "port": free})
    done = project.dbt("run", "--select", "f_plain", "--target", "gone")
    text = in_one_line(done.stdout)
    assert done.returncode != 0
    assert f"needed: a Spark Thrift server at 127.0.0.1:{free}. found: nothing listens there" in text, done.stdout
    assert "Traceback" not in text


EXPRESSIONS = (
    *("2147483647 + 1", "cast(9223372036854775807 as bigint) + 1", "1 / 0", "1 % 0", "cast('x' as int)"),
    *("cast('1e3' as int)", "cast('2024-02-30' as date)", "to_date('30.02.2024')", "array(1, 2)[5]"),
    *("element_at(map('a', 1), 'b')", "cast(1e20 as decimal(10, 2))", "cast(1234567.891 as decimal(5, 2))"),
    *("cast(99999999999999999999999999999999999999 as decimal(38, 0)) * 10", "cast(300 as tinyint)"),
    *("timestamp'2024-03-31 00:30:00' + interval 2 hours", "unix_timestamp(timestamp'2024-07-01 12:00:00')"),
    *("timestamp'2024-07-01 12:00:00Z'", "to_timestamp('2024-07-01 12:00:00')", "date'2024-01-31' + interval 1 month"),
    *("current_timezone()", "typeof(timestamp'2024-07-01 12:00:00')", "typeof(1.0)", "typeof(1 / 2)"),
    *("cast(timestamp_ntz'2024-07-01 12:00:00' as timestamp)", "'a' = 1", "1 = '1'", "abs(-2147483648)"),
    *("concat('a', null)", "size(cast(null as array<int>))", "cast(true as int)", "make_date(2024, 13, 1)"),
)
SETTINGS = (
    *("spark.sql.ansi.enabled", "spark.sql.session.timeZone", "spark.sql.storeAssignmentPolicy"),
    *("spark.sql.timestampType", "spark.sql.legacy.timeParserPolicy", "spark.sql.caseSensitive"),
    *("spark.sql.shuffle.partitions", "spark.sql.sources.default", "spark.sql.sources.partitionOverwriteMode"),
    *("spark.sql.legacy.createHiveTableByDefault", "spark.sql.decimalOperations.allowPrecisionLoss"),
    *("spark.sql.ansi.enforceReservedKeywords", "spark.sql.ansi.doubleQuotedIdentifiers"),
    *("spark.sql.adaptive.enabled", "spark.sql.mapKeyDedupPolicy", "spark.sql.legacy.sizeOfNull"),
    *("spark.sql.catalog.spark_catalog", "spark.sql.warehouse.dir", "spark.sql.defaultCatalog"),
)


@pytest.mark.parametrize(
    "parameters", [{}, {"spark.sql.ansi.enabled": "false", "spark.sql.session.timeZone": "America/New_York"}]
)
def test_sql_and_python_agree(project: Project, parameters: dict[str, str]) -> None:
    """Values, or else error classes, of the same expressions, and the settings behind them."""
    credentials = PenstockCredentials(schema="small", server_side_parameters=parameters)
    object.__setattr__(credentials, "project_root", str(project.root))
    thrift = open_session(credentials).connection
    spark = connect.open_session(credentials, connect.url(credentials, "test"), "test")
    try:
        connect.configure(spark, credentials.server_side_parameters, "test")

        def by_sql(statement: str) -> str:
            try:
                cursor = thrift.cursor()
                cursor.execute(statement)
                return str(cursor.fetchall()[0][-1])
            except Exception as error:
                return error_message(error).split("[", 1)[1].split("]")[0]

        def by_python(statement: str) -> str:
            try:
                return str(spark.sql(statement).collect()[0][-1])
            except Exception as error:
                return str(error).split("[", 1)[1].split("]")[0]

        statements = [f"select cast({text} as string)" for text in EXPRESSIONS] + [f"set {key}" for key in SETTINGS]
        sql = {text: by_sql(text) for text in statements}
        assert sql == {text: by_python(text) for text in statements}
        ansi = not parameters
        assert sql["select cast(1 / 0 as string)"] == ("DIVIDE_BY_ZERO" if ansi else "None")
        assert sql["select cast(current_timezone() as string)"] == ("UTC" if ansi else "America/New_York")
    finally:
        thrift.close()
        spark.stop()


def test_the_profiles_settings_reach_sql_and_python_models(project: Project) -> None:
    """`server_side_parameters`."""
    done = project.dbt("run", "--select", "zone", "zone_py", "--target", "paris")
    assert done.returncode == 0, done.stdout
    expected = [("Europe/Paris", "2024-07-01 12:00:00")]
    assert project.sql("select * from small.zone") == project.sql("select * from small.zone_py") == expected


def test_a_server_killed_during_a_select_is_started_again_and_asked_again(project: Project) -> None:
    """The project's own server."""
    before = control.current(project.settings)
    assert before and before.spark
    process = project.start("dbt", "show", "--inline", ANSWER)
    wait_for_job(project, "answer", process)
    os.kill(before.spark.pid, signal.SIGKILL)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, output
    assert "42" in output
    after = control.current(project.settings)
    assert after and after.spark and after.spark.pid != before.spark.pid
