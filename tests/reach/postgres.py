"""A PostgreSQL server for the tests: the machine's package, on loopback, with a password."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.reach.processes import free_port
from tests.support.polling import wait_until

USER, PASSWORD = "reach_user", "reach-Secret-31"


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        port: on loopback.
        programs: folder of psql and the rest.
    """

    port: int
    programs: Path

    @property
    def address(self) -> str:
        """Return the value of the setting `metastore` for a database."""
        return f"postgresql://127.0.0.1:{self.port}/metastore"

    @property
    def login(self) -> dict[str, str]:
        """Environment variables that the setting needs."""
        return {"PENSTOCK_METASTORE_USER": USER, "PENSTOCK_METASTORE_PASSWORD": PASSWORD}

    def sql(self, statement: str, database: str = "metastore") -> str:
        """Return psql's output without a frame."""
        at = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        done = subprocess.run(
            [str(self.programs / "psql"), *at, "-At", "-c", statement],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def programs() -> Path | None:
    """Return the folder of the newest installed PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(where: Path) -> Iterator[Postgres]:
    """Run a server with an empty database `metastore` inside the block, then remove its folder.

    Args:
        where: folder of its programs.
    """
    # PostgreSQL refuses to run as root.
    nobody = pwd.getpwnam("nobody")
    user, group = (nobody.pw_uid, nobody.pw_gid) if os.getuid() == 0 else (None, None)
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    port = free_port()
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        for path in (folder, secret):
            os.chown(path, -1 if user is None else user, -1 if group is None else group)
        made = ["initdb", "-D", str(folder / "data"), "-U", USER, "--auth=scram-sha-256", f"--pwfile={secret}", "-N"]
        done = subprocess.run(
            [str(where / made[0]), *made[1:]], user=user, group=group, cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        options = ["-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
        with (folder / "log").open("w") as log:
            command = [str(where / "postgres"), *options]
            server = subprocess.Popen(command, user=user, group=group, cwd=folder, stdout=log, stderr=log)
        try:
            made_one = Postgres(port, where)

            def is_ready() -> bool:
                assert server.poll() is None, (folder / "log").read_text()
                ready = [str(where / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
                return subprocess.run(ready).returncode == 0

            wait_until(is_ready, "PostgreSQL is ready")
            made_one.sql("create database metastore", "postgres")
            yield made_one
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
