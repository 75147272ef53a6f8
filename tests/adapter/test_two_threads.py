"""Two threads meet at one session: dbt ends, is interrupted or times out while a node's statement is under way.

A hundred rounds of each pair, at another point of the statement each time. Afterwards the node's thread
has ended with the reason, and the server has neither a session nor a running statement.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import ThreadPool
from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import sent_statement
from dbt.adapters.penstock.cancellation import CANCELLED, ENDED
from dbt.adapters.penstock.connection_handle import PenstockHandle
from dbt.adapters.penstock.connections import PenstockConnectionManager
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.python_submissions import connect, executions
from dbt.adapters.penstock.python_submissions import connect_session as spark_session
from dbt.adapters.penstock.sessions import open_session
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import Project, small_project
from tests.support.spark_ui import jobs, sessions

ROUNDS = 100
AT_ONCE = 10
ENDLESS = "select count(*) from range(0, 2000000000000, 1, 1) where sha2(cast(id as string), 256) > 'f'"
# What a node's thread does again and again: wait for the server, fetch pages of rows, many short statements.
# The first has one stage: Spark submits no other one while it is cancelled.
WORK = ("select id from range(0, 2000000000000, 1, 1) where id < 0", "select id from range(3000)", "select 1")
TWO = """
{% if execute %}{% do run_query("TEXT") %}{% endif %}
select 1 as id
"""
FILES = {
    "models/slow.sql": TWO.replace("TEXT", ENDLESS),
    "models/wrong.sql": TWO.replace("TEXT", "select 1") + "{{ exceptions.raise_compiler_error('on purpose') }}",
    "models/after.sql": "select * from {{ ref('wrong') }}",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """A project on the module's server."""
    return small_project(tmp_path_factory.mktemp("threads") / "project", FILES, host=host)


@pytest.fixture(scope="module")
def credentials(project: Project) -> PenstockCredentials:
    """Its profile."""
    made = PenstockCredentials(schema="small")
    object.__setattr__(made, "project_root", str(project.root))
    return made


def has_no_session(project: Project, protocol: str) -> bool:
    """Return whether the server has no open session of a protocol."""
    return sessions(project, protocol)[0] == 0


