"""Who gets into the server of a built project, and what the doctor says of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from pyhive import hive

from penstock.spark.access.secret import ui_key
from penstock.spark.server import control
from tests.support import intruder
from tests.support.polling import LIMIT
from tests.support.projects import Project

CONNECT = """
import os, sys
from pyspark.sql import SparkSession
try:
    print(SparkSession.builder.remote(sys.argv[1]).create().range(1).count(), flush=True)
    os._exit(0)
except Exception as error:
    print(error, flush=True)
    os._exit(1)  # a session that was refused would be released, with retries, at a normal end
"""


def connect(port: int, token: str) -> tuple[int, str]:
    """Exit code and words of a client of its own."""
    command = [sys.executable, "-c", CONNECT, f"sc://localhost:{port}/;token={token}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    return done.returncode, done.stdout.strip()


def test_connect_asks_for_the_token(sampled: Project) -> None:
    """A wrong token is refused; the record with the right one is readable by its owner only."""
    server = control.current(sampled.settings)
    assert server
    record = sampled.settings.state_dir / "server.json"
    assert record.stat().st_mode & 0o077 == 0
    assert json.loads(record.read_text())["token"] == server.token
    tried = [connect(server.ports.connect, token) for token in (server.token, "wrong")]
    assert tried[0] == (0, "1")
    assert tried[1][0] == 1
    assert re.search("(?i)token|unauthenticated", tried[1][1])
    for process in server.processes:
        assert server.token not in " ".join(psutil.Process(process.pid).cmdline())


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@needs_root
def test_another_user_gets_into_no_port(sampled: Project) -> None:
    """Every port that a process of the server listens on, whichever it is, refuses in a way that is known."""
    server = control.current(sampled.settings)
    assert server
    served = intruder.listening([server.supervisor.pid])
    assert {server.ports.thrift, server.ports.connect, server.ports.metastore, server.ui_port} < set(served)
    found = intruder.intrude(served)["ports"]
    for port, name in served.items():
        assert not found[str(port)]["through"], (port, name)
        assert found[str(port)]["refused"], f"a port that nobody knows: {port} of {name}"


@needs_root
def test_another_user_reads_no_file_of_the_state(sampled: Project) -> None:
    """Secrets, logs, captured plans, work in progress: all that the state folder holds."""
    state, lake = sampled.settings.state_dir, sampled.settings.lake_dir
    assert isinstance(lake, Path)
    folders = [state, sampled.root / "target" / "plans", lake / ".staging"]
    files = [path for folder in folders for path in [folder, *folder.rglob("*")]]
    # Jars and archives of classes are links to the checkout's here, whose state is as private as this one.
    files = [path for path in files if not path.is_symlink()]
    assert state / "secret" in files and state / "logs" / "spark.log" in files and len(files) > 30
    found = intruder.intrude([], files)["files"]
    assert [path for path, read in found.items() if read] == []
    for folder in folders:
        assert folder.stat().st_mode & 0o077 == 0, folder
    for name in ("secret", "ui-key", "server.json", "logs/spark.log", "logs/metastore.log", "conf/spark-defaults.conf"):
        assert (state / name).stat().st_mode & 0o077 == 0, name


def test_tables_have_the_mode_that_the_users_umask_gives(sampled: Project) -> None:
    """The state is private, tables are as readable as any file of the user's."""
    umask = os.umask(0o022)
    os.umask(umask)
    tables = sampled.settings.warehouse_dir
    assert isinstance(tables, Path)
    (folder,) = tables.glob("warehouse.db/fct_trips")
    assert folder.stat().st_mode & 0o777 == 0o777 & ~umask


def test_the_secret_stands_where_only_its_owner_reads(sampled: Project) -> None:
    """Not on a command line, not on Spark's own pages, not in an environment that a child would pass on."""
    server = control.current(sampled.settings)
    assert server
    for process in [psutil.Process(server.supervisor.pid), *psutil.Process(server.supervisor.pid).children(True)]:
        assert server.token not in " ".join(process.cmdline())
        assert ui_key(server.token) not in " ".join(process.cmdline())
        assert server.token not in str(process.environ())
    for path in ("environment/", "api/v1/applications"):
        request = urllib.request.Request(
            f"{server.ui}/{path}", headers={"Authorization": f"Bearer {ui_key(server.token)}"}
        )
        with urllib.request.urlopen(request) as answer:
            text = answer.read().decode()
        assert server.token not in text and ui_key(server.token) not in text
    for row in sampled.sql("set"):
        assert ui_key(server.token) not in str(row)
    logs = "".join(path.read_text(errors="replace") for path in (sampled.settings.state_dir / "logs").glob("*"))
    assert server.token not in logs


def test_status_prints_what_other_programs_need(sampled: Project) -> None:
    """The secret only when it is asked for; then each line works as it stands."""
    server = control.current(sampled.settings)
    assert server
    assert server.token not in sampled.penstock("status").stdout
    shown = dict(
        re.split(r"  +", line, maxsplit=1)
        for line in sampled.penstock("status", "--show-secret").stdout.splitlines()
        if "  " in line
    )
    where = re.fullmatch(r"jdbc:hive2://([\d.]+):(\d+)/default;user=(.+);password=(.+)", shown["JDBC URL"])
    assert where
    login = {"username": where[3], "password": where[4], "auth": "LDAP"}
    with closing(hive.connect(host=where[1], port=int(where[2]), **login)) as connection:
        cursor = connection.cursor()
        cursor.execute("select count(*) from warehouse.dim_zones")
        assert cursor.fetchall()[0][0] > 200
    done = subprocess.run(
        [sys.executable, "-c", CONNECT, shown["Spark Connect"]], capture_output=True, text=True, timeout=LIMIT
    )
    assert done.stdout.strip() == "1", done.stdout
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(shown["Spark UI"]) as answer:
        assert "key=" not in answer.geturl()
    with browser.open(f"{server.ui}/environment/") as answer:
        assert "spark.app.name" in answer.read().decode()


def test_doctor_finds_nothing_wrong_here(sampled: Project) -> None:
    """On a machine where the build ran, doctor sees no fault and names the Java in use."""
    done = sampled.penstock("doctor")
    assert done.returncode == 0, done.stdout
    assert "Java" in done.stdout
    assert "bad" not in done.stdout
