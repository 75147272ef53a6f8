"""Iceberg catalogs beside Delta on one server: a REST catalog, a hadoop catalog, and the project's own metastore."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.spark.server import control
from tests.support.projects import Project, small_project
from tests.support.rest_catalog import rest_catalog

SECRET = "not-for-everyone"


@dataclass(frozen=True)
class Server:
    """A project whose server runs with catalogs."""

    project: Project
    authorizations: set[str] = field(default_factory=set)

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements, each in a new session, and return the rows of the last one, in order."""
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = self.project.sql(statement)
        return sorted(rows, key=str)

    def refusal(self, statement: str) -> str:
        """Run a statement that fails, and return Spark's message."""
        with pytest.raises(PenstockError) as caught:
            self.project.sql(statement)
        return caught.value.found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with three catalogs, one whose endpoint doesn't answer, and one that refuses every login."""
    folder = tmp_path_factory.mktemp("catalogs")
    authorizations: set[str] = set()

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            authorizations.add(str(self.headers["Authorization"]))
            self.send_error(401)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    with rest_catalog(folder / "rest") as rest, ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as refusing:
        threading.Thread(target=refusing.serve_forever, daemon=True).start()
        catalogs = {
            "ice": {"type": "rest", "uri": rest.uri},
            "files": {"type": "hadoop", "warehouse": "files"},
            "shared": {"type": "hive"},
            "gone": {"type": "rest", "uri": "http://127.0.0.1:1"},
            "closed": {"type": "rest", "uri": f"http://127.0.0.1:{refusing.server_port}"},
        }
        project = small_project(folder / "project", {}, memory="1g", catalogs=catalogs)
        try:
            up = project.penstock("up", PENSTOCK_CATALOG_ICE_TOKEN=SECRET, PENSTOCK_CATALOG_CLOSED_TOKEN=SECRET)
            assert up.returncode == 0, up.stdout
            found = Server(project, authorizations)
            found.run("create schema small", "create table small.zones using delta as select 1 as id, 'a' as zone")
            for name in ("ice", "files", "shared"):
                found.run(f"create schema {name}.db")
            yield found
        finally:
            control.down(project.settings)
            refusing.shutdown()


@pytest.mark.parametrize("catalog", ["ice", "files", "shared"])
def test_tables(server: Server, catalog: str) -> None:
    """Create, merge, overwrite, repartition and compact a table. Each session sees the others' commits at once."""
    table = f"{catalog}.db.trips"
    server.run(f"create table {table} (id int, zone string, ts timestamp) using iceberg")
    first = "select id, 'a' as zone, timestamp'2026-01-05' as ts from range(1, 3)"
    if catalog == "files":
        server.run(f"insert into {table} select cast(id as int), zone, ts from ({first})")
    else:
        server.run(
            f"create or replace table {table} using iceberg partitioned by (months(ts), bucket(4, id)) as {first}"
        )
    source = "select 2 as id, 'b' as zone union all select 3, 'c'"
    server.run(
        f"merge into {table} t using ({source}) s on t.id = s.id when matched then update set zone = s.zone "
        "when not matched then insert (id, zone, ts) values (s.id, s.zone, timestamp'2026-02-05')"
    )
    assert server.run(f"select id, zone from {table}") == [(1, "a"), (2, "b"), (3, "c")]
    server.run(f"alter table {table} add partition field truncate(1, zone)")
    server.run(f"insert overwrite {table} select * from {table} where id < 3")
    server.run(f"insert into {table} select 4, 'd', timestamp'2026-02-06'")
    server.run(f"call {catalog}.system.rewrite_data_files(table => 'db.trips', options => map('rewrite-all', 'true'))")
    joined = f"select t.id, z.zone from {table} t join small.zones z on t.id = z.id"
    assert server.run(joined) == [(1, "a")]
    assert server.run(f"select id from {table}") == [(1,), (2,), (4,)]
    operations = [row[0] for row in server.project.sql(f"select operation from {table}.snapshots")]
    assert operations[-1] == "replace", operations


