"""DESCRIBE results are cached for a run, and dropped when their relation may have changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import reset_invocation_id

from dbt.adapters.penstock.describe_cache import DescriptionCache


class Server:
    """A server that counts its answers; each answer is different."""

    def __init__(self) -> None:
        self.cache, self.sent = DescriptionCache(), 0

    def describe(self, relation: str, cacheable: bool = True) -> int:
        def ask() -> tuple[int, bool]:
            self.sent += 1
            return self.sent, cacheable

        return self.cache.get("describe", relation, relation.__eq__, ask)


@pytest.fixture
def server() -> Iterator[Server]:
    reset_invocation_id()
    yield Server()


def test_a_relation_is_described_once(server: Server) -> None:
    assert [server.describe("s.t"), server.describe("s.t"), server.describe("s.u")] == [1, 1, 2]


@pytest.mark.parametrize(("changed", "again"), [({"s.t"}, True), ({"s.u"}, False), (None, True), (set(), False)])
def test_a_change_drops_what_depends_on_it(server: Server, changed: set[str] | None, again: bool) -> None:
    server.describe("s.t")
    with server.cache.changing(changed):
        pass
    assert server.describe("s.t") == (2 if again else 1)


def test_a_change_that_fails_drops_too(server: Server) -> None:
    """A statement whose connection was lost may have taken effect."""
    with pytest.raises(DbtRuntimeError), server.cache.changing({"s.t"}):
        server.describe("s.t")
        raise DbtRuntimeError("lost")
    assert server.describe("s.t") == 2


def test_a_result_from_before_a_change_is_not_cached(server: Server) -> None:
    def ask() -> tuple[str, bool]:
        with server.cache.changing({"s.t"}):
            return "old", True

    assert server.cache.get("describe", "s.t", "s.t".__eq__, ask) == "old"
    assert server.describe("s.t") == 1
    assert server.describe("s.t") == 1


def test_an_error_is_not_cached(server: Server) -> None:
    def ask() -> tuple[str, bool]:
        raise DbtRuntimeError("TABLE_OR_VIEW_NOT_FOUND")

    with pytest.raises(DbtRuntimeError):
        server.cache.get("describe", "s.t", "s.t".__eq__, ask)
    assert server.describe("s.t") == 1


def test_a_result_that_may_not_be_cached_is_queried_each_time(server: Server) -> None:
    assert [server.describe("s.t", cacheable=False), server.describe("s.t", cacheable=False)] == [1, 2]


def test_a_new_run_queries_again(server: Server) -> None:
    server.describe("s.t")
    reset_invocation_id()
    assert server.describe("s.t") == 2


def test_threads_at_the_same_time_send_one_statement() -> None:
    cache, threads, go = DescriptionCache(), [], threading.Event()

    def ask() -> tuple[str, bool]:
        threads.append(threading.get_ident())
        go.wait()
        return "columns", True

    with ThreadPoolExecutor(3) as pool:
        results = [pool.submit(cache.get, "describe", "s.t", "s.t".__eq__, ask) for _ in range(3)]
        go.set()
        assert [result.result() for result in results] == ["columns"] * 3
    assert len(threads) == 1


def test_changed_relations_are_recorded(server: Server) -> None:
    with server.cache.changing({"s.t"}):
        assert server.cache.changed("s.t") and not server.cache.changed("s.u")
    with server.cache.changing(None):
        assert server.cache.changed("s.u")
    reset_invocation_id()
    assert not server.cache.changed("s.t")


def test_a_cached_result_can_be_read_without_a_statement(server: Server) -> None:
    assert server.cache.cached("describe", "s.t") is None
    server.describe("s.t")
    assert server.cache.cached("describe", "s.t") == 1
    with server.cache.changing({"s.t"}):
        pass
    assert server.cache.cached("describe", "s.t") is None
    assert server.sent == 1
