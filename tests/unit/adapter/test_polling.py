"""Polling until a statement ends, with a simulated clock."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from TCLIService.ttypes import TOperationState

from dbt.adapters.penstock.polling import poll_until_ended


class Server:
    """A server that answers each poll after some seconds, while its statement runs for some time."""

    def __init__(self, seconds: float, held: float) -> None:
        self.now, self.ends, self.held = 0.0, seconds, held
        self.polls = 0
        self.slept: list[float] = []

    def poll(self) -> Any:
        """As GetOperationStatus: held back until the statement ends, no longer than the server holds."""
        self.polls += 1
        self.now += min(self.held, max(0.0, self.ends - self.now))
        ended = self.now >= self.ends
        state = TOperationState.FINISHED_STATE if ended else TOperationState.RUNNING_STATE
        return SimpleNamespace(operationState=state)

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.slept.append(seconds)
        self.now += seconds

    def run(self, longest: float = 0.5) -> Server:
        """Wait for the end as the adapter does."""
        poll_until_ended(self.poll, longest, clock=lambda: self.now, sleep=self.sleep)
        return self


def test_no_pauses_when_the_server_waits() -> None:
    """A statement of 6 seconds takes 6 seconds and two polls."""
    server = Server(6, held=5).run()
    assert (server.now, server.polls, server.slept) == (6, 2, [])


def test_growing_pauses_when_the_server_answers_at_once() -> None:
    """The pauses grow to the longest, so that a minute takes a few hundred polls instead of a million."""
    server = Server(60, held=0).run()
    assert server.slept[:4] == [0.01, 0.02, 0.04, 0.08]
    assert max(server.slept) == 0.5
    assert server.polls < 140
    assert server.now < 60.5


def test_poll_interval_is_the_longest_pause() -> None:
    """The pauses grow no further."""
    assert max(Server(60, held=0).run(longest=2).slept) == 2


@pytest.mark.parametrize("held", [0, 5])
def test_an_ended_statement_is_polled_once(held: float) -> None:
    """Without a pause."""
    server = Server(0, held).run()
    assert (server.polls, server.slept) == (1, [])