@pytest.fixture(autouse=True)
def nothing_is_left(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """On the server, after each test."""
    # These statements have one stage: no other job can come while they are cancelled.
    monkeypatch.setattr(sent_statement, "SETTLE", 0.1)
    yield
    # Not its count of running statements: one whose start it hears of after its end counts for ever.
    for protocol in ("sqlserver", "connect"):
        wait_until(partial(has_no_session, project, protocol), f"no session of {protocol}")
    wait_until(lambda: not jobs(project, "running"), "no job on the server")


class Node:
    """A thread that sends statements on a handle until it is told not to."""

    def __init__(self, handle: PenstockHandle, statement: str) -> None:
        self.handle, self.statement = handle, statement
        self.error: BaseException | None = None
        self.begun = threading.Event()
        self.count = 0
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        try:
            while True:
                cursor = self.handle.cursor()
                self.begun.set()
                cursor.execute(self.statement)
                assert cursor.description and cursor.fetchall()
                self.count += 1
        except BaseException as error:
            self.error = error
        finally:
            self.begun.set()
            self.handle.close()  # as dbt does with a session that met an error

    def outcome(self) -> str:
        """What ended it."""
        self._thread.join(LIMIT)
        assert not self._thread.is_alive(), "the node's thread still waits"
        assert isinstance(self.error, DbtRuntimeError), self.error
        return str(self.error.msg)


def wait_a_bit(number: int) -> None:
    """Nothing, or some milliseconds: so that each round meets another point of the statement."""
    threading.Event().wait((number % 10) * 0.004)


def rounds(credentials: PenstockCredentials, end: Callable[[PenstockHandle], None], **limits: Any) -> set[str]:
    """A hundred nodes, ended by what another thread does to their handle; what they were told."""

    def one(number: int) -> str:
        handle = PenstockHandle(lambda: open_session(credentials), **limits)
        node = Node(handle, WORK[number % 3])
        assert node.begun.wait(LIMIT)
        wait_a_bit(number)
        end(handle)
        return node.outcome()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return set(pool.map(one, range(ROUNDS)))


def test_dbt_ends_while_a_statement_is_under_way(credentials: PenstockCredentials) -> None:
    """Neither side takes the other's answer, and the closed handle opens no new session."""
    assert rounds(credentials, lambda handle: handle.close()) == {ENDED}


def test_an_interrupt_meets_a_statement(credentials: PenstockCredentials) -> None:
    """And dbt closes the handle right after it, while the node's thread closes it too."""

    def end(handle: PenstockHandle) -> None:
        handle.cancel()
        handle.close()

    assert rounds(credentials, end) == {CANCELLED}


def test_a_time_limit_meets_the_end_of_dbt(credentials: PenstockCredentials) -> None:
    """The limit is over at about the moment at which dbt ends; a limit never ends the next statement."""
    messages = rounds(credentials, lambda handle: handle.close(), query_timeout=0.02)
    assert all(text == ENDED or "Query exceeded timeout" in text for text in messages), messages


def test_a_lost_connection_meets_the_end_of_dbt(credentials: PenstockCredentials) -> None:
    """The handle would open a new session for the statement, which only reads."""

    def end(handle: PenstockHandle) -> None:
        handle.session.wake()
        handle.close()

    assert rounds(credentials, end, query_retries=1000) == {ENDED}


@pytest.mark.parametrize("end", ["cleanup_all", "cancel_open"])
def test_node_threads_start_nothing_after_the_end(credentials: PenstockCredentials, end: str) -> None:
    """dbt's pool goes on with the nodes in its queue; a hundred of them, whatever the end finds them doing."""
    profile: Any = SimpleNamespace(credentials=credentials)
    messages: set[str] = set()
    for number in range(ROUNDS // 4):
        manager = PenstockConnectionManager(profile, get_context("spawn"))
        begun = threading.Semaphore(0)

        def node(name: int, manager: Any = manager, begun: Any = begun) -> str:
            try:
                manager.set_connection_name(f"node {name}")
                begun.release()
                while True:
                    manager.add_query(WORK[name % 3], auto_begin=False)
            except DbtRuntimeError as error:
                begun.release()
                return str(error.msg)
            finally:
                manager.release()

        with ThreadPool(3) as pool:
            # More than there are threads: the rest waits in the pool's queue.
            results = [pool.apply_async(node, (name,)) for name in range(8)]
            for _ in range(3):
                assert begun.acquire(timeout=LIMIT)
            wait_a_bit(5 * number)
            getattr(manager, end)()
            messages |= {result.get(LIMIT) for result in results}
            manager.cleanup_all()
            assert not manager.thread_connections
    assert messages == {ENDED if end == "cleanup_all" else CANCELLED}


def test_python_models_end_while_they_open_sessions_and_send(
    credentials: PenstockCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten at a time, stopped at another point each time; each session is closed once its model has ended."""
    # A model that goes on asking is left behind then, and ends with its session.
    monkeypatch.setattr(executions, "GRACE_SECONDS", 1.0)
    address = spark_session.url(credentials, "test")
    closed = itertools.count()
    for number in range(ROUNDS // AT_ONCE):
        begun = threading.Semaphore(0)

        def model(name: str, begun: Any = begun) -> str:
            job = connect.ModelSession(lambda: spark_session.open_session(credentials, address, name))

            def work() -> None:
                begun.release()
                own = job.open()
                while True:
                    own.sql("select 1").collect()

            def tidy() -> None:
                job.close()
                next(closed)

            try:
                executions.run(name, work, job.interrupt, None, None, tidy)
            except DbtRuntimeError as error:
                return str(error.msg)
            return "it ended by itself"

        with ThreadPool(AT_ONCE) as pool:
            results = [pool.apply_async(model, (f"m{name}",)) for name in range(AT_ONCE)]
            for _ in range(AT_ONCE):
                assert begun.acquire(timeout=LIMIT)
            wait_a_bit(10 * number)
            executions.end_all()
            assert all("was cancelled" in result.get(LIMIT) for result in results)
    assert next(closed) == ROUNDS


@pytest.mark.core
def test_dbt_ends_at_a_first_error_while_another_node_runs(project: Project) -> None:
    """`dbt docs generate` stops at the first model that doesn't compile; the other one's statement has no end."""
    done = project.dbt("docs", "generate", "--threads", "2")
    assert done.returncode == 2, done.stdout
    assert "on purpose" in done.stdout and "connection lost" not in done.stdout