@pytest.mark.parametrize("catalog", ["ice", "shared"])
def test_views(server: Server, catalog: str) -> None:
    """A view of a catalog may read Delta's tables, and a view of Delta's catalog Iceberg's."""
    server.run(f"create table {catalog}.db.base using iceberg as select 1 as id")
    server.run(
        f"create view {catalog}.db.both as "
        f"select b.id, z.zone from {catalog}.db.base b join spark_catalog.small.zones z on b.id = z.id"
    )
    server.run(f"create or replace view small.over_{catalog} as select * from {catalog}.db.both")
    assert server.run(f"select * from small.over_{catalog}") == [(1, "a")]
    assert [row[1] for row in server.run(f"show views in {catalog}.db")] == ["both"]


def test_delta_keeps_its_catalog(server: Server) -> None:
    server.run(
        "merge into small.zones t using (select 2 as id, 'b' as zone) s on t.id = s.id when not matched then insert *"
    )
    assert server.run("select id from small.zones") == [(1,), (2,)]
    assert server.run("describe detail small.zones")[0][0] == "delta"
    server.run("delete from small.zones where id = 2")


def test_renaming_a_table_takes_its_new_name_without_the_catalog(server: Server) -> None:
    """And renaming a view takes it with the catalog."""
    server.run("create table ice.db.old using iceberg as select 1 as id")
    assert "Namespace does not exist: ice.db" in server.refusal("alter table ice.db.old rename to ice.db.new")
    server.run("alter table ice.db.old rename to db.new")
    assert server.run("select * from ice.db.new") == [(1,)]
    server.run("create view ice.db.old_view as select 1 as id")
    assert "Cannot move view between catalogs" in server.refusal("alter view ice.db.old_view rename to db.new_view")
    server.run("alter view ice.db.old_view rename to ice.db.new_view")
    assert server.run("select * from ice.db.new_view") == [(1,)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("create view files.db.v as select 1 as id", "Creating a view is not supported by catalog: files"),
        ("alter table files.db.trips rename to db.other", "Cannot rename Hadoop tables"),
        ("show schemas in gone", "Error occurred while processing GET request"),
        ("create table ice.db.d using delta as select 1 as id", "Unsupported format in USING: delta"),
        ("create table small.i using iceberg as select 1 as id", "Cannot open table: path is not set"),
        ("drop schema ice.db cascade", "Namespace db is not empty"),
        ("vacuum ice.db.trips", "VACUUM is only supported for Delta tables"),
        ("create table ice.none.t using iceberg as select 1 as id", "Namespace none does not exist"),
    ],
)
def test_what_catalogs_refuse(server: Server, statement: str, message: str) -> None:
    """Spark's messages, which the adapter and docs/reference/catalogs.md know."""
    assert message in server.refusal(statement)


def test_a_catalog_gets_its_credential(server: Server) -> None:
    """A refused login is an error of the statement."""
    assert "NotAuthorizedException: Not authorized" in server.refusal("show schemas in closed")
    assert server.authorizations == {f"Bearer {SECRET}"}


def test_no_setting_shows_the_credential(server: Server) -> None:
    """The server's settings name the variable, and Spark hides even that. No file of the project has the credential."""
    shown = server.run("set spark.sql.catalog.ice.token")
    assert shown == [("spark.sql.catalog.ice.token", "*********(redacted)")]
    assert SECRET not in str(server.run("set"))
    files = [path for path in server.project.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_status_and_doctor_name_the_catalogs(server: Server) -> None:
    status = server.project.penstock("status").stdout
    assert "catalog shared" in status and "Iceberg, hive" in status
    doctor = server.project.penstock("doctor").stdout
    assert "catalog gone: Iceberg, rest, http://127.0.0.1:1: no answer" in doctor
